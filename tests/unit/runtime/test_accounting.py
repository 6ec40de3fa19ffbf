"""Where events ended is counted from the topics and the documents: each once, and repeated ones apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.event import ID
from fraudstream.runtime import accounting

BEGAN = datetime(2026, 11, 30, tzinfo=UTC)


class Collection:
    """Documents by their ids, as far as they are counted."""

    def __init__(self, documents: dict[Any, dict[str, Any]]) -> None:
        self.documents = documents

    def find(self, query: dict[str, Any], _fields: dict[str, int]) -> Iterator[dict[str, Any]]:
        return (self.documents[key] for key in query["_id"]["$in"] if key in self.documents)

    def count_documents(self, query: dict[str, Any]) -> int:
        if "_id" in query:
            return sum(key in self.documents for key in query["_id"]["$in"])
        partition, offset = query["source.partition"], query["source.offset"]
        places = [key.split("/") for key in self.documents]
        return sum(int(place[1]) == partition and offset["$gte"] <= int(place[2]) < offset["$lt"] for place in places)


def decision(event_id: int, offset: int, prediction: int = 0) -> Any:
    """A record of `scored`, made from the record of `transactions` with that offset."""
    source = {"partition": 0, "offset": offset, "enqueued_at": BEGAN.isoformat()}
    value = orjson.dumps({ID: event_id, "prediction": prediction, "source": source})
    return SimpleNamespace(value=value, timestamp=BEGAN.timestamp() * 1000 + 40)


def summary(
    monkeypatch: pytest.MonkeyPatch, decisions: list[Any], stored: set[int], rejected: set[int], produced: int
) -> accounting.Summary:
    """Of so many produced records of a query that filters nothing; ``rejected``: their offsets."""
    database = {
        "transactions": Collection({key: {"prediction": 0} for key in stored}),
        "rejected": Collection({f"transactions/0/{offset}": {} for offset in rejected}),
    }
    monkeypatch.setattr(accounting.documents, "database", lambda _: database)
    monkeypatch.setattr(accounting, "_may_filter", lambda _: False)
    monkeypatch.setattr(accounting, "_read", lambda *_: iter(decisions))
    return accounting.summarise(load_settings(), {0: (0, produced)}, {}, BEGAN)


def test_an_event_that_its_sender_repeated_is_resent_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same event at two offsets is decided twice, stored once, and no other event."""
    told = summary(monkeypatch, [decision(1, 0), decision(2, 1), decision(1, 2)], {1, 2}, set(), 3)
    assert (told.produced, told.scored, told.stored, told.resent, told.redelivered) == (3, 2, 2, 1, 0)
    assert told.complete


def test_another_event_with_a_taken_id_is_rejected_and_not_resent(monkeypatch: pytest.MonkeyPatch) -> None:
    told = summary(monkeypatch, [decision(1, 0), decision(1, 1)], {1}, {1}, 2)
    assert (told.scored, told.rejected, told.resent) == (1, 1, 0)
    assert told.complete


def test_a_decision_that_came_twice_is_redelivered_and_not_resent(monkeypatch: pytest.MonkeyPatch) -> None:
    told = summary(monkeypatch, [decision(1, 0), decision(1, 0)], {1}, set(), 1)
    assert (told.scored, told.resent, told.redelivered) == (1, 0, 1)
    assert told.complete


def test_decisions_of_other_records_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told = summary(monkeypatch, [decision(1, 0), decision(1, 7)], {1}, set(), 1)
    assert (told.scored, told.resent, told.redelivered) == (1, 0, 0)


def test_a_resent_event_does_not_hide_one_that_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    told = summary(monkeypatch, [decision(1, 0), decision(1, 1)], {1}, set(), 3)
    assert told.resent == 1
    assert not told.complete
