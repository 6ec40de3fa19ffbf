"""A document store in memory that knows only the operations the pages may use, filled as the store job fills one."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from fraudstream.core.documents import RECENT, ROLLUPS
from fraudstream.core.event import Category, DayOfWeek, Method
from fraudstream.core.rollups import ALL, AMOUNT_BIN, AMOUNT_EDGES, EVENT_DIMENSIONS, HOUR, amount_bins, rollup_id

_STATE = ("transactions", "frauds", "amount", "fraud_amount")


@dataclass
class MemoryCollection:
    """Finds by equality and ``$in`` alone; anything else is an operation that the contract does not have."""

    store: MemoryStore
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, filter: Mapping[str, Any], projection: Any = None, /) -> Iterable[Mapping[str, Any]]:
        self.store.finds += 1
        if self.store.away:
            raise ServerSelectionTimeoutError("127.0.0.1:27017: connection refused")
        return [document for document in self.documents.values() if _matches(document, filter)]


@dataclass
class MemoryStore:
    """A database in memory; ``away`` makes every read fail as an unreachable server does."""

    away: bool = False
    finds: int = 0
    collections: dict[str, MemoryCollection] = field(default_factory=dict)

    def __getitem__(self, name: str, /) -> MemoryCollection:
        return self.collections.setdefault(name, MemoryCollection(self))

    def add_rollups(self, origin: str, transactions: Iterable[Mapping[str, Any]], *, by_minute: bool = False) -> None:
        """Roll transactions up into totals and, on request, minutes."""
        for transaction in transactions:
            for dimension, value in _dimensions(transaction).items():
                self._count("total", None, origin, dimension, value, transaction)
                if by_minute:
                    start = transaction["enqueued_at"].replace(second=0, microsecond=0)
                    self._count("minute", start, origin, dimension, value, transaction)

    def add_recent(self, transactions: Iterable[Mapping[str, Any]]) -> None:
        """Put the transactions into the ring, 250 slots for each partition."""
        for transaction in transactions:
            source = transaction["source"]
            key = f"{source['partition']}-{source['offset'] % 250}"
            self[RECENT].documents[key] = {**transaction, "_id": key}

    def _count(
        self, period: str, start: datetime | None, origin: str, dimension: str, value: str, seen: Mapping[str, Any]
    ) -> None:
        key = rollup_id(period, start, origin, dimension, value)
        named = {"_id": key, "period": period, "origin": origin, "dimension": dimension, "value": value}
        document = self[ROLLUPS].documents.setdefault(key, named | dict.fromkeys(_STATE, 0))
        if start:
            document["start"] = start
        document["transactions"] += 1
        document["frauds"] += seen["prediction"]
        document["amount"] += seen["amount"]
        document["fraud_amount"] += seen["amount"] * seen["prediction"]


def _matches(document: Mapping[str, Any], filter: Mapping[str, Any]) -> bool:
    for name, wanted in filter.items():
        if isinstance(wanted, Mapping):
            assert list(wanted) == ["$in"], f"the pages may not use {list(wanted)}"
            if document.get(name) not in wanted["$in"]:
                return False
        elif document.get(name) != wanted:
            return False
    return True


def _dimensions(transaction: Mapping[str, Any]) -> dict[str, str]:
    amount_bin = max(index for index, edge in enumerate(AMOUNT_EDGES) if transaction["amount"] >= edge)
    fields = {name: str(transaction[name]) for name in EVENT_DIMENSIONS}
    hour = str(transaction["event_time"].hour)
    return {ALL: ALL, **fields, HOUR: hour, AMOUNT_BIN: amount_bins()[amount_bin]}


def make_transactions(number: int, end: datetime, span: timedelta, seed: int) -> list[dict[str, Any]]:
    """Scored transactions spread over the span up to ``end``, oldest first, about one in ten a fraud."""
    rng = random.Random(seed)
    made: list[dict[str, Any]] = []
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
        made.append(
            {
                "id": 1_001_000 + index,
                "event_time": end - timedelta(days=rng.random() * 365),
                "enqueued_at": enqueued_at,
                "amount": amount,
                "old_balance": round(abs(rng.gauss(100_000, 50_000)), 2),
                "income": round(abs(rng.gauss(2000, 1000)), 2),
                "credit": rng.randrange(3),
                "marital_status": rng.randrange(2),
                "children": rng.randrange(5),
                "month": rng.choices(range(1, 13), months if fraud else None)[0],
                "day_of_week": rng.choices(get_args(DayOfWeek), weights)[0],
                "category_recipient": rng.choices(get_args(Category), categories)[0],
                "transaction_type": "online" if online else "onsite",
                "transaction_method": "internet_payement"
                if online
                else rng.choices(get_args(Method)[1:], (7, 48, 38, 7) if fraud else (5, 55, 35, 5))[0],
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
    return made


@dataclass
class Traffic:
    """A filled store and the transactions in it."""

    store: MemoryStore
    now: datetime
    live: list[dict[str, Any]]
    history: list[dict[str, Any]]


def make_traffic(now: datetime, live: int = 3000, history: int = 2000) -> Traffic:
    """An hour of live traffic and a labelled history, as the store job would have written them."""
    store = MemoryStore()
    newest = make_transactions(live, now, timedelta(minutes=58), seed=7)
    labelled = make_transactions(history, now - timedelta(days=1), timedelta(days=300), seed=11)
    store.add_rollups("live", newest, by_minute=True)
    store.add_rollups("history", labelled)
    store.add_recent(newest)
    return Traffic(store, now, newest, labelled)


@pytest.fixture
def traffic() -> Traffic:
    return make_traffic(datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC))
