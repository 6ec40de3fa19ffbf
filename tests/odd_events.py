"""Events at the border of what can be kept: their names, numbers, texts, depths and sizes, from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.events import GOOD, named

NAMES = (
    "note",
    "",
    " ",
    "a",
    "a.b",
    ".",
    "a.$b",
    "$",
    "$set",
    "$schema",
    "$oid",
    "x\0y",
    "\0",
    "é",
    "\uffff",
    "\U0001f600",
    "Unnamed: 0",
    "id ",
    named("amount"),
    named("date"),
    named("credit"),
    named("isFraud"),
    "_id",
    "source",
    "score",
    "origin",
    "__proto__",
    "\ud800",
    "\udc00x",
    "n" * 70,
    "\U0001f600" * 70,
    "0",
    "-1",
    'a"b',
    "a\\b",
    "\t",
    "\u2028",
    "NaN",
)
TEXTS = (
    "",
    "x",
    "café",
    "\U0001f600" * 40,
    "\ud83d",
    "\udc00",
    "\0",
    'a"b',
    "\\",
    "\n",
    "$",
    "{",
    "[1",
    '"',
    "\ufffd",
    "\ufeff",
    "12.5",
    "monday",
    "24/11/2026 10:11:12",
    "31/02/2026 10:11:12",
    "24/11/2026 10:11:12\n",
    "x" * 300,
    "\x7f",
    "[/b]",
)
NUMBERS = (
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "-0e-5",
    "1",
    "-1",
    "12",
    "1.0",
    "1e3",
    "1E+3",
    "1e-3",
    "0.1",
    "0.10",
    "12.50",
    "1e22",
    "1e23",
    "9007199254740992",
    "9007199254740993",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "74537605259536043849425",
    "100000000000000000000",
    "1" + "0" * 40,
    "9" * 34,
    "9" * 35,
    "1." + "3" * 33,
    "1." + "3" * 34,
    "0.30000000000000004",
    "0.1234567890123456789",
    "12.300000000000001",
    "123456789.12345678",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "3.4028234663852886e38",
    "3.4028234663852887e38",
    "3.5e38",
    "1e39",
    "1e308",
    "1e309",
    "1e400",
    "1e-400",
    "5e-324",
    "4.9e-324",
    "2e-324",
    "2.2250738585072014e-308",
    "1e6144",
    "1e6145",
    "1e-6143",
    "1e-6144",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "0e99999999999999999999",
    "0." + "0" * 400 + "1",
    "1" * 400,
    "1" * 400 + ".5",
    "1e0000000000000000003",
    "5.684341886080801e-14",
    "5.684341886080802e-14",
    "9.5367431640625e-07",
    "2e-44",
    "1152921504606846976",
    "1152921504606847000",
)
NOT_JSON = (
    "NaN",
    "Infinity",
    "-Infinity",
    "+Infinity",
    "INF",
    "-INF",
    "nan",
    "01",
    "-01",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e+",
    "--1",
    "-",
    "0x1",
    "'x'",
    "tru",
    "True",
    "nul",
    "undefined",
    '"\\x"',
    '"\\u12"',
    '"\\u00ı1"',
    '"\t"',
    '"\x01"',
    '"',
    '"\\',
    "{",
    "[",
    "}",
    "]",
    "[,]",
    "[1,]",
    "[1 2]",
    "{,}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{1:2}",
    '{"a" 1}',
    "/**/1",
    "1 //x",
    "1_0",
    "1,2",
    "",
)


def text_of(value: Any, rng: random.Random) -> str:
    """A text as JSON, its characters as themselves or as escapes."""
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


def written(rng: random.Random, depth: int = 0) -> str:
    """Some JSON value, or what looks like one."""
    kind = rng.random()
    if kind < 0.03:
        return rng.choice(NOT_JSON)
    if kind < 0.4 or depth > 3:
        return rng.choice([*NUMBERS, "true", "false", "null"])
    if kind < 0.5:
        digits = "".join(rng.choices("0123456789", k=rng.choice([1, 5, 15, 16, 17, 18, 19, 20, 33, 34, 35])))
        point = rng.randrange(len(digits) + 1)
        number = f"{digits[:point].lstrip('0') or '0'}.{digits[point:] or '0'}"
        return rng.choice(["", "-"]) + number + rng.choice(["", "", "e5", "e-17", "E300", "e-310"])
    if kind < 0.6:
        return repr(
            rng.choice([rng.random(), rng.uniform(0, 1e6), 10 ** rng.uniform(-320, 308), float(rng.getrandbits(60))])
        )
    if kind < 0.75:
        return text_of(rng.choice(TEXTS), rng)
    if kind < 0.87:
        return "[" + rng.choice([",", ", "]).join(written(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    return "{" + ",".join(field(rng, depth + 1) for _ in range(rng.randrange(4))) + "}"


def field(rng: random.Random, depth: int = 0) -> str:
    return text_of(rng.choice(NAMES), rng) + rng.choice([":", ": ", " :\n"]) + written(rng, depth)


def nested(rng: random.Random) -> str:
    """A value of some depth, near the limits of our own and of others."""
    depth = rng.choice([1, 50, 97, 98, 99, 100, 101, 150, 250, 1100])
    opens, closes = rng.choice([("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")])
    return opens * depth + "1" + closes * (depth if rng.random() < 0.9 else depth - 1)


def odd_events(seed: int, count: int) -> Iterator[bytes]:
    """Events with something odd about nearly each of them; the same ones for the same seed."""
    rng = random.Random(seed)
    known = [(name, json.dumps(value)) for name, value in GOOD.items()]
    for number in range(count):
        fields = [(name, str(number) if name == named("id") else value) for name, value in known]
        kind = rng.random()
        if kind < 0.3:
            at = rng.randrange(len(fields))
            fields[at] = (fields[at][0], written(rng))
        elif kind < 0.33:
            del fields[rng.randrange(len(fields))]
        parts = [json.dumps(name) + ": " + value for name, value in fields]
        parts += [field(rng) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        if rng.random() < 0.05:
            parts.append('"deep": ' + nested(rng))
        if rng.random() < 0.2:
            rng.shuffle(parts)
        whole = ("{" + ", ".join(parts) + "}").encode("utf-8", "surrogatepass")
        if rng.random() < 0.06:
            cut = rng.randrange(len(whole))
            whole = (
                whole[:cut]
                + rng.choice([b"", b"\xff", b"\x00", b"\xed\xa0\x80", b"}", b'"', b",", b"1"])
                + whole[cut + rng.randrange(2) :]
            )
        yield whole
