"""Schemas of events from a seed, with all that a schema may say, and events that break them in one place each."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fraudstream.bench.harness.made_events import made_fields
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.times import EPOCH, ISO, TimeForm
from fraudstream.core.project.event_schema import FILE_NAME, read_rules
from fraudstream.core.project.reserved import RESERVED_FIELDS

FORMS = (
    TimeForm(ISO),
    TimeForm(EPOCH, "ms"),
    TimeForm(EPOCH, "s"),
    TimeForm("%d/%m/%Y %H:%M:%S"),
    TimeForm("%m/%d/%y %I:%M %p"),
)
TIME = "when"

_NAMES = (
    "a",
    "A",
    "a.b",
    "Betrag €",
    "with space",
    "x/y",
    "~0",
    "'",
    "V1",
    "naïve",
    "0",
    "-",
    "#",
    "longer_name",
    "\u540d",
)


class Broken(NamedTuple):
    """An event that breaks its rules in one place; JSON Schema calls some of them valid, by ``is_stricter``."""

    event: dict[str, Any]
    field: str
    is_stricter: bool = False


class Schema(NamedTuple):
    """A schema, and the rules that are read from it."""

    content: dict[str, Any]
    rules: tuple[FieldRule, ...]
    form: TimeForm


def made_schema(seed: int, folder: Path) -> Schema:
    """A schema by its seed, written to ``folder`` and read from it."""
    rng = random.Random(f"schema {seed}")
    form = rng.choice(FORMS)
    content = _object(rng, 0)
    content["properties"][TIME] = {"type": "number" if form.is_number else "string"}
    content["required"] = [*content.get("required", []), TIME]
    (folder / FILE_NAME).write_text(json.dumps(content), "utf-8")
    return Schema(content, read_rules(folder, TIME, form, RESERVED_FIELDS, {}), form)


def good_event(schema: Schema, rng: random.Random) -> dict[str, Any]:
    """An event that keeps the rules, some of the optional fields left out or null, with unknown fields beside them."""
    event = made_fields(schema.rules, rng)
    for holder, rule in list(_places(event, schema.rules)):
        name = rule.path[-1]
        if rule.is_nullable and rng.random() < 0.2:
            holder[name] = None
        elif not rule.required and rng.random() < 0.2:
            del holder[name]
    return event | {"unknown": rng.choice([None, 1, 0.1, "x", {"y": [1, {}]}])}


def broken_events(schema: Schema, event: dict[str, Any], rng: random.Random) -> Iterator[Broken]:
    """The event, with each of its known fields broken in each way that its rule has."""
    for holder, rule in _places(event, schema.rules):
        name = rule.path[-1]
        if rule.required:
            yield Broken(_changed(event, holder, name), rule.name)
        for value, is_stricter in _bad_values(rule, holder.get(name)):
            yield Broken(_changed(event, holder, name, value), rule.name, is_stricter)
        items = holder.get(name)
        if rule.kind == "array" and rule.items is not None and items:
            at = rng.randrange(len(items))
            for value, is_stricter in _bad_values(rule.items, items[at]):
                changed = [*items[:at], value, *items[at + 1 :]]
                yield Broken(_changed(event, holder, name, changed), rule.items.name, is_stricter)


_ABSENT = object()


def _changed(event: dict[str, Any], holder: dict[str, Any], name: str, value: Any = _ABSENT) -> dict[str, Any]:
    """A copy of the event in which one object has another value under a name, or none."""
    memory: dict[int, Any] = {}
    whole: dict[str, Any] = copy.deepcopy(event, memory)
    inner = whole if holder is event else memory[id(holder)]
    if value is _ABSENT:
        inner.pop(name, None)
    else:
        inner[name] = value
    return whole


def _places(fields: dict[str, Any], rules: Sequence[FieldRule]) -> Iterator[tuple[dict[str, Any], FieldRule]]:
    """The objects of an event, each with the rules of its own fields; those in lists are left out."""
    for rule in rules:
        yield fields, rule
        if rule.kind == "object" and isinstance(inner := fields.get(rule.path[-1]), dict):
            yield from _places(inner, rule.fields)


def _bad_values(rule: FieldRule, now: Any) -> Iterator[tuple[Any, bool]]:
    """Values that break the rule, given a value that keeps it, and whether JSON Schema lets them pass."""
    if not rule.is_nullable:
        yield None, False
    yield {"int": "1", "float": "1.5", "bool": 1, "text": 5, "time": True, "object": [], "array": {}}[rule.kind], False
    if rule.kind == "object":
        return
    yield {"nested": 1}, False
    if rule.choices:
        yield from ((bad, False) for bad in _beside(rule))
    elif rule.kind in ("int", "float"):
        yield from _beyond_bounds(rule)
        if rule.kind == "int" and now is not None and float(now) == now:
            # To JSON Schema 1.0 is an integer, and so is what 64 bits do not hold.
            yield float(now), True
    elif rule.kind in ("text", "array"):
        yield from ((bad, False) for bad in _of_bad_lengths(rule))
    elif rule.kind == "time":
        # JSON Schema is not told the form of the time.
        yield (1e30 if rule.time is not None and rule.time.is_number else "31/31/2026"), True


def _beside(rule: FieldRule) -> Iterator[Any]:
    if rule.kind == "text":
        yield f"{rule.choices[0]} "
    elif rule.kind == "bool":
        yield from {True, False} - set(rule.choices)
    else:
        yield max(choice for choice in rule.choices if not isinstance(choice, str)) + 1


def _beyond_bounds(rule: FieldRule) -> Iterator[tuple[Any, bool]]:
    step = (lambda bound, way: bound + int(math.copysign(1, way))) if rule.kind == "int" else math.nextafter
    if rule.minimum is not None:
        yield (rule.minimum if rule.is_above_minimum else step(rule.minimum, -math.inf)), False
    if rule.maximum is not None:
        yield (rule.maximum if rule.is_below_maximum else step(rule.maximum, math.inf)), False
    elif rule.kind == "int":
        yield 2**63, True


def _of_bad_lengths(rule: FieldRule) -> Iterator[Any]:
    value_of = (lambda count: "é" * count) if rule.kind == "text" else (lambda count: [None] * count)
    if rule.least_length:
        yield value_of(rule.least_length - 1)
    if rule.most_length is not None:
        yield value_of(rule.most_length + 1)
    if rule.pattern is not None:
        yield "no such text\n"


def _object(rng: random.Random, depth: int) -> dict[str, Any]:
    names = rng.sample(_NAMES, rng.randint(1, 6 if depth else 9))
    properties = {name: _field(rng, depth) for name in names}
    required = [name for name in names if rng.random() < 0.7]
    return {"type": "object", "properties": properties, "required": required}


def _field(rng: random.Random, depth: int) -> dict[str, Any]:
    kinds = [_integer, _integer, _real, _real, _text, _text, _boolean]
    schema = rng.choice(kinds + [_object, _array] * (depth < 2))(rng, depth)
    if rng.random() < 0.2:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        if "const" in schema:
            schema["enum"] = [schema.pop("const"), None]
    return schema


def _integer(rng: random.Random, _: int) -> dict[str, Any]:
    if rng.random() < 0.2:
        return {"type": "integer", "enum": rng.sample(range(-5, 50), 4)}
    return {"type": "integer"} | _made_bounds(rng, lambda: rng.choice([rng.randint(-50, 50), 2**53 + 1]), 2)


def _real(rng: random.Random, _: int) -> dict[str, Any]:
    if rng.random() < 0.1:
        return {"type": "number", "enum": [0.5, 1, -2.25]}
    return {"type": "number"} | _made_bounds(rng, lambda: rng.choice([0, 0.1, -1.5, 1e6, 3.4028234663852886e38]), 0.5)


def _made_bounds(rng: random.Random, bound: Any, least_width: float) -> dict[str, Any]:
    low = bound()
    high = low + least_width + abs(low) + rng.choice([0, 100])
    bounds: dict[str, Any] = {}
    if rng.random() < 0.6:
        bounds[rng.choice(["minimum", "exclusiveMinimum"])] = low
    if rng.random() < 0.6:
        bounds[rng.choice(["maximum", "exclusiveMaximum"])] = high
    return bounds


def _text(rng: random.Random, _: int) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.3:
        return {"type": "string", "enum": rng.sample(["é", "", "x y", 'say "so"', "null", "0"], 3)}
    if kind < 0.4:
        return {"type": "string", "const": "only this"}
    if kind < 0.6:
        return {"type": "string", "format": rng.choice(["uuid", "ipv4", "email"])}
    schema: dict[str, Any] = {"type": "string"}
    if rng.random() < 0.5:
        schema["minLength"] = rng.randint(0, 3)
    if rng.random() < 0.5:
        schema["maxLength"] = rng.randint(3, 20)
    return schema


def _boolean(rng: random.Random, _: int) -> dict[str, Any]:
    return {"type": "boolean"} | ({"const": True} if rng.random() < 0.2 else {})


def _array(rng: random.Random, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array"}
    if rng.random() < 0.8:
        schema["items"] = _field(rng, depth + 1)
    if rng.random() < 0.5:
        schema["minItems"] = rng.randint(0, 2)
    if rng.random() < 0.5:
        schema["maxItems"] = rng.randint(2, 4)
    return schema
