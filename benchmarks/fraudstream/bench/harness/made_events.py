"""Events of any project, made from its rules and a seed: for projects that no simulator draws and that have no file."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from fraudstream.core.contract.field_rules import FieldRule, leaves, value_at
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.patterns import FORMATS
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project

FRAUD_SHARE = 0.02

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_SPAN_SECONDS = 90 * 86_400
# How far a number without a bound lies from its other bound, or from zero.
_REACH = 1_000
_DECIMALS = 6
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789 éß-"
_MOST_ITEMS = 4
# The deviation of the noise in the labels, by that of what the fields say.
_NOISE = 0.3
_SAMPLE = 2_000


def made_value(rule: FieldRule, rng: random.Random) -> Any:
    """A value that keeps its rule. Raises :class:`ConfigurationError` for a text whose pattern is no format's."""
    if rule.choices or rule.categories:
        return rng.choice(rule.choices or rule.categories)
    if rule.kind == "bool":
        return rng.random() < 0.5
    if rule.kind == "int":
        return rng.randint(*_whole_bounds(rule))
    if rule.kind == "float":
        return _number(rule, rng)
    if rule.time is not None:
        return rule.time.write(_BEGIN + timedelta(seconds=rng.randrange(_SPAN_SECONDS)))
    if rule.kind == "object":
        return made_fields(rule.fields, rng)
    if rule.kind == "array":
        return _items(rule, rng)
    return _text(rule, rng)


def made_fields(rules: Sequence[FieldRule], rng: random.Random) -> dict[str, Any]:
    """An object with all of its known fields."""
    return {rule.path[-1]: made_value(rule, rng) for rule in rules}


def made_events(
    project: Project, count: int, first_id: int, seed: int, *, labelled: bool = False
) -> Iterator[dict[str, Any]]:
    """Events with ascending ids and times; fraud depends on the model's inputs, so that there is something to learn.

    The same ones for the same seed, whether labelled or not.
    """
    roles = project.definition.event
    known = {rule.name: rule for rule in leaves(project.rules)}
    id, label = known[roles.id], known[roles.label]
    form = TimeForm(roles.time_format, roles.time_unit, roles.time_origin)
    inputs = [known[name] for name in project.definition.model.inputs if known[name].kind in ("int", "float")]
    others = [rule for rule in project.rules if rule.path != label.path]
    rng = random.Random(seed)  # noqa: S311 - made up, not secret
    oracle = _Oracle(inputs, random.Random(f"{seed} labels"))  # noqa: S311 - likewise
    for number in range(count):
        event = made_fields(others, rng)
        put(event, id.path, first_id + number if id.kind == "int" else f"made-{first_id + number}")
        put(event, known[roles.time].path, form.write(_BEGIN + timedelta(seconds=number)))
        fraud = oracle(event)
        if labelled:
            put(event, label.path, fraud if label.kind == "bool" else int(fraud))
        yield event


def made_texts(project: Project, count: int, first_id: int, seed: int, *, labelled: bool = False) -> Iterator[bytes]:
    """The same as JSON."""
    return map(orjson.dumps, made_events(project, count, first_id, seed, labelled=labelled))


class _Oracle:
    """Tells frauds: the events whose weighted inputs, with some noise, are among the highest."""

    def __init__(self, inputs: Sequence[FieldRule], rng: random.Random) -> None:
        self._rng = rng
        self._weights = [(rule, self._rng.uniform(-1, 1)) for rule in inputs]
        drawn = sorted(self._sum({rule.name: made_value(rule, self._rng) for rule in inputs}) for _ in range(_SAMPLE))
        self._least = drawn[int(len(drawn) * (1 - FRAUD_SHARE))]

    def __call__(self, event: dict[str, Any]) -> bool:
        return self._sum({rule.name: value_at(event, rule.path) for rule, _ in self._weights}) > self._least

    def _sum(self, values: dict[str, Any]) -> float:
        parts = [weight * _scaled(rule, values[rule.name]) for rule, weight in self._weights]
        return math.fsum(parts) + self._rng.gauss(0, _NOISE)


def _scaled(rule: FieldRule, value: float) -> float:
    """A number by the range from which it was drawn, 0 to 1."""
    low, high = _bounds(rule)
    return (value - low) / (high - low) if high > low else 0.0


def _bounds(rule: FieldRule) -> tuple[float, float]:
    low, high = rule.minimum, rule.maximum
    if low is None:
        low = -_REACH if high is None or high > 0 else high - _REACH
    # A bound that only keeps out what no store holds is no guide to what is usual.
    if high is None or high - low > _REACH * _REACH:
        widened = low + max(2 * _REACH, abs(low))
        high = widened if high is None else min(high, widened)
    return low, high


def _whole_bounds(rule: FieldRule) -> tuple[int, int]:
    low, high = _bounds(rule)
    least, most = math.ceil(low), math.floor(high)
    least += rule.is_above_minimum and least == rule.minimum
    most -= rule.is_below_maximum and most == rule.maximum
    return max(least, LEAST_INTEGER), min(most, MOST_INTEGER)


def _number(rule: FieldRule, rng: random.Random) -> float:
    low, high = _bounds(rule)
    drawn = rng.uniform(low, high)
    rounded = round(drawn, _DECIMALS)
    if low < rounded < high:
        return rounded
    return drawn if low < drawn < high else (low + high) / 2


def _items(rule: FieldRule, rng: random.Random) -> list[Any]:
    most = rule.least_length + _MOST_ITEMS if rule.most_length is None else rule.most_length
    count = rng.randint(rule.least_length, min(most, rule.least_length + _MOST_ITEMS))
    return [rng.random() < 0.5 if rule.items is None else made_value(rule.items, rng) for _ in range(count)]


def _text(rule: FieldRule, rng: random.Random) -> str:
    if rule.shown_pattern == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if rule.shown_pattern == "ipv4":
        return ".".join(str(rng.randrange(256)) for _ in range(4))
    if rule.shown_pattern == "email":
        return f"{rng.getrandbits(32):x}@example.org"
    if rule.pattern is not None:
        raise ConfigurationError(
            f"No text is made for {rule.name}, whose pattern is {rule.shown_pattern}: only {', '.join(FORMATS)} are. "
            "Name a file of transactions in [source] of fraudstream.toml."
        )
    most = rule.least_length + 12 if rule.most_length is None else min(rule.most_length, rule.least_length + 12)
    return "".join(rng.choices(_LETTERS, k=rng.randint(rule.least_length, most)))


def put(event: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a field by its path."""
    inner = event
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
