"""The store job's writer against the real store: the first event with an id wins, and writing again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.throttling import Encoded, WriteLimits, upsert_all
from fraudstream.store import writer
from fraudstream.store.aside import Withdrawals
from fraudstream.store.records import Record
from fraudstream.store.writer import DocumentWriter, Written
from tests.events import GOOD, value
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)
HOUR = 3_600


@pytest.fixture
def db(store: Running, settings: Settings) -> Iterator[Database[documents.Document]]:
    database = documents.database(settings)
    yield database
    for collection in documents.COLLECTIONS:
        database[collection.name].delete_many({})


def scored(number: int, offset: int, prediction: int = 0, at: int = 0, **changes: Any) -> Record:
    source = {"topic": "transactions", "partition": 0, "offset": offset, "enqueued_at": "2026-11-24T10:11:13.000Z"}
    decision = {
        "event_time": "2026-11-24T10:11:12Z",
        "prediction": prediction,
        "score": 0.9 if prediction else 0.1,
        "threshold": 0.5,
        "model_version": "1",
        "scored_at": "2026-11-24T10:11:13.100Z",
        "reasons": [],
        "source": source,
    }
    return Record("scored", 0, at or offset, NOW, None, json.dumps(GOOD | {"id": number} | decision | changes).encode())


def contents(db: Database[documents.Document]) -> dict[str, dict[Any, Any]]:
    return {c.name: {document["_id"]: document for document in db[c.name].find()} for c in documents.COLLECTIONS}


def test_transactions_alerts_and_recent(db: Database[documents.Document]) -> None:
    written = DocumentWriter(db).write([scored(1, 0), scored(2, 1, prediction=1)], NOW)
    stored = contents(db)
    assert written == Written(transactions=2, redelivered=0, rejected=0)
    assert sorted(stored["transactions"]) == [1, 2]
    assert list(stored["alerts"]) == [2]
    assert {document["id"] for document in stored["recent"].values()} == {1, 2}
    assert stored["transactions"][1]["stored_at"] == NOW


def test_writing_a_batch_again_changes_nothing(db: Database[documents.Document]) -> None:
    records = [scored(n, n, prediction=n % 2) for n in range(50)]
    records.append(Record("labels", 0, 0, NOW, None, value(id=900, isFraud=1)))
    DocumentWriter(db).write(records, NOW)
    before = contents(db)
    written = DocumentWriter(db).write(records, NOW)
    assert (written.transactions, written.redelivered) == (0, 51)
    assert contents(db) == before


def verdict(number: int, label: int, day: int, at: int) -> Record:
    body = {"id": number, "label": label, "observed_at": f"2026-11-{day}T10:00:00Z"}
    return Record("labels", 0, at, NOW, None, json.dumps(body).encode())


@pytest.mark.parametrize("together", [True, False])
def test_the_latest_verdict_stands_in_whatever_order_and_however_often_they_come(
    db: Database[documents.Document], together: bool
) -> None:
    verdicts = [
        verdict(1, 1, 20, 0),
        verdict(1, 0, 22, 1),
        verdict(1, 1, 21, 2),
        verdict(2, 0, 20, 3),
        verdict(2, 1, 20, 4),
    ]
    for order in (verdicts, verdicts[::-1]):
        for some in [order] if together else [[record] for record in order]:
            written = DocumentWriter(db).write(some, NOW)
            assert written == Written(transactions=0, redelivered=0, rejected=0)
        stored = contents(db)
        assert {
            number: (document["label"], document["source"]["offset"]) for number, document in stored["verdicts"].items()
        } == {
            1: (0, 1),
            2: (1, 4),
        }
        assert not stored["transactions"]
    # It may come before its transaction, and takes no id from it.
    assert DocumentWriter(db).write([scored(1, 0), verdict(1, 1, 23, 9)], NOW).transactions == 1
    assert db.verdicts.find_one({"_id": 1})["label"] == 1


def test_the_first_decision_stands(db: Database[documents.Document]) -> None:
    DocumentWriter(db).write([scored(1, 0, prediction=0)], NOW)
    DocumentWriter(db).write([scored(1, 0, prediction=1, at=77)], NOW)
    stored = contents(db)
    assert stored["transactions"][1]["prediction"] == 0
    assert stored["alerts"] == {}


def test_a_redelivered_event_keeps_all_of_its_first_decision(db: Database[documents.Document]) -> None:
    DocumentWriter(db).write([scored(1, 0, prediction=1)], NOW)
    first = contents(db)
    DocumentWriter(db).write([scored(1, 0, prediction=0, at=77), scored(2, 1)], NOW)
    stored = contents(db)
    assert stored["transactions"][1] == first["transactions"][1]
    assert stored["alerts"] == first["alerts"]
    assert {document["score"] for document in stored["recent"].values() if document["id"] == 1} == {0.9}


@pytest.mark.parametrize("together", [True, False])
def test_another_event_with_the_same_id_is_rejected(db: Database[documents.Document], together: bool) -> None:
    first, second = scored(1, 5), scored(1, 9, amount=999.0)
    for batch in [[first, second]] if together else [[first], [second]]:
        DocumentWriter(db).write(batch, NOW)
    stored = contents(db)
    assert stored["transactions"][1]["amount"] == GOOD["amount"]
    assert stored["rejected"]["transactions/0/9"]["reason"] == "id: 1 is taken by the event at transactions/0/5"


@pytest.mark.parametrize("together", [True, False])
def test_the_same_event_from_another_place_changes_nothing_and_is_counted(
    db: Database[documents.Document], together: bool
) -> None:
    first, second = (
        scored(1, 5, prediction=1, note=[1, {"a": 2**40}]),
        scored(1, 9, prediction=0, note=[1, {"a": 2**40}]),
    )
    batches = [[first, second]] if together else [[first], [second]]
    written = [DocumentWriter(db).write(batch, NOW) for batch in batches]
    assert sum(part.transactions for part in written) == sum(part.redelivered for part in written) == 1
    stored = contents(db)
    assert stored["rejected"] == {}
    assert (stored["transactions"][1]["prediction"], stored["transactions"][1]["source"]["offset"]) == (1, 5)
    assert [document["source"]["offset"] for document in stored["recent"].values()] == [5]
    # A truth value is no number, and a missing field no null.
    DocumentWriter(db).write([scored(1, 11, note=[True, {"a": 2**40}]), scored(1, 13)], NOW)
    assert sorted(contents(db)["rejected"]) == ["transactions/0/11", "transactions/0/13"]


def test_records_of_a_topic_made_anew_are_not_taken_for_those_of_the_former_one(
    db: Database[documents.Document],
) -> None:
    def decision(offset: int, day: int, **changes: Any) -> Record:
        source = {"topic": "transactions", "partition": 0, "offset": offset}
        return scored(1, offset, source=source | {"enqueued_at": f"2026-11-{day}T10:11:13.000Z"}, **changes)

    def rejected(offset: int, day: int) -> Record:
        source = {"topic": "transactions", "partition": 0, "offset": offset}
        envelope = {
            "reason": f"amount: odd on day {day}",
            "field": "amount",
            "raw_base64": "e30=",
            "raw_bytes": 2,
            "raw_sha256": "x",
            "rejected_at": "2026-11-24T10:11:13.100Z",
            "source": source | {"enqueued_at": f"2026-11-{day}T10:11:13.000Z"},
        }
        return Record("rejected", 0, day, NOW, None, json.dumps(envelope).encode())

    for _ in range(2):
        DocumentWriter(db).write([decision(0, 24), rejected(1, 24)], NOW)
        DocumentWriter(db).write([decision(0, 25, amount=999.0), rejected(1, 25)], NOW)
        stored = contents(db)
        assert stored["transactions"][1]["amount"] == GOOD["amount"]
        assert {number: document["reason"] for number, document in stored["rejected"].items()} == {
            "transactions/0/0": "id: 1 is taken by the event at transactions/0/0",
            "transactions/0/1": "amount: odd on day 24",
            "transactions/0/1@2026-11-25T10:11:13.000+00:00": "amount: odd on day 25",
        }


def test_what_cannot_be_stored_is_rejected_and_the_rest_is_stored(db: Database[documents.Document]) -> None:
    written = DocumentWriter(db).write([scored(1, 0), scored(2, 1, **{"a\0b": 1}), scored(3, 2)], NOW)
    stored = contents(db)
    assert written == Written(transactions=2, redelivered=0, rejected=1)
    assert sorted(stored["transactions"]) == [1, 3]
    assert stored["rejected"]["scored/0/1"]["reason"].startswith("cannot be written: a\0b: ")


def test_a_document_that_the_store_refuses_is_found_and_the_rest_is_written(db: Database[documents.Document]) -> None:
    encoded = [Encoded.of({"_id": number, "$fee" if number == 700 else "fee": 1}) for number in range(1_500)]
    refused = upsert_all(db.recent, encoded, WriteLimits())
    assert [refusal.document.id for refusal in refused] == [700]
    assert "code 2: illegal update" in refused[0].reason
    assert db.recent.count_documents({}) == 1_499


def test_an_event_that_another_unique_index_refuses_is_set_aside(db: Database[documents.Document]) -> None:
    db.transactions.create_index("merchant", unique=True)
    withdrawn: list[Any] = []
    refused = scored(2, 1, merchant="a")
    try:
        writer = DocumentWriter(db, withdrawals=Withdrawals(withdrawn.extend, HOUR))
        writer.write([scored(1, 0, merchant="a"), refused, scored(3, 2, merchant="b")], NOW)
    finally:
        db.transactions.drop()
    assert db.rejected.find_one({"_id": "transactions/0/1"})["reason"].startswith("cannot be written: code 11000: ")
    assert {document["id"] for document in db.recent.find()} == {1, 3}
    assert withdrawn == [refused]


def test_an_event_whose_id_is_stored_goes_on_counting(db: Database[documents.Document]) -> None:
    withdrawn: list[Any] = []
    writer = DocumentWriter(db, withdrawals=Withdrawals(withdrawn.extend, HOUR))
    writer.write([scored(1, 0)], NOW)
    writer.withdraw([scored(1, 0), scored(1, 5), scored(2, 6)], NOW)
    assert withdrawn == [scored(2, 6)]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("source", ["its own", "another place", "another event's"])
def test_a_later_delivery_counts_no_more_than_the_first_one(
    db: Database[documents.Document], together: bool, source: str
) -> None:
    withdrawn: list[Any] = []
    writer = DocumentWriter(db, withdrawals=Withdrawals(withdrawn.extend, HOUR))
    # NOW is 10:11:15: the state of the rollups knows an id until 11:00.
    offsets = [0] * 4 if source == "its own" else range(4)
    minutes = (0, 48, 49, 200)
    amounts = range(4) if source == "another event's" else [0] * 4
    records = [
        replace(scored(1, offset, at=10 + place, amount=amount), timestamp=NOW + timedelta(minutes=minute))
        for place, (offset, minute, amount) in enumerate(zip(offsets, minutes, amounts, strict=True))
    ]
    for some in [records] if together else [[record] for record in records]:
        writer.write(some, NOW)
    assert withdrawn == records[2:]
    assert db.transactions.count_documents({}) == 1
    assert db.rejected.count_documents({}) == (3 if source == "another event's" else 0)


def labelled(number: int, at: int) -> Record:
    return Record("labels", 0, at, NOW, None, json.dumps(GOOD | {"id": number, "isFraud": 1}).encode())


@pytest.mark.parametrize("together", [True, False])
def test_an_event_under_an_id_of_the_other_origin_counts_no_more(
    db: Database[documents.Document], together: bool
) -> None:
    withdrawn: list[Any] = []
    writer = DocumentWriter(db, withdrawals=Withdrawals(withdrawn.extend, HOUR))
    first, second, third = scored(1, 0), labelled(1, 7), scored(1, 5)
    for some in [[first, second, third]] if together else [[first], [second], [third]]:
        writer.write(some, NOW)
    # The third is the first one again.
    assert set(contents(db)["rejected"]) == {"labels/0/7"}
    # Of one origin the rollups count an id once by themselves.
    assert withdrawn == [second]


def test_a_decision_that_no_document_can_hold_counts_no_more(db: Database[documents.Document]) -> None:
    withdrawn: list[Any] = []
    odd = scored(2, 1, reasons=[{"a\0b": 1.0}])
    writer = DocumentWriter(db, withdrawals=Withdrawals(withdrawn.extend, HOUR))
    written = writer.write([scored(1, 0), odd], NOW)
    assert (written.transactions, written.rejected) == (1, 1)
    assert withdrawn == [odd]


def test_an_id_that_a_document_without_a_source_has_is_taken(db: Database[documents.Document]) -> None:
    db.transactions.insert_one({"_id": 1, "note": "put in by hand"})
    written = DocumentWriter(db).write([scored(1, 0), scored(2, 1)], NOW)
    assert (written.transactions, written.rejected) == (1, 1)
    (rejected,) = db.rejected.find()
    assert rejected["reason"] == "id: 1 is taken by a document that no record was the source of"


def test_numbers_of_an_envelope_that_no_store_holds_are_set_aside(db: Database[documents.Document]) -> None:
    source = {"topic": "transactions", "partition": 0, "offset": 0, "enqueued_at": "2026-11-24T10:11:13.000Z"}
    envelope = {"reason": "id: odd", "field": "id", "raw_base64": "e30=", "raw_bytes": 2, "raw_sha256": "x"}
    envelope |= {"rejected_at": "2026-11-24T10:11:13.100Z", "source": source}
    odd = [
        envelope | {"raw_bytes": 2**63},
        envelope | {"source": source | {"offset": 2**63}},
        envelope | {"key_base64": "a2V5", "key_bytes": 2**70},
    ]
    records = [Record("rejected", 0, at, NOW, None, json.dumps(envelope).encode()) for at, envelope in enumerate(odd)]
    records.append(scored(2, 2, source=source | {"offset": 2**63}))
    assert DocumentWriter(db).write([*records, scored(1, 0)], NOW).transactions == 1
    assert set(contents(db)["rejected"]) == {"rejected/0/0", "rejected/0/1", "rejected/0/2", "scored/0/2"}


def test_large_events_are_written_a_few_at_a_time(
    db: Database[documents.Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHUNK_BYTES", 2_000_000)
    held: list[int] = []

    class Watched(DocumentWriter):
        def reject(self, rejected: Any) -> None:
            held.append(len(contents(db)["transactions"]))
            super().reject(rejected)

    written = Watched(db).write([scored(number, number, note="x" * 500_000) for number in range(12)], NOW)
    assert written.transactions == 12
    assert held[:4] == [3, 6, 6, 9]
    assert {document["id"] for document in db.recent.find()} == set(range(12))


def test_recent_stays_a_ring(db: Database[documents.Document]) -> None:
    DocumentWriter(db).write([scored(n, n) for n in range(documents.RECENT_SLOTS + 30)], NOW)
    recent = contents(db)["recent"]
    assert len(recent) == documents.RECENT_SLOTS
    assert min(document["id"] for document in recent.values()) == 30


def test_names_with_dots_take_their_slots_of_recent_as_others_do(db: Database[documents.Document]) -> None:
    for start in (0, documents.RECENT_SLOTS):
        records = [
            scored(n, n, **{"merchant.name": str(n), "": 0, "a.$b": {"c.d": 1}})
            for n in range(start, start + documents.RECENT_SLOTS)
        ]
        DocumentWriter(db).write(records, NOW)
    stored = contents(db)
    assert not stored["rejected"]
    assert {document["merchant.name"] for document in stored["recent"].values()} == {
        str(n) for n in range(documents.RECENT_SLOTS, 2 * documents.RECENT_SLOTS)
    }


def test_the_newest_of_a_batch_keeps_its_slot_of_recent(db: Database[documents.Document]) -> None:
    later = scored(1, 50 + documents.RECENT_SLOTS)
    DocumentWriter(db).write([later, scored(2, 50)], NOW)
    assert [document["id"] for document in contents(db)["recent"].values()] == [1]


def test_alerts_stay_bounded(db: Database[documents.Document]) -> None:
    for start in range(0, documents.ALERTS_KEPT + 1_000, 1_000):
        at = datetime(2026, 11, 24, 10, 11, start // 1_000, tzinfo=UTC).isoformat()
        source = {"topic": "transactions", "partition": 0, "enqueued_at": at}
        records = [scored(n, n, prediction=1, source=source | {"offset": n}) for n in range(start, start + 1_000)]
        writer = DocumentWriter(db)
        writer.write(records, NOW)
        writer.prune_alerts()
    kept = contents(db)["alerts"]
    assert documents.ALERTS_KEPT - 1_000 <= len(kept) <= documents.ALERTS_KEPT + 500
    assert max(kept) == documents.ALERTS_KEPT + 999


def test_alerts_of_one_moment_are_not_pruned_together(
    db: Database[documents.Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraudstream.store.writer.ALERTS_KEPT", 5)
    monkeypatch.setattr("fraudstream.store.writer._PRUNE_SURPLUS", 3)
    times = ["2026-11-24T10:11:00Z", *["2026-11-24T10:11:01Z"] * 7, "2026-11-24T10:11:02Z"]
    source = {"topic": "transactions", "partition": 0}
    records = [
        scored(n, n, prediction=1, source=source | {"offset": n, "enqueued_at": at}) for n, at in enumerate(times)
    ]
    writer = DocumentWriter(db)
    writer.write(records, NOW)
    writer.prune_alerts()
    assert sorted(contents(db)["alerts"]) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_alerts_of_others_without_a_time_stop_no_pruning(
    db: Database[documents.Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraudstream.store.writer.ALERTS_KEPT", 2)
    monkeypatch.setattr("fraudstream.store.writer._PRUNE_SURPLUS", 1)
    writer = DocumentWriter(db)
    writer.write([scored(1, 1, prediction=1)], NOW)
    db["alerts"].insert_many([{"_id": "a"}, {"_id": "b", "enqueued_at": "yesterday"}, {"_id": "c"}])
    writer.prune_alerts()
    assert set(contents(db)["alerts"]) == {1, "a", "b", "c"}
