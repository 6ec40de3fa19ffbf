"""Records that break the event contract, each with the field that its rejection has to name.

A malformed record replaces a good one. It is made from that event and keeps its key where a sender would still have
known it. Events with unknown fields are not malformed: see :func:`with_unknown_field`.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from fraudstream.core.contract.event import FIELD_RULES
from fraudstream.core.contract.field_rules import FieldRule
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

# Senders of these could not tell an id, so that their records have no key.
KEYLESS = frozenset({EMPTY, NOT_UTF8})


class Record(NamedTuple):
    """One record to send.

    ``id`` counts the records in order and equals the event's id unless ``kind`` says otherwise. ``kind`` and
    ``field`` are None for a good event; else ``field`` is what the rejection's reason starts with.
    """

    id: int
    key: bytes | None
    value: bytes
    kind: str | None = None
    field: str | None = None


Event = dict[str, Any]
Break = Callable[[Event, random.Random], tuple[bytes, str]]


def mix(
    values: Iterator[bytes], first_id: int, *, count: int | None = None, malformed_count: int = 0, seed: int = 0
) -> Iterator[Record]:
    """The events as records, ``malformed_count`` of ``count`` replaced by malformed ones.

    Malformed records are spread evenly over the stream and over the kinds. ``values`` are taken one at a time, when
    a record is asked for. Raises :class:`ConfigurationError` when they cannot be placed.
    """
    if malformed_count and (count is None or malformed_count > count):
        raise ConfigurationError(
            f"{malformed_count} malformed records cannot be spread over {'an endless run' if count is None else count}"
            f"{'' if count is None else ' records'}. Ask for fewer, or give --count, or --for with a --rate above 0."
        )
    # A generator of its own, so that good events are the same with and without malformed ones.
    rng = random.Random(f"malformed {seed}")  # noqa: S311 - reproducible test data
    return _mixed(values, first_id, _places(count or 0, malformed_count, rng), rng)


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


def _mixed(values: Iterator[bytes], first_id: int, places: dict[int, str], rng: random.Random) -> Iterator[Record]:
    earlier: list[int] = []
    for position, value in enumerate(values):
        id_ = first_id + position
        kind = places.get(position)
        if kind is None:
            if places and len(earlier) < 1_000:
                earlier.append(id_)
            yield Record(id_, b"%d" % id_, value)
        elif kind == DUPLICATE_ID:
            earlier_id = b"%d" % rng.choice(earlier)
            yield Record(id_, earlier_id, _with(orjson.loads(value), "id", earlier_id), kind, "id")
        else:
            broken, field = _BREAKS[kind](orjson.loads(value), rng)
            yield Record(id_, None if kind in KEYLESS else b"%d" % id_, broken, kind, field)


def _of_kind(*kinds: str) -> list[FieldRule]:
    return [rule for rule in FIELD_RULES if rule.required and rule.kind in kinds]


_NUMBERS = _of_kind("int", "float")
_INTEGERS = _of_kind("int")
_MONEY = _of_kind("float")
_TEXTS = _of_kind("text")
_REQUIRED = _of_kind("int", "float", "text", "date")


def _with(event: Event, field: str, raw: bytes | None) -> bytes:
    """The event as JSON in which ``field`` stands as ``raw``, or not at all."""
    parts = {name: orjson.dumps(value) for name, value in event.items()}
    if raw is None:
        del parts[field]
    else:
        parts[field] = raw
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in parts.items()) + b"}"


def _replaced(rules: list[FieldRule], *raws: bytes | None) -> Break:
    def break_(event: Event, rng: random.Random) -> tuple[bytes, str]:
        field = rng.choice(rules).name
        return _with(event, field, rng.choice(raws)), field

    return break_


def _as_text(event: Event, rng: random.Random) -> tuple[bytes, str]:
    field = rng.choice(_NUMBERS).name
    return _with(event, field, b'"%s"' % orjson.dumps(event[field])), field


def _out_of_range(event: Event, rng: random.Random) -> tuple[bytes, str]:
    rule = rng.choice(_NUMBERS)
    outside = [b"-1"] + ([] if rule.maximum is None else [b"%d" % (rule.maximum + 1)])
    return _with(event, rule.name, rng.choice(outside)), rule.name


def _broken_json(event: Event, rng: random.Random) -> tuple[bytes, str]:
    value = orjson.dumps(event)
    unclosed = value[: rng.randrange(1, len(value))]
    return rng.choice((unclosed, value.replace(b":", b"=", 1), value.replace(b'"', b"'"))), VALUE


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


_DATE = [rule for rule in FIELD_RULES if rule.kind == "date"]
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

_BREAKS: dict[str, Break] = {
    BROKEN_JSON: _broken_json,
    "text_for_number": _as_text,
    "number_for_text": _replaced(_TEXTS + _DATE, b"7", b"7.5"),
    "float_for_integer": _replaced(_INTEGERS, b"1.5", b"1.0"),
    "boolean_for_number": _replaced(_NUMBERS, b"true", b"false"),
    "null_value": _replaced(_REQUIRED, b"null"),
    "missing_field": _replaced(_REQUIRED, None),
    "unknown_value": _replaced(_TEXTS, b'"unheard_of"', b'"Monday"', b'"ONLINE"', b'"internet_payment"', b'""'),
    "not_finite": _replaced(_MONEY, b"NaN", b"Infinity", b"-Infinity"),
    "out_of_range": _out_of_range,
    "impossible_date": _replaced(_DATE, *_IMPOSSIBLE_DATES),
    EMPTY: _empty,
    NOT_UTF8: _not_utf8,
    "no_object": _no_object,
    "trailing_garbage": _trailing_garbage,
    OVERSIZED: _oversized,
}

KINDS: tuple[str, ...] = (*_BREAKS, DUPLICATE_ID)
