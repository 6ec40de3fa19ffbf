"""Records become the documents that the contract describes; none makes the job fail."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fraudstream.store.records import Record, document, duplicate
from tests.events import GOOD, value

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
    return json.dumps(GOOD | decision | changes).encode()


def test_a_scored_record() -> None:
    made = document(record("scored", scored(merchant="café")), NOW)
    assert made["_id"] == made["id"] == GOOD["id"]
    assert made["origin"] == "live"
    assert made["merchant"] == "café"
    assert made["source"] == {"topic": "transactions", "partition": 1, "offset": 5}
    assert made["event_time"] == datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
    assert made["enqueued_at"] == datetime(2026, 11, 24, 10, 11, 13, 500_000, tzinfo=UTC)
    assert (made["published_at"], made["stored_at"]) == (AT, NOW)
    assert made["latency_ms"] == 500.0


def test_a_labelled_record() -> None:
    made = document(record("labels", value(isFraud=1)), NOW)
    assert (made["_id"], made["isFraud"], made["origin"], made["enqueued_at"]) == (GOOD["id"], 1, "history", AT)
    assert made["source"] == {"topic": "labels", "partition": 0, "offset": 9}
    assert "prediction" not in made


@pytest.mark.parametrize(
    ("raw", "field"),
    [(value(), "isFraud"), (value(isFraud=2), "isFraud"), (value(isFraud=1, amount="x"), "amount"), (b"", "value")],
)
def test_labels_that_break_the_contract_are_rejected(raw: bytes, field: str) -> None:
    made = document(record("labels", raw), NOW)
    assert (made["_id"], made["field"], made["raw"]) == ("labels/0/9", field, raw)
    assert made["reason"].startswith(f"{field}: ")


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
    made = document(record("rejected", json.dumps(envelope).encode()), NOW)
    assert made["_id"] == "transactions/1/5"
    assert (made["raw"], made["raw_bytes"], made["key"]) == (raw, 2, None)
    assert made["rejected_at"] == datetime(2026, 11, 24, 10, 11, 13, 750_000, tzinfo=UTC)


@pytest.mark.parametrize("topic", ["scored", "rejected", "labels", "unheard_of"])
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"{}", b'{"source": 1}', b"\xff"])
def test_what_cannot_be_read_is_rejected_and_not_raised(topic: str, raw: bytes) -> None:
    made = document(record(topic, raw), NOW)
    assert made["_id"] == f"{topic}/0/9"
    assert made["raw"] == raw


def test_a_duplicate_names_the_event_that_came_first() -> None:
    first = document(record("scored", scored()), NOW)
    second = document(record("scored", scored(source=SOURCE | {"offset": 8}, amount=99.0)), NOW)
    made = duplicate(second, first, NOW)
    assert made["_id"] == "transactions/1/8"
    assert made["reason"] == f"id: {GOOD['id']} is taken by the event at transactions/1/5"
    assert json.loads(made["raw"]) == GOOD | {"amount": 99.0}
