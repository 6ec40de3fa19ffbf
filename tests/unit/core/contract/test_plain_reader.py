"""The plain reader takes the usual events, and says of none but what the gate's own reader says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fraudstream.core.contract.event import FIELD_RULES, GATE, RESERVED_FIELDS
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.plain_reader import PlainReader
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from tests.events import GOOD, decided, named, value
from tests.odd_events import odd_events

PLAIN = PlainReader(FIELD_RULES, RESERVED_FIELDS, MAX_EVENT_BYTES)
COUNT = 6_000


class GivesUp:
    def read(self, _: bytes) -> None:
        return None

    read_decided = read


@pytest.fixture
def exact() -> Gate:
    """The gate with its own reader alone."""
    gate = Gate(FIELD_RULES, RESERVED_FIELDS, MAX_EVENT_BYTES)
    gate._plain = GivesUp()  # type: ignore[assignment]
    return gate


def verdict(read: Callable[[bytes], dict[str, Any]], raw: bytes) -> str:
    try:
        return repr(read(raw))
    except EventError as error:
        return str(error)


def test_it_reads_what_the_gates_own_reader_reads(exact: Gate) -> None:
    read = 0
    for raw in odd_events(20261130, COUNT):
        event = PLAIN.read(raw)
        read += event is not None
        assert event is None or repr(event) == verdict(exact.read, raw), raw
    assert COUNT / 20 < read < COUNT * 19 / 20


def test_the_same_of_events_with_a_decision(exact: Gate) -> None:
    for raw in odd_events(20261201, COUNT):
        if raw.endswith(b"}"):
            assert verdict(GATE.read_decided, decided(raw)) == verdict(exact.read_decided, decided(raw)), raw


ALERT = decided(
    value(), prediction=1, reasons=[{"field": "amount", "contribution": 1.5}, {"field": "é", "contribution": 0}]
)


@pytest.mark.parametrize(
    "raw",
    [
        decided(value()),
        decided(value(date="29/02/2024 10:11:12")),
        decided(json.dumps(GOOD, separators=(",", ":")).encode()),
        decided(json.dumps(dict(reversed(GOOD.items()))).encode()),
        decided(value(merchant="x", city=None, score_of_others=1.5)),
        decided(value(device={"os": "a", "v": [1, 2, {"date": True}]}, tags=["a", "b:c"])),
        decided(value(note="café \U0001f600", said='"so"')),
        decided(value(isFraud=1)),
        ALERT,
    ],
)
def test_it_reads_what_the_stream_job_makes_of_ordinary_events(raw: bytes, exact: Gate) -> None:
    assert PLAIN.read_decided(raw) == exact.read_decided(raw) == json.loads(raw)


@pytest.mark.parametrize("day", ["31/04/2026", "30/02/2026", "29/02/2026", "32/01/2026", "01/00/2026", "01/01/0000"])
def test_it_knows_the_days_that_there_are(day: str) -> None:
    assert PLAIN.read(value(date=f"{day} 10:11:12")) is None


@pytest.mark.parametrize(
    "raw",
    [
        value()[:-1] + f', "{named("amount")}": 99999}}'.encode(),
        value()[:-1] + b', "note": 1, "note": 1}',
        value()[:-1] + b', "note": 1, "not\\u0065": 1}',
        value()[:-1] + b', "x": [{"a": 1, "a": 1}]}',
        value()[:-1] + b', "\\u0024set": 1}',
        value()[:-1] + b', "x": {"a\\u0000": 1}}',
        value()[:-1] + b', "x": {"$a": 1}}',
        value()[:-1] + b', "x": 12345678901234567}',
        value()[:-1] + b', "x": [1e-400]}',
        value()[:-1] + b', "x": "' + b"x" * MAX_EVENT_BYTES + b'"}',
        value()[:-1] + b', "x": [' + b"0," * 200_000 + b"0]}",
        value()[:-1] + b', "score": 1}',
        value()[:-1],
        value() + b"}",
        value(amount=-1),
        b"",
    ],
)
def test_it_gives_up_on_anything_else(raw: bytes) -> None:
    assert PLAIN.read(raw) is None
    assert PLAIN.read_decided(decided(raw)) is None
