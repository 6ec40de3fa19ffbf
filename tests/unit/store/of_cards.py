"""What the store job makes of the events of ``tests/projects/cards``: run by ``test_another_project.py``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64

from fraudstream.core.kafka.resend import outgoing
from fraudstream.store import seeding
from fraudstream.store.aside import claimed
from fraudstream.store.records import Record, document, duplicate
from tests.events import decided

NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)
EVENT = (
    b'{"tx id": "a-1", "when": "2026-11-24T10:11:12.25+01:00", "money": {"paid": 0.1234567890123456789},'
    b' "card": {"number": "4000"}, "present": true, "Country": "BE", "country": null, "id": 5, "isFraud": "no"}'
)
LABELLED = EVENT[:-1] + b', "is fraud?": true}'


def record(topic: str, raw: bytes, offset: int = 9) -> Record:
    return Record(topic, 0, offset, NOW, b"4000", raw)


def test_documents_go_by_the_projects_id_and_label() -> None:
    stored = document(record("labels", LABELLED), NOW)
    assert (stored["_id"], stored["origin"], stored["is fraud?"]) == ("a-1", "history", True)
    assert stored["event_time"] == datetime(2026, 11, 24, 9, 11, 12, 250_000, tzinfo=UTC)
    assert stored["money"] == {"paid": Decimal128("0.1234567890123456789")}
    scored = document(record("scored", decided(EVENT)), NOW)
    assert (scored["_id"], scored["origin"]) == ("a-1", "live")
    assert duplicate(scored, EVENT, stored, NOW)["field"] == "tx id"
    assert document(record("labels", EVENT), NOW)["reason"].startswith("is fraud?: missing")
    odd = decided(EVENT).replace(b'"BE"', b"7")
    assert claimed(record("scored", odd), NOW) == {"_id": "a-1", "origin": "live", "enqueued_at": NOW}


def test_verdicts_have_their_own_names() -> None:
    raw = json.dumps({"id": "a-1", "label": 0, "observed_at": "2026-11-25T00:00:00Z"}).encode()
    stored = document(record("labels", raw), NOW)
    assert (stored["_id"], stored["label"]) == ("a-1", 0)
    assert document(record("labels", raw.replace(b'"a-1"', b"1")), NOW)["reason"].startswith("id: expected a text of 1")


def test_records_that_go_back_have_the_projects_key() -> None:
    assert outgoing("x", "labels", LABELLED).key == b"4000"
    raw = json.dumps({"id": "a-1", "label": 0, "observed_at": "2026-11-25T00:00:00Z"}).encode()
    assert outgoing("x", "labels", raw).key == b"a-1"


def counted(transaction: dict[str, Any]) -> dict[str, Any]:
    stored = bson.decode(bson.encode(transaction), bson.CodecOptions(tz_aware=True))
    rows: list[dict[str, Any]] = seeding.seed_table([stored]).to_pylist()
    return rows[0]


def test_documents_are_counted_by_the_projects_dimensions() -> None:
    row = counted(document(record("labels", LABELLED), NOW) | {"tries": Int64(3), "v.1": Int64(2)})
    assert (row["id"], row["fraud"], row["amount"]) == ("a-1", 1, pytest.approx(0.12345678901234568))
    assert [row[f"d{place}"] for place in range(5)] == ["BE", "true", "3", 2.0, None]
    assert seeding._PROJECTION is None
