"""Documents as nobody should have stored them: seeded, of every type that BSON has, as bytes as a store gives them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument

TEXTS = (
    "",
    "$x",
    "a.b",
    "__proto__",
    "constructor",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<b>bold</b><a href='javascript:alert(1)'>x</a>",
    "%{x} %{customdata}<extra></extra>",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "+1+cmd|'x'!A",
    "-2+3+cmd|'x'!A",
    "@SUM(1+1)*cmd|'x'!A",
    "\t=1+1",
    "\r=1+1",
    ' "=1+1',
    "a;=1+1",
    'x","=1+1',
    "\uff1d1+1",
    "\uff20SUM(1)",
    "\ufeff=1+1",
    "a\r\nb,c\nd",
    "\x00\x01\x1b[2J\x7f\x9b31m",
    "\u202egnp.exe\u2066\u200b\u2028",
    "é 🙂 \U0010ffff",
    "[/b] [red]x :warning:",
    "x" * 40_000,
    "1e400",
    "9" * 400,
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    -0.0,
    0.1,
    math.inf,
    -math.inf,
    math.nan,
    1.7e308,
    -1.7e308,
    5e-324,
    2**53 + 1,
    Int64(2**63 - 1),
    Int64(-(2**63)),
    True,
    False,
    Decimal128("1E+6144"),
    Decimal128("NaN"),
    Decimal128("-Infinity"),
    Decimal128("12.50"),
)
OTHERS: tuple[Any, ...] = (
    None,
    [],
    {},
    b"\x00\xff",
    Binary(b"abc", 4),
    ObjectId("0123456789abcdef01234567"),  # pragma: allowlist secret
    Regex("("),
    Timestamp(1, 2),
    Code("return 1"),
    Code("return 1", {"a": 1}),
    MinKey(),
    MaxKey(),
    DBRef("other", 1),
    {"$ref": "other", "$id": 1},
    {"$date": 1},
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    DatetimeMS(-(2**62)),
    DatetimeMS(2**62),
    DatetimeMS(-62_167_219_200_000),
)
NAMES = (*TEXTS[:22], "a\tb", "Amount", "AMOUNT", "\u202eid", "x" * 5_000, "source", "reasons", "_id ", "more_fields")
# What is decoded by itself only, as bytes that no encoder makes: a text that is no UTF-8, and a name that is none.
BROKEN = (b"\x02bad\x00\x03\x00\x00\x00\xff\xfe\x00", b"\x10n\xff\xfe\x00\x01\x00\x00\x00")


def value(rng: random.Random, depth: int = 0) -> Any:
    """Any value at all."""
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(TEXTS)
    if kind < 0.65:
        return rng.choice(NUMBERS)
    if kind < 0.85 or depth > 3:
        return rng.choice(OTHERS)
    if kind < 0.88:
        return nested(rng.choice((50, 250, 300, 480)), in_lists=rng.random() < 0.5)
    if kind < 0.94:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES).replace("\0", ""): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def nested(depth: int, *, in_lists: bool) -> Any:
    """One value so many levels down."""
    layers: Any = 1
    for _ in range(depth):
        layers = [layers] if in_lists else {"a": layers}
    return layers


def deep_bytes(depth: int, *, in_lists: bool) -> bytes:
    """A field ``deep`` of so many levels, more than an encoder takes."""
    kind, name = (4, b"0") if in_lists else (3, b"a")
    document = b"\x05\x00\x00\x00\x00"
    for _ in range(depth):
        document = (
            (len(document) + 5 + len(name) + 2).to_bytes(4, "little") + bytes([kind]) + name + b"\0" + document + b"\0"
        )
    return bytes([kind]) + b"deep\0" + document


def with_elements(document: Mapping[str, Any], *elements: bytes) -> RawBSONDocument:
    """The document with BSON elements appended as they are."""
    body = bson.encode(document)[4:-1] + b"".join(elements)
    return RawBSONDocument((len(body) + 5).to_bytes(4, "little") + body + b"\0")


def documents(good: list[dict[str, Any]], number: int, seed: int) -> Iterator[RawBSONDocument]:
    """So many of them, each a good one that was spoilt: fields replaced, taken away and added."""
    rng = random.Random(seed)
    for index in range(number):
        document = dict(rng.choice(good))
        names = [name for name in document if name != "_id"]
        for name in rng.sample(names, rng.choice((0, 1, 1, 2, 5, len(names)))):
            if rng.random() < 0.3:
                del document[name]
            else:
                document[name] = value(rng)
        for _ in range(rng.choice((0, 1, 3))):
            document[rng.choice(NAMES).replace("\0", "")] = value(rng)
        if index % 500 == 0:
            document |= {f"column {count}": count for count in range(1_200)}
        elements = []
        if rng.random() < 0.1:
            elements.append(rng.choice(BROKEN))
        if index % 100 == 1:
            elements.append(deep_bytes(rng.choice((255, 600, 970, 1_100, 20_000)), in_lists=rng.random() < 0.5))
        yield with_elements(document, *elements)
