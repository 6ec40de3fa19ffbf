"""Records that break the event contract, each with the field that its rejection has to name.

A malformed record replaces a good one. It is made from that event and keeps its key where a sender would still have
known it. Events with unknown fields are not malformed: see :func:`with_unknown_field`.
"""

from __future__ import annotations

import gzip
import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count as count_from
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from fraudstream.core.contract.event import FIELD_RULES, ID, PARTITION_KEY, RULES
from fraudstream.core.contract.field_rules import FieldRule, value_at
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError

# What a rejection names when no field can be named.
VALUE = "value"
OVERSIZED_BYTES = 2 * MAX_EVENT_BYTES

BROKEN_JSON = "broken_json"
EMPTY = "empty"
NOT_UTF8 = "not_utf8"
OVERSIZED = "oversized"
DUPLICATE_ID = "duplicate_id"

# So many good events are remembered, of which a later one may take the id.
_EARLIER = 1_000
_MOST_DIGITS = 1e34

# Senders of these could not tell an id, so that their records have no key.
KEYLESS = frozenset({EMPTY, NOT_UTF8})


class Record(NamedTuple):
    """One record to send.

    ``id`` is the event's unless ``kind`` says otherwise. ``kind`` and ``field`` are None for a good event; else
    ``field`` is what the rejection's reason starts with. ``topic``: where it goes, if not where all others do.
    ``position`` is what its sender may want back once the record has been acknowledged.
    """

    id: int | str
    key: bytes | None
    value: bytes
    kind: str | None = None
    field: str | None = None
    topic: str | None = None
    position: Any = None


Event = dict[str, Any]
Break = Callable[[Event, random.Random], tuple[bytes, str]]


def mix(
    values: Iterator[bytes], first_id: int, *, count: int | None = None, malformed_count: int = 0, seed: int = 0
) -> Iterator[Record]:
    """The events, whose ids ascend from ``first_id``, as records with their keys; see :func:`with_malformed`."""
    records = (Record(id, _key(id, value), value) for id, value in zip(count_from(first_id), values, strict=False))
    return with_malformed(records, count=count, malformed_count=malformed_count, seed=seed)


def _key(id: int, value: bytes) -> bytes:
    """The text of the project's partition key."""
    if PARTITION_KEY == ID:
        return b"%d" % id
    return str(value_at(orjson.loads(value), RULES[PARTITION_KEY].path)).encode()


def with_malformed(
    records: Iterator[Record], *, count: int | None, malformed_count: int = 0, seed: int = 0
) -> Iterator[Record]:
    """The records, ``malformed_count`` of ``count`` replaced by malformed ones.

    Malformed records are spread evenly over the stream and over the kinds. ``records`` are taken one at a time, when
    one is asked for. Raises :class:`ConfigurationError` when they cannot be placed.
    """
    if malformed_count and (count is None or malformed_count > count):
        raise ConfigurationError(
            f"{malformed_count} malformed records cannot be spread over {'an endless run' if count is None else count}"
            f"{'' if count is None else ' records'}. Ask for fewer, or give --count, or --for with a --rate above 0."
        )
    # A generator of its own, so that good events are the same with and without malformed ones.
    rng = random.Random(f"malformed {seed}")  # noqa: S311 - reproducible test data
    return _mixed(records, _places(count or 0, malformed_count, rng), rng)


def with_unknown_field(value: bytes) -> bytes:
    """The same event with a field that the contract does not list: valid, to be kept and scored."""
    return value[:-1] + ',"merchant":{"name":"Café №7","terminals":[1,2]}}'.encode()


def _places(count: int, malformed_count: int, rng: random.Random) -> dict[int, str]:
    kinds = _even_kinds(malformed_count, rng)
    edges = [number * count // malformed_count for number in range(malformed_count + 1)] if malformed_count else []
    positions = [rng.randrange(low, high) for low, high in pairwise(edges)]
    # A duplicate needs a good event before it.
    leading = sum(1 for number, position in enumerate(positions) if number == position)
    for number in range(leading):
        if kinds[number] == DUPLICATE_ID:
            later = next((at for at in range(leading, len(kinds)) if kinds[at] != DUPLICATE_ID), None)
            if later is None:
                kinds[number] = BROKEN_JSON
            else:
                kinds[number], kinds[later] = kinds[later], kinds[number]
    return dict(zip(positions, kinds, strict=True))


def _even_kinds(malformed_count: int, rng: random.Random) -> list[str]:
    kinds: list[str] = []
    while len(kinds) < malformed_count:
        kinds += rng.sample(KINDS, len(KINDS))
    return kinds[:malformed_count]


def _mixed(records: Iterator[Record], places: dict[int, str], rng: random.Random) -> Iterator[Record]:
    earlier: list[Record] = []
    for position, record in enumerate(records):
        kind = places.get(position)
        if kind is None:
            if places and len(earlier) < _EARLIER and record.id != "":
                earlier.append(record)
            yield record
        elif (event := _object(record.value)) is None or (kind == DUPLICATE_ID and not earlier):
            # A file's line may be broken itself.
            yield record._replace(value=record.value[:-1], kind=BROKEN_JSON, field=VALUE)
        elif kind == DUPLICATE_ID:
            taken = rng.choice(earlier)
            # With the other id's text as its key where that is the key of all records.
            key = taken.key if record.key == str(record.id).encode() else record.key
            yield record._replace(key=key, value=_with(event, ID, orjson.dumps(taken.id)), kind=kind, field=ID)
        else:
            broken, field = _BREAKS[kind](event, rng)
            key = None if kind in KEYLESS else record.key
            yield record._replace(key=key, value=broken, kind=kind, field=field)


def _object(value: bytes) -> Event | None:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _with(event: Event, field: str, raw: bytes | None) -> bytes:
    """The event as JSON in which ``field`` stands as ``raw``, or not at all."""
    parts = {name: orjson.dumps(value) for name, value in event.items()}
    if raw is None:
        parts.pop(field, None)
    else:
        parts[field] = raw
    return b"{" + b",".join(b"%s:%s" % (orjson.dumps(name), text) for name, text in parts.items()) + b"}"


def _replaced(rules: Sequence[FieldRule], *raws: bytes | None) -> Break:
    def break_(event: Event, rng: random.Random) -> tuple[bytes, str]:
        field = rng.choice(rules).name
        return _with(event, field, rng.choice(raws)), field

    return break_


def _replaced_each(raws: dict[str, list[bytes]]) -> Break:
    """A value of its own list for one of these fields."""
    fields = list(raws)

    def break_(event: Event, rng: random.Random) -> tuple[bytes, str]:
        field = rng.choice(fields)
        return _with(event, field, rng.choice(raws[field])), field

    return break_


def _as_text(numbers: Sequence[FieldRule]) -> Break:
    def break_(event: Event, rng: random.Random) -> tuple[bytes, str]:
        field = rng.choice(numbers).name
        return _with(event, field, b'"%s"' % orjson.dumps(event.get(field))), field

    return break_


def _outside(rule: FieldRule) -> list[bytes]:
    """Numbers below and above the rule's bounds, where it has any."""
    least, most = rule.range
    numbers = []
    if math.isfinite(least):
        numbers.append(b"-1" if least > -1 else _beyond(least, -1))
    if math.isfinite(most):
        numbers.append(_beyond(most, 1))
    return numbers


def _beyond(bound: float, step: int) -> bytes:
    # A double of that size has the bound itself for its neighbour; one of this many digits no document keeps.
    beyond = bound * 2 if bound + step == bound and abs(bound) < _MOST_DIGITS else bound + step
    return b"%d" % beyond


def _broken_json(event: Event, rng: random.Random) -> tuple[bytes, str]:
    value = orjson.dumps(event)
    unclosed = value[: rng.randrange(1, len(value))]
    return rng.choice((unclosed, value.replace(b'":', b'"=', 1), value.replace(b'"', b"'"))), VALUE


def _not_utf8(event: Event, rng: random.Random) -> tuple[bytes, str]:
    # UTF-16 is among them because some JSON readers detect it and would take the event.
    value = orjson.dumps(event)
    return rng.choice(
        (gzip.compress(value, mtime=0), value.decode().encode("utf-16"), b"\xff" + rng.randbytes(64))
    ), VALUE


def _no_object(event: Event, rng: random.Random) -> tuple[bytes, str]:
    value = orjson.dumps(event)
    return rng.choice((b"[" + value + b"]", b"42", b"null", b"true", orjson.dumps(value.decode()))), VALUE


def _trailing_garbage(event: Event, rng: random.Random) -> tuple[bytes, str]:
    value = orjson.dumps(event)
    return value + rng.choice((b"}", b" garbage", b"," + value, value)), VALUE


def _oversized(event: Event, rng: random.Random) -> tuple[bytes, str]:  # noqa: ARG001 - a Break's signature
    padded = orjson.dumps(event | {"padding": ""})
    return padded[:-2] + b"x" * (OVERSIZED_BYTES - len(padded)) + padded[-2:], VALUE


def _empty(event: Event, rng: random.Random) -> tuple[bytes, str]:  # noqa: ARG001 - a Break's signature
    return b"", VALUE


_IMPOSSIBLE_DATES = (
    b'"31/02/2026 10:00:00"',
    b'"29/02/2025 10:00:00"',
    b'"03/13/2026 10:00:00"',
    b'"00/01/2026 10:00:00"',
    b'"03/02/2026 24:00:00"',
    b'"03/02/2026 10:60:00"',
    b'"3/2/2026 10:00:00"',
    b'"2026-02-03T10:00:00Z"',
    b'""',
)
_UNHEARD_OF = ("unheard_of", "Monday", "ONLINE", "internet_payment", "")


def breaks_of(rules: Sequence[FieldRule]) -> dict[str, Break]:
    """The kinds by which an event of these rules can be broken, each with what makes it so.

    Only fields outside of objects that every event has are broken: a value there is certain to be refused.
    """
    required = [rule for rule in rules if rule.required]

    def of_kind(*kinds: str) -> list[FieldRule]:
        return [rule for rule in required if rule.kind in kinds]

    numbers, times = of_kind("int", "float"), of_kind("time")
    written = [rule for rule in times if rule.time is not None and not rule.time.is_number]
    dates = {rule.name: [raw for raw in _IMPOSSIBLE_DATES if _is_impossible(rule, raw)] for rule in times}
    unheard_of = {
        rule.name: [orjson.dumps(text) for text in _UNHEARD_OF if text not in rule.choices]
        for rule in of_kind("text")
        if rule.choices
    }
    bounded = {rule.name: outside for rule in numbers if (outside := _outside(rule))}
    present = [rule for rule in required if not rule.is_nullable]
    # A kind that no field can be broken by is left out.
    breaks: dict[str, tuple[Any, Break]] = {
        BROKEN_JSON: (True, _broken_json),
        "text_for_number": (numbers, _as_text(numbers)),
        "number_for_text": (of_kind("text") + written, _replaced(of_kind("text") + written, b"7", b"7.5")),
        "float_for_integer": (of_kind("int"), _replaced(of_kind("int"), b"1.5", b"1.0")),
        "boolean_for_number": (numbers, _replaced(numbers, b"true", b"false")),
        "null_value": (present, _replaced(present, b"null")),
        "missing_field": (required, _replaced(required, None)),
        "unknown_value": (unheard_of, _replaced_each(unheard_of)),
        "not_finite": (of_kind("float"), _replaced(of_kind("float"), b"NaN", b"Infinity", b"-Infinity")),
        "out_of_range": (bounded, _replaced_each(bounded)),
        "impossible_date": (dates, _replaced_each(dates)),
        EMPTY: (True, _empty),
        NOT_UTF8: (True, _not_utf8),
        "no_object": (True, _no_object),
        "trailing_garbage": (True, _trailing_garbage),
        OVERSIZED: (True, _oversized),
    }
    return {kind: break_ for kind, (applies, break_) in breaks.items() if applies}


def _is_impossible(rule: FieldRule, raw: bytes) -> bool:
    return rule.problem(orjson.loads(raw)) is not None


_BREAKS = breaks_of(FIELD_RULES)

KINDS: tuple[str, ...] = (*_BREAKS, DUPLICATE_ID)
