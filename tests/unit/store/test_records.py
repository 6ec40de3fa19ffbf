"""Records become the documents that the contract describes; none makes the job fail."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import bson
import pytest
from bson.decimal128 import Decimal128

from fraudstream.core.contract.event import AMOUNT, ID, LABEL, TIME
from fraudstream.store.records import Record, document, duplicate, is_verdict
from fraudstream.store.verdicts import latest
from tests.events import GOOD, decided, named, renamed, value

AT = datetime(2026, 11, 24, 10, 11, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)
SOURCE = {"topic": "transactions", "partition": 1, "offset": 5, "enqueued_at": "2026-11-24T10:11:13.500Z"}


def record(topic: str, raw: bytes, offset: int = 9) -> Record:
    return Record(topic, 0, offset, AT, b"1001000", raw)


def scored(**changes: Any) -> bytes:
    decision = {
        "event_time": "2026-11-24T10:11:12Z",
        "prediction": 1,
        "score": 0.9,
        "threshold": 0.5,
        "model_version": "3",
        "scored_at": "2026-11-24T10:11:13.750Z",
        "reasons": [{"field": "amount", "contribution": 1.0}],
        "source": dict(SOURCE),
    }
    return json.dumps(GOOD | decision | renamed(changes)).encode()


def test_a_scored_record() -> None:
    stored = document(record("scored", scored(merchant="café")), NOW)
    assert stored["_id"] == stored[ID] == GOOD[ID]
    assert stored["origin"] == "live"
    assert stored["merchant"] == "café"
    assert stored["source"] == {"topic": "transactions", "partition": 1, "offset": 5}
    assert stored["event_time"] == datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
    assert stored["enqueued_at"] == datetime(2026, 11, 24, 10, 11, 13, 500_000, tzinfo=UTC)
    assert (stored["published_at"], stored["stored_at"]) == (AT, NOW)
    assert stored["latency_ms"] == 500.0


def test_a_labelled_record() -> None:
    stored = document(record("labels", value(isFraud=1)), NOW)
    assert (stored["_id"], stored[LABEL], stored["origin"], stored["enqueued_at"]) == (GOOD[ID], 1, "history", AT)
    assert stored["source"] == {"topic": "labels", "partition": 0, "offset": 9}
    assert "prediction" not in stored


@pytest.mark.parametrize(
    ("raw", "field"),
    [(value(), LABEL), (value(isFraud=2), LABEL), (value(isFraud=1, amount="x"), AMOUNT), (b"", "value")],
)
def test_labels_that_break_the_contract_are_rejected(raw: bytes, field: str) -> None:
    stored = document(record("labels", raw), NOW)
    assert (stored["_id"], stored["field"], stored["raw"]) == ("labels/0/9", field, raw)
    assert stored["reason"].startswith(f"{field}: ")


def verdict(**changes: Any) -> bytes:
    return json.dumps({"id": 7, "label": 1, "observed_at": "2026-11-25T12:00:00.5+02:00"} | changes).encode()


def test_a_verdict_is_a_document_of_its_own() -> None:
    stored = document(record("labels", verdict(note="by phone")), NOW)
    assert is_verdict(stored)
    assert stored == {
        "_id": 7,
        "label": 1,
        "observed_at": datetime(2026, 11, 25, 10, 0, 0, 500_000, tzinfo=UTC),
        "stored_at": NOW,
        "source": {"topic": "labels", "partition": 0, "offset": 9},
    }
    escaped = verdict().replace(b"observed_at", b"\\u006fbserved_at")
    assert is_verdict(document(record("labels", escaped), NOW))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (verdict(id="x"), "id: expected an integer of 0 or more, got the text"),
        (verdict(id=None), "id: missing"),
        (verdict(label=2), "label: expected an integer from 0 to 1, got 2"),
        (verdict(label=True), "label: expected an integer from 0 to 1, got true"),
        (verdict(observed_at="yesterday"), "observed_at: expected a time of ISO 8601"),
        (verdict(observed_at=None), "observed_at: missing, expected a time of ISO 8601"),
        (b'{"label": 0, ' + verdict()[1:], "value: a field stands twice"),
        (verdict()[:-1], "value: not one JSON object"),
        (verdict(deep=[[]]).replace(b"[[]]", b"[" * 999 + b"]" * 999), "value: nested more than"),
    ],
)
def test_a_verdict_that_is_not_well_formed_is_rejected(raw: bytes, reason: str) -> None:
    stored = document(record("labels", raw), NOW)
    assert (stored["_id"], stored["field"], stored["raw"]) == ("labels/0/9", reason.split(":")[0], raw)
    assert stored["reason"].startswith(reason)


def test_an_event_with_a_field_of_that_name_is_history() -> None:
    stored = document(record("labels", value(isFraud=1, observed_at="2026-11-25T12:00:00Z")), NOW)
    assert (stored["origin"], is_verdict(stored)) == ("history", False)


def test_of_several_verdicts_the_latest_stays_in_any_order() -> None:
    verdicts = [
        document(record("labels", verdict(label=label, observed_at=at)), NOW)
        for label, at in ((1, "2026-11-25T12:00:00Z"), (0, "2026-11-26T12:00:00Z"), (1, "2026-11-26T13:00:00+02:00"))
    ]
    for order in permutations(verdicts):
        assert latest(order) == {7: verdicts[1]}


def test_a_row_that_many_records_led_to_is_rejected_at_its_own_place() -> None:
    raw = b'{"window_end":"2026-11-24T10:11:20.0000000Z","group":["a"]}'
    envelope = {
        "reason": "query: no bigint (line 1, column 8)",
        "field": "query",
        "raw_base64": base64.b64encode(raw).decode(),
        "raw_bytes": len(raw),
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "rejected_at": "2026-11-24T10:11:21.000Z",
    }
    given = record("rejected", json.dumps(envelope).encode())
    stored = document(given, NOW)
    assert stored["source"] == {"topic": "rejected", "partition": given.partition, "offset": given.offset}
    assert (stored["reason"], stored["field"], stored["raw"]) == (envelope["reason"], "query", raw)
    assert stored["enqueued_at"] == given.timestamp


def test_a_rejected_record() -> None:
    raw = b"\xff\x00"
    envelope = {
        "reason": "value: not UTF-8 text",
        "field": "value",
        "raw_base64": base64.b64encode(raw).decode(),
        "raw_bytes": 2,
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "key": None,
        "source": SOURCE,
        "rejected_at": "2026-11-24T10:11:13.750Z",
    }
    stored = document(record("rejected", json.dumps(envelope).encode()), NOW)
    assert stored["_id"] == "transactions/1/5"
    assert (stored["raw"], stored["raw_bytes"], stored["key"]) == (raw, 2, None)
    assert stored["rejected_at"] == datetime(2026, 11, 24, 10, 11, 13, 750_000, tzinfo=UTC)


@pytest.mark.parametrize("topic", ["scored", "rejected", "labels", "unheard_of"])
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"{}", b'{"source": 1}', b"\xff"])
def test_what_cannot_be_read_is_rejected_and_not_raised(topic: str, raw: bytes) -> None:
    stored = document(record(topic, raw), NOW)
    assert stored["_id"] == f"{topic}/0/9"
    assert stored["raw"] == raw


def test_a_duplicate_names_the_event_that_came_first() -> None:
    first = document(record("scored", scored()), NOW)
    again = record("scored", scored(source=SOURCE | {"offset": 8}, amount=99.0))
    rejection = duplicate(document(again, NOW), value(amount=99.0), first, NOW)
    assert rejection["_id"] == "transactions/1/8"
    assert rejection["reason"] == f"{ID}: {GOOD[ID]} is taken by the event at transactions/1/5"
    assert json.loads(rejection["raw"]) == GOOD | {AMOUNT: 99.0}


def own(raw: bytes, **decision: Any) -> Record:
    """The record of `scored` as the stream job makes it: the event's own text, and the decision after it."""
    return record("scored", decided(raw, **decision))


EXACT = {
    b"74537605259536043849425": Decimal128("74537605259536043849425"),
    b"18446744073709551615": Decimal128("18446744073709551615"),
    b"9223372036854775807": 2**63 - 1,
    b"9223372036854775808": Decimal128("9223372036854775808"),
    b"-9223372036854775809": Decimal128("-9223372036854775809"),
    b"0.1234567890123456789": Decimal128("0.1234567890123456789"),
    b"0.30000000000000004": 0.30000000000000004,
    b"1e400": Decimal128("1E+400"),
    b"-0.0": -0.0,
    b"12.50": 12.5,
}


@pytest.mark.parametrize("written", EXACT)
@pytest.mark.parametrize("topic", ["scored", "labels"])
def test_numbers_of_unknown_fields_keep_all_their_digits(written: bytes, topic: str) -> None:
    raw = value(isFraud=1)[:-1] + b', "arn": ' + written + b', "all": [{"n": ' + written + b"}]}"
    stored = document(own(raw) if topic == "scored" else record(topic, raw), NOW)
    assert stored["arn"] == stored["all"][0]["n"] == EXACT[written]
    assert type(stored["arn"]) is type(EXACT[written])
    assert bson.decode(bson.encode(stored))["arn"] == EXACT[written]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (value(id="x", amount="abc"), f"{ID}: expected an integer of 0 or more, got the text"),
        (value(id=8, amount=-5), f"{AMOUNT}: expected a finite number from 0 to"),
        (f'{{"{ID}": 7, '.encode() + value(id=8)[1:], "value: a field stands twice"),
        (value(without="date"), f"{TIME}: missing"),
        (value(date="31/02/2026 10:11:12"), f"{TIME}: expected a date"),
        (value(day_of_week="someday"), f"{named('day_of_week')}: expected one of"),
        (value(isFraud=2), f"{LABEL}: expected an integer from 0 to 1, got 2"),
        (value()[:-1] + b', "note": 1, "note": 2}', "value: a field stands twice"),
        (value()[:-1] + b', "x": {"a": 1, "a": 2}}', "value: a field stands twice"),
        (value(score=1), "value: a field stands twice"),
        (value(x=[[]] * 165_000), "value: a document of"),
    ],
)
@pytest.mark.parametrize("added", [{}, {"latency_ms": 1.0}])
def test_a_scored_record_that_somebody_else_wrote_keeps_the_contract(
    raw: bytes, reason: str, added: dict[str, Any]
) -> None:
    written = own(raw, **added)
    assert document(own(value()), NOW)["_id"] == GOOD[ID]
    stored = document(written, NOW)
    assert (stored["_id"], stored["field"], stored["raw_bytes"]) == (
        "scored/0/9",
        "cannot be written",
        len(written.value),
    )
    assert stored["reason"].startswith(f"cannot be written: {reason}")
    assert "origin" not in stored


@pytest.mark.parametrize("tail", [f'"{ID}":8,'.encode(), b'"score":0.9,', f'"{AMOUNT}":99999,'.encode()])
def test_a_decision_changes_nothing_of_its_event(tail: bytes) -> None:
    raw = decided(value()).replace(b'"prediction"', tail + b'"prediction"')
    stored = document(record("scored", raw), NOW)
    assert stored["reason"] == "cannot be written: value: a field stands twice"


def test_a_records_event_is_what_its_sender_wrote() -> None:
    raw = value(note="café", more=[1, {"event_time": "x"}])
    assert own(raw).event == raw
    assert record("labels", raw).event == raw


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'"$schema": 1', "$schema"),
        (b'"x": {"a": {"$oid": 1}}', "x"),
        (b'"n\\u0000": 1', "n\0"),
        (b'"arn": ' + b"7" * 35, "arn"),
        (b'"urn:pan": ' + b"7" * 40, "urn:pan"),
        (b'":": ' + b"7" * 40, ":"),
        (b'"x": ' + b"[" * 150 + b"]" * 150, "value"),
        (b'"x": {"a": 1, "a": 2}', "value"),
        (b'"x": "\\ud800"', "value"),
    ],
)
def test_labels_stand_before_the_same_gate(raw: bytes, field: str) -> None:
    stored = document(record("labels", value(isFraud=1)[:-1] + b", " + raw + b"}"), NOW)
    assert (stored["_id"], stored["field"]) == ("labels/0/9", field)
    assert stored["reason"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("topic", "raw"),
    [
        ("scored", b"{}"),
        ("scored", b"[" * 5000),
        ("scored", value()),
        ("scored", scored(source=None)),
        (
            "scored",
            scored(source={"topic": 5, "partition": "0", "offset": True, "enqueued_at": "2026-11-24T10:11:13Z"}),
        ),
        ("scored", scored(source=SOURCE | {"enqueued_at": "+99999-01-01"})),
        ("scored", scored(source=SOURCE | {"enqueued_at": "0001-01-01T00:00:00+23:00"})),
        ("scored", scored(source=SOURCE | {"topic": "x" * 250})),
        ("scored", scored(source=SOURCE | {"offset": 2**70})),
        ("scored", scored(id=True)),
        ("scored", scored(prediction=7)),
        ("scored", scored(prediction=True)),
        ("scored", scored(score="0.5")),
        ("scored", scored(reasons={})),
        ("scored", scored(amount=None)),
        ("scored", scored(**{"$set": 1})),
        ("rejected", b"null"),
        (
            "rejected",
            json.dumps({"reason": 5, "field": [], "source": SOURCE, "raw_base64": "", "raw_bytes": 1}).encode(),
        ),
        ("rejected", json.dumps({"reason": "", "field": "", "source": SOURCE, "raw_base64": "%%"}).encode()),
        ("other", b"\x00"),
    ],
)
def test_what_others_write_to_our_topics_never_raises(topic: str, raw: bytes) -> None:
    stored = document(record(topic, raw), NOW)
    assert stored["_id"] == f"{topic}/0/9"
    assert stored["raw"] == raw
    assert "origin" not in stored
    assert len(bson.encode(stored)) < 2_000_000


@pytest.mark.parametrize("key", [b"k" * 1_150_000, b"\x01" * 350_000, b"\xff\x00", b"\x01" * 1024, "é".encode() * 2000])
@pytest.mark.parametrize("size", [10, 2 * 1024 * 1024])
def test_rejected_documents_are_far_below_what_stores_take(key: bytes, size: int) -> None:
    stored = document(Record("labels", 0, 9, AT, key, b"x" * size), NOW)
    assert len(bson.encode(stored)) < 300_000
    assert stored["raw_bytes"] == size
    if stored["key"] is None:
        assert (stored["key_raw"], stored["key_bytes"]) == (key[:1024], len(key))
    else:
        assert stored["key"].encode() == key
