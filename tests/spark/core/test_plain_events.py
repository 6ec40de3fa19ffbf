"""Most events are read by a reader of their own; it must take and refuse what the contract takes and refuses.

Compared with the contract's Python definition over values that differ from a good one in a few bytes: nearly all of
them stand at the border between the two readers, and between valid and not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.core.contract.event import AMOUNT, ID, LABEL, Event, parse_event
from fraudstream.core.contract.field_rules import as_double
from fraudstream.core.errors import EventError
from fraudstream.spark.functions import DIMENSION_COLUMNS
from fraudstream.spark.validation import validate
from tests.events import GOOD

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

pytestmark = pytest.mark.spark

COUNT = 6_000
PIECES = [
    *(piece.encode() for piece in ' \t\n"\\{}[]:,.-+eE0123456789aé'),
    b"null",
    b"true",
    b"1e3",
    b"-0",
    b"00",
    b'"x":1,',
    b'"score":0.5,',
    f'"{LABEL}":1,'.encode(),
    b'"note":"\\u00e9",',
    b'"note":{"a":[]},',
    f'"{ID}":7,'.encode(),
]


def mutated(rng: random.Random) -> bytes:
    """A good event in some order, with compact or wide separators, cut, widened or overwritten in up to two places."""
    fields = list((GOOD | {"merchant": "m-1", "seen": rng.choice([1, 2.25, True, None])}).items())
    if rng.random() < 0.3:
        rng.shuffle(fields)
    text = json.dumps(dict(fields), separators=rng.choice([(",", ":"), (", ", ": ")])).encode()
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        at = rng.randrange(len(text))
        until = at + rng.choice([0, 0, 1, 1, 2])
        text = text[:at] + rng.choice([b"", rng.choice(PIECES)]) + text[until:]
    return text


def numbered(rng: random.Random) -> bytes:
    """A good event with money and integers written in unusual ways."""
    money = rng.choice(["{:.2f}", "{:.17g}", "{:.3e}", "{:.0f}", "{:.20f}", "0{:.1f}", "{:.1f}0000", "-{:.2f}"])
    amount = money.format(rng.choice([0.0, 0.07, rng.uniform(0, 1e3), rng.uniform(0, 1e16), 2.0**53, 1e22]))
    integer = rng.choice(["0", "1", "7", str(10**17), str(2**63 - 1), str(2**63), "01", "1.0", "1e1", "-1", "-0"])
    return json.dumps(GOOD).replace("12.5", amount).replace(f'"{ID}": 1001000', f'"{ID}": {integer}').encode()


def read(raw: bytes) -> tuple[Event | None, str | None]:
    try:
        return parse_event(raw), None
    except EventError as error:
        return None, str(error)


def roles(event: Event) -> dict[str, Any]:
    """The fields of an event that have a role, as the readers in Spark name them."""
    counted = {column: event.value(name) for name, column in DIMENSION_COLUMNS.items()}
    return {"id": event.id, "amount": as_double(event.value(AMOUNT)), "label": event.label, **counted}


def rows_of(spark: SparkSession, values: Sequence[bytes]) -> list[Row]:
    records = spark.createDataFrame(
        [(number, bytearray(raw)) for number, raw in enumerate(values)], "number INT, value BINARY"
    )
    return sorted(validate(records).collect(), key=lambda row: row["number"])


@pytest.mark.parametrize("make", [mutated, numbered])
def test_readers_agree_with_the_contract(spark: SparkSession, make: Callable[[random.Random], bytes]) -> None:
    rng = random.Random(20261128)
    values = [make(rng) for _ in range(COUNT)]
    accepted = 0
    for raw, row in zip(values, rows_of(spark, values), strict=True):
        event, reason = read(raw)
        assert row["reason"] == reason, raw
        if event is None:
            continue
        accepted += 1
        assert row["event"].asDict() == roles(event), raw
        assert row["event_time"].astimezone(UTC) == event.time, raw
    assert COUNT / 10 < accepted < COUNT * 9 / 10
