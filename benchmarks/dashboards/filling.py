"""A document store with a million transactions, their rollups and the newest decisions, in the store job's shapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pymongo.database import Database

from fraudstream.core.documents import ALERTS, ALERTS_KEPT, RECENT, RECENT_SLOTS, REJECTED, ROLLUPS, TRANSACTIONS
from fraudstream.core.event import Category, DayOfWeek, Method
from fraudstream.core.rollups import ALL, AMOUNT_BIN, AMOUNT_EDGES, EVENT_DIMENSIONS, HOUR, amount_bins, rollup_id

_BATCH = 5_000
_DAYS = DayOfWeek.__args__  # type: ignore[attr-defined]
_CATEGORIES = Category.__args__  # type: ignore[attr-defined]
_METHODS = Method.__args__  # type: ignore[attr-defined]
Document = dict[str, Any]


def transactions(
    number: int, first_id: int, origin: str, end: datetime, span: timedelta, seed: int
) -> Iterator[Document]:
    """Documents of `transactions`, oldest first: one in ten a fraud, spread evenly over the span up to ``end``."""
    rng = np.random.default_rng(seed)
    step = span / number
    for begin in range(0, number, _BATCH):
        size = min(_BATCH, number - begin)
        fraud = rng.random(size) < 0.1
        amount = np.round(np.abs(np.where(fraud, rng.normal(200, 100, size), rng.normal(100, 50, size))), 2).tolist()
        online = rng.random(size) < np.where(fraud, 0.42, 0.3)
        balance = np.round(np.abs(rng.normal(100_000, 50_000, size)), 2).tolist()
        months, days = rng.integers(1, 13, size).tolist(), rng.integers(0, 7, size).tolist()
        categories, methods = rng.integers(0, 5, size).tolist(), rng.integers(1, 5, size).tolist()
        latency = rng.lognormal(6.2, 0.35, size).tolist()
        for row in range(size):
            index = begin + row
            at = (end - span + step * index).replace(microsecond=0)
            made: Document = {
                "_id": first_id + index,
                "id": first_id + index,
                "date": f"{at:%d/%m/%Y %H:%M:%S}",
                "amount": amount[row],
                "old_balance": balance[row],
                "income": 2000.0,
                "credit": 1,
                "marital_status": 0,
                "children": 2,
                "month": months[row],
                "day_of_week": _DAYS[days[row]],
                "category_recipient": _CATEGORIES[categories[row]],
                "transaction_type": "online" if online[row] else "onsite",
                "transaction_method": _METHODS[0] if online[row] else _METHODS[methods[row]],
                "foreign_transaction": 0,
                "event_time": at,
                "origin": origin,
                "source": {
                    "topic": "transactions" if origin == "live" else "labels",
                    "partition": index % 2,
                    "offset": index // 2,
                },
                "enqueued_at": at,
                "stored_at": at,
            }
            if origin == "history":
                made["isFraud"] = int(fraud[row])
            else:
                made |= {
                    "prediction": int(fraud[row]),
                    "score": 0.9 if fraud[row] else 0.02,
                    "threshold": 0.5,
                    "model_version": "3",
                    "scored_at": at,
                    "published_at": at + timedelta(milliseconds=latency[row]),
                    "latency_ms": latency[row],
                    "reasons": [{"field": "amount", "contribution": 2.0}] if fraud[row] else [],
                }
            yield made


class Counts:
    """Rollups counted from documents, in the shape of the store job's."""

    def __init__(self) -> None:
        self.states: dict[str, Document] = {}

    def count(self, made: Document) -> None:
        fraud = made["prediction"] if made["origin"] == "live" else made["isFraud"]
        amount, event_time = made["amount"], made["event_time"]
        bin_ = amount_bins()[int(np.searchsorted(AMOUNT_EDGES, amount, side="right")) - 1]
        values = {ALL: ALL, HOUR: str(event_time.hour), AMOUNT_BIN: bin_}
        values |= {name: str(made[name]) for name in EVENT_DIMENSIONS}
        midnight = event_time.replace(hour=0, minute=0, second=0)
        starts = {"total": None, "month": midnight.replace(day=1), "day": midnight}
        if made["origin"] == "live":
            starts["minute"] = made["enqueued_at"].replace(second=0, microsecond=0)
        for period, start in starts.items():
            for dimension, value in values.items():
                if period == "day" and dimension != ALL:
                    continue
                self._add(period, start, made["origin"], dimension, value, fraud, amount)

    def _add(
        self, period: str, start: datetime | None, origin: str, dimension: str, value: str, fraud: int, amount: float
    ) -> None:
        number = rollup_id(period, start, origin, dimension, value)
        state = self.states.get(number)
        if state is None:
            state = {"_id": number, "period": period, "origin": origin, "dimension": dimension, "value": value}
            state |= {"transactions": 0, "frauds": 0, "amount": 0.0, "fraud_amount": 0.0}
            state |= {"start": start} if start else {}
            self.states[number] = state
        state["transactions"] += 1
        state["frauds"] += fraud
        state["amount"] += amount
        state["fraud_amount"] += amount * fraud


def fill(db: Database[Document], history: int, live: int, now: datetime) -> dict[str, Any]:
    """Fill an empty database; returns what it holds and how long that took."""
    started = time.monotonic()
    counts = Counts()
    _store(db, transactions(history, 2_000_000, "history", now - timedelta(days=1), timedelta(days=365), 1), counts)
    newest = transactions(live, 9_000_000, "live", now, timedelta(hours=6), 2)
    kept = _store(db, newest, counts, keep=max(ALERTS_KEPT * 12, 2 * RECENT_SLOTS))
    ring = [{**made, "_id": f"{n % 2}-{(n // 2) % RECENT_SLOTS}"} for n, made in enumerate(kept[-2 * RECENT_SLOTS :])]
    _insert(db, RECENT, ring)
    _insert(db, ALERTS, [made for made in kept if made["prediction"]][-ALERTS_KEPT:])
    _insert(db, ROLLUPS, list(counts.states.values()))
    _insert(db, REJECTED, [_rejected(number, now) for number in range(500)])
    return {
        "transactions": history + live,
        "rollups": len(counts.states),
        "fill_seconds": round(time.monotonic() - started, 1),
    }


def _store(db: Database[Document], made: Iterator[Document], counts: Counts, keep: int = 0) -> list[Document]:
    kept: list[Document] = []
    batch: list[Document] = []
    for document in made:
        counts.count(document)
        batch.append(document)
        if len(batch) == _BATCH:
            _insert(db, TRANSACTIONS, batch)
            kept = [*kept, *batch][-keep:] if keep else []
            batch = []
    _insert(db, TRANSACTIONS, batch)
    return [*kept, *batch][-keep:] if keep else []


def _insert(db: Database[Document], collection: str, documents: list[Document]) -> None:
    for begin in range(0, len(documents), _BATCH):
        db[collection].insert_many(documents[begin : begin + _BATCH], ordered=False)


def _rejected(number: int, now: datetime) -> Document:
    at = now - timedelta(minutes=number)
    raw = f'{{"id": {number}, "amount": "much"}}'.encode()
    return {
        "_id": f"transactions/{number % 2}/{number}",
        "reason": "amount: not a finite number of 0 or more",
        "field": "amount",
        "raw": raw,
        "raw_bytes": len(raw),
        "raw_sha256": "",
        "key": str(number),
        "source": {"topic": "transactions", "partition": number % 2, "offset": number},
        "enqueued_at": at.astimezone(UTC),
        "rejected_at": at,
        "stored_at": at,
    }
