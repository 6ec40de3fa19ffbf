"""A document store in memory with only the operations that the pages may use, filled as the store job fills one."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from fraudstream.core.contract.event import AMOUNT, ID, LABEL, RULES, TIME
from fraudstream.core.contract.field_rules import as_double, value_at
from fraudstream.core.contract.rollups import (
    ALL,
    AMOUNT_BIN,
    EVENT_DIMENSIONS,
    HOUR,
    MONTH_OF_YEAR,
    TIME_DIMENSIONS,
    WEEKDAY,
    rollup_id,
)
from fraudstream.core.documents.client import ALERTS, RECENT, REJECTED, ROLLUPS, TRANSACTIONS
from fraudstream.dashboards.data import fields
from fraudstream.dashboards.data.queries import Decision, decision_from
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.data.window import Window

_STATE = ("transactions", "frauds", "amount", "fraud_amount")


class MemoryCursor(list[dict[str, Any]]):
    """A query's documents, with the cursor's calls that the pages may use; a sort needs an index on its field."""

    indexed = ("rejected_at",)

    def sort(self, field: str, direction: int, /) -> MemoryCursor:  # type: ignore[override]
        assert field in self.indexed, f"no index serves a sort by {field}"
        return MemoryCursor(sorted(self, key=lambda document: document[field], reverse=direction < 0))

    def limit(self, number: int, /) -> MemoryCursor:
        return MemoryCursor(self[:number])


@dataclass
class MemoryCollection:
    """Finds by equality, ``$in`` and ranges; it refuses all other operations, which the pages may not use."""

    store: MemoryStore
    documents: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def find(self, filter: Mapping[str, Any], projection: Any = None, /) -> MemoryCursor:
        self.store.finds += 1
        if self.store.away:
            raise ServerSelectionTimeoutError("127.0.0.1:27017: connection refused")
        if isinstance(filter.get("_id"), Mapping):
            wanted = filter["_id"]["$in"]
            self.store.ids_asked_for += len(wanted)
            return MemoryCursor(self.documents[key] for key in wanted if key in self.documents)
        return MemoryCursor(document for document in self.documents.values() if _matches(document, filter))


@dataclass
class MemoryStore:
    """A database in memory; ``away`` makes every read fail as an unreachable server does."""

    away: bool = False
    finds: int = 0
    ids_asked_for: int = 0
    collections: dict[str, MemoryCollection] = field(default_factory=dict)

    def __getitem__(self, name: str, /) -> MemoryCollection:
        return self.collections.setdefault(name, MemoryCollection(self))

    def add_rollups(self, origin: str, transactions: Iterable[Mapping[str, Any]], *, by_minute: bool = False) -> None:
        """Roll transactions up into totals and, on request, minutes."""
        for transaction in transactions:
            for dimension, value in _dimensions(transaction).items():
                self._count("total", None, origin, dimension, value, transaction)
                midnight = transaction["event_time"].replace(hour=0, minute=0, second=0, microsecond=0)
                self._count("month", midnight.replace(day=1), origin, dimension, value, transaction)
                if dimension == ALL:
                    self._count("day", midnight, origin, dimension, value, transaction)
                if by_minute:
                    start = transaction["enqueued_at"].replace(second=0, microsecond=0)
                    self._count("minute", start, origin, dimension, value, transaction)

    def add_recent(self, transactions: Iterable[Mapping[str, Any]]) -> None:
        """Put the transactions into the ring, 250 slots for each partition."""
        for transaction in transactions:
            source = transaction["source"]
            key = f"{source['partition']}-{source['offset'] % 250}"
            self[RECENT].documents[key] = {**transaction, "_id": key}

    def add_documents(self, origin: str, transactions: Iterable[Mapping[str, Any]]) -> None:
        """Store the transactions themselves, and the frauds among the live ones as alerts."""
        for transaction in transactions:
            document = _stored(origin, transaction)
            self[TRANSACTIONS].documents[document["_id"]] = document
            if document.get("prediction"):
                self[ALERTS].documents[document["_id"]] = document

    def add_rejected(self, number: int, now: datetime) -> None:
        """Store rejected events, the newest first."""
        for index in range(number):
            raw = b'{"id": 7, "amount": "much"}' if index % 3 else bytes(range(200, 240))
            key = f"transactions/{index % 2}/{index // 2}"
            at = now - timedelta(minutes=index)
            name = "amount" if index % 3 else "value"
            self[REJECTED].documents[key] = {
                "_id": key,
                "reason": f"{name}: not what the contract says",
                "field": name,
                "raw": raw,
                "raw_bytes": len(raw),
                "raw_sha256": "0" * 64,
                "key": "7",
                "source": {"topic": "transactions", "partition": index % 2, "offset": index // 2},
                "enqueued_at": at,
                "rejected_at": at,
                "stored_at": at,
            }

    def copy(self) -> MemoryStore:
        """A store of its own with the same documents in it."""
        other = MemoryStore()
        for name, collection in self.collections.items():
            other[name].documents.update(collection.documents)
        return other

    def _count(
        self,
        period: str,
        start: datetime | None,
        origin: str,
        dimension: str,
        value: str,
        transaction: Mapping[str, Any],
    ) -> None:
        key = rollup_id(period, start, origin, dimension, value)
        named = {"_id": key, "period": period, "origin": origin, "dimension": dimension, "value": value}
        # Copied, since a store may share its documents with the one that it was copied from.
        document = dict(self[ROLLUPS].documents.get(key) or named | dict.fromkeys(_STATE, 0))
        self[ROLLUPS].documents[key] = document
        if start:
            document["start"] = start
        document["transactions"] += 1
        amount = as_double(value_at(transaction, RULES[AMOUNT].path))
        document["frauds"] += transaction["prediction"]
        document["amount"] += amount
        document["fraud_amount"] += amount * transaction["prediction"]


def _matches(document: Mapping[str, Any], filter: Mapping[str, Any]) -> bool:
    for name, wanted in filter.items():
        if isinstance(wanted, Mapping):
            assert set(wanted) <= {"$in", "$gte", "$lt", "$lte"}, f"the pages may not use {list(wanted)}"
            value = _at(document, name)
            if "$in" in wanted and value not in wanted["$in"]:
                return False
            if not _is_within(value, wanted):
                return False
        elif _at(document, name) != wanted:
            return False
    return True


def _at(document: Mapping[str, Any], name: str) -> Any:
    """A value by its path: as a store does, a dot leads into an object."""
    return value_at(document, name.split("."))


def _is_within(value: Any, bounds: Mapping[str, Any]) -> bool:
    compared = {"$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
    number = value if isinstance(value, datetime) else as_double(value)
    signs = [sign for sign in compared if sign in bounds]
    return not signs or (number is not None and all(compared[sign](number, bounds[sign]) for sign in signs))


def _dimensions(transaction: Mapping[str, Any]) -> dict[str, str]:
    at = transaction["event_time"]
    times = {HOUR: at.hour, WEEKDAY: at.isoweekday(), MONTH_OF_YEAR: at.month}
    counted = {
        ALL: ALL,
        **{name: fields.text_of(name, value_at(transaction, RULES[name].path)) for name in EVENT_DIMENSIONS},
        **{name: str(times[name]) for name in TIME_DIMENSIONS},
        AMOUNT_BIN: fields.text_of(AMOUNT_BIN, value_at(transaction, RULES[AMOUNT].path)),
    }
    return {name: value for name, value in counted.items() if value is not None}


def _stored(origin: str, transaction: Mapping[str, Any]) -> dict[str, Any]:
    """A transaction as the store job writes it, scored or labelled."""
    decided = ("prediction", "score", "threshold", "model_version", "latency_ms", "reasons")
    document = {**transaction, "_id": transaction[ID], "origin": origin, "stored_at": transaction["enqueued_at"]}
    form = RULES[TIME].time
    assert form is not None
    document[TIME] = form.write(transaction["event_time"])
    if origin == "live":
        delay = timedelta(milliseconds=transaction["latency_ms"])
        return document | {
            "scored_at": document["enqueued_at"] + delay / 2,
            "published_at": document["enqueued_at"] + delay,
        }
    return {name: value for name, value in document.items() if name not in decided} | {
        LABEL: bool(transaction["prediction"]) if RULES[LABEL].kind == "bool" else transaction["prediction"]
    }


def make_transactions(
    number: int, end: datetime, span: timedelta, seed: int, first_id: int = 1_001_000
) -> list[dict[str, Any]]:
    """Scored transactions spread over the span up to ``end``, oldest first, about one in ten a fraud."""
    rng = random.Random(seed)
    transactions: list[dict[str, Any]] = []
    places = sorted(rng.random() for _ in range(number))
    for index in range(number):
        fraud = rng.random() < 0.1
        place = places[index]
        # Traffic swells and ebbs a few times within the span.
        enqueued_at = end - span * (1 - place - 0.016 * math.sin(6 * math.pi * place))
        online = rng.random() < (0.42 if fraud else 0.3)
        mean, spread = ((200.0, 100.0) if rng.random() < 0.7 else (20.0, 5.0)) if fraud else (100.0, 50.0)
        amount = round(abs(rng.gauss(mean, spread)), 2)
        weights = (0.15, 0.1, 0.1, 0.1, 0.15, 0.2, 0.2) if fraud else (0.14,) * 5 + (0.16, 0.14)
        categories = (0.37, 0.07, 0.22, 0.22, 0.12) if fraud else (0.45, 0.15, 0.2, 0.15, 0.05)
        months = (11, 6, 6, 6, 6, 6, 11, 11, 6, 6, 12, 13)
        foreign = int(rng.random() < (0.2 if fraud else 0.1))
        fields = ["amount", "old_balance", "category_recipient", "day_of_week"]
        reasons = (["foreign_transaction"] if foreign else []) + rng.sample(fields, 2)
        transactions.append(
            {
                "id": first_id + index,
                "event_time": (end - timedelta(days=rng.random() * 365)).replace(microsecond=0),
                "enqueued_at": enqueued_at,
                "amount": amount,
                "old_balance": round(abs(rng.gauss(100_000, 50_000)), 2),
                "income": round(abs(rng.gauss(2000, 1000)), 2),
                "credit": rng.randrange(3),
                "marital_status": rng.randrange(2),
                "children": rng.randrange(5),
                "month": rng.choices(range(1, 13), months if fraud else None)[0],
                "day_of_week": rng.choices(RULES["day_of_week"].choices, weights)[0],
                "category_recipient": rng.choices(RULES["category_recipient"].choices, categories)[0],
                "transaction_type": "online" if online else "onsite",
                "transaction_method": "internet_payement"
                if online
                else rng.choices(RULES["transaction_method"].choices[1:], (7, 48, 38, 7) if fraud else (5, 55, 35, 5))[
                    0
                ],
                "foreign_transaction": foreign,
                "prediction": int(fraud),
                "score": rng.uniform(0.5, 0.99) if fraud else rng.betavariate(1, 14),
                "threshold": 0.5,
                "model_version": "3",
                "latency_ms": rng.lognormvariate(6.2, 0.35),
                "reasons": [
                    {"field": name, "contribution": contribution}
                    for name, contribution in zip(reasons, (2.1, 1.3, 0.6), strict=False)
                ]
                if fraud
                else [],
                "source": {"topic": "transactions", "partition": index % 2, "offset": index // 2},
            }
        )
    return transactions


@dataclass
class MemoryTail:
    """A tail of `scored` over a window in memory; with a ``problem`` it cannot be read."""

    window: Window = field(default_factory=Window)
    problem: str = ""
    caught_up: bool = True

    def look(self) -> TailView:
        return TailView(self.window.view(), self.problem, self.caught_up and not self.problem)


@dataclass
class Traffic:
    """A filled store, the topic's tail, and the transactions in both."""

    store: MemoryStore
    tail: MemoryTail
    now: datetime
    live: list[dict[str, Any]]
    history: list[dict[str, Any]]
    decisions: list[Decision]

    def copy(self) -> Traffic:
        """The same traffic in a store and a tail of their own."""
        tail = MemoryTail()
        tail.window.add(self.decisions)
        tail.window.complete_since(self.now - timedelta(hours=1))
        return replace(self, store=self.store.copy(), tail=tail)


def make_traffic(now: datetime, live: int = 3000, history: int = 2000, rejected: int = 30) -> Traffic:
    """An hour of live traffic and a labelled history, as the store job would have written them."""
    newest = make_transactions(live, now, timedelta(minutes=58), seed=7)
    labelled = make_transactions(history, now - timedelta(days=1), timedelta(days=300), seed=11, first_id=5_000_000)
    return stored_traffic(now, newest, labelled, rejected)


def stored_traffic(
    now: datetime, newest: list[dict[str, Any]], labelled: list[dict[str, Any]], rejected: int = 30
) -> Traffic:
    """These transactions in a store and in a window."""
    store, tail = MemoryStore(), MemoryTail()
    store.add_rollups("live", newest, by_minute=True)
    store.add_rollups("history", labelled)
    store.add_documents("live", newest)
    store.add_documents("history", labelled)
    store.add_recent(newest)
    store.add_rejected(rejected, now)
    decisions = [decision_from(row) for row in newest]
    tail.window.add(decisions)
    tail.window.complete_since(now - timedelta(hours=1))
    return Traffic(store, tail, now, newest, labelled, decisions)


@pytest.fixture(scope="session")
def made_traffic() -> Traffic:
    return make_traffic(datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC))


@pytest.fixture
def traffic(made_traffic: Traffic) -> Traffic:
    return made_traffic.copy()
