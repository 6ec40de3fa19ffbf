"""A document store with a million transactions, their rollups and the newest decisions, in the store job's shapes.

The documents depend on a seed and a moment alone. The moment is stored first, so that an interrupted filling can go on
where it ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from pymongo.database import Database

from fraudstream.core.contract.event import RULES
from fraudstream.core.contract.rollups import (
    ALL,
    AMOUNT_BIN,
    AMOUNT_EDGES,
    EVENT_DIMENSIONS,
    HOUR,
    amount_bins,
    rollup_id,
)
from fraudstream.core.documents.client import (
    ALERTS,
    ALERTS_KEPT,
    RECENT,
    RECENT_SLOTS,
    REJECTED,
    ROLLUPS,
    TRANSACTIONS,
)

_BATCH = 5_000
# A collection of this benchmark alone: the moment at which the documents end, and whether all are stored.
_STATE, _STATE_ID = "benchmark", "filling"
_DAYS = RULES["day_of_week"].choices
_CATEGORIES = RULES["category_recipient"].choices
_METHODS = RULES["transaction_method"].choices
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
            document: Document = {
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
                document["isFraud"] = int(fraud[row])
            else:
                document |= {
                    "prediction": int(fraud[row]),
                    "score": 0.9 if fraud[row] else 0.02,
                    "threshold": 0.5,
                    "model_version": "3",
                    "scored_at": at,
                    "published_at": at + timedelta(milliseconds=latency[row]),
                    "latency_ms": latency[row],
                    "reasons": [{"field": "amount", "contribution": 2.0}] if fraud[row] else [],
                }
            yield document


class Counts:
    """Rollups counted from documents, in the shape of the store job's."""

    def __init__(self) -> None:
        self._counted: list[pd.DataFrame] = []

    def count(self, documents: list[Document]) -> None:
        """Count one batch of one origin."""
        live = documents[0]["origin"] == "live"
        times = pd.Series([document["event_time"] for document in documents])
        amount = np.array([document["amount"] for document in documents])
        edges = np.searchsorted(AMOUNT_EDGES, amount, side="right") - 1
        columns: dict[str, Any] = {
            "origin": documents[0]["origin"],
            "frauds": [document["prediction" if live else "isFraud"] for document in documents],
            "amount": amount,
            "day": times.dt.floor("D"),
            "minute": pd.Series([document["enqueued_at"] for document in documents]).dt.floor("min"),
            ALL: ALL,
            HOUR: times.dt.hour.astype(str),
            AMOUNT_BIN: np.array(amount_bins())[edges],
        }
        columns |= {name: [str(document[name]) for document in documents] for name in EVENT_DIMENSIONS}
        frame = pd.DataFrame(columns)
        frame["month_start"] = frame["day"] - pd.to_timedelta(frame["day"].dt.day - 1, unit="D")
        self._counted.append(frame)

    def rollups(self) -> Iterator[Document]:
        """The rollups of all counted documents."""
        rows = pd.concat(self._counted, ignore_index=True)
        rows["fraud_amount"] = rows["amount"] * rows["frauds"]
        live = rows[rows["origin"] == "live"]
        for period, start, counted in (
            ("total", None, rows),
            ("month", "month_start", rows),
            ("day", "day", rows),
            ("minute", "minute", live),
        ):
            for dimension in (ALL,) if period == "day" else (ALL, HOUR, AMOUNT_BIN, *EVENT_DIMENSIONS):
                keys = ["origin", dimension, *([start] if start else [])]
                states = counted.groupby(keys, sort=False).agg(
                    transactions=("frauds", "size"),
                    frauds=("frauds", "sum"),
                    amount=("amount", "sum"),
                    fraud_amount=("fraud_amount", "sum"),
                )
                for key, state in zip(states.index, states.itertuples(index=False), strict=True):
                    begin = key[2].to_pydatetime() if start else None
                    yield _rollup(period, begin, key[0], dimension, key[1], state)


def _rollup(period: str, start: datetime | None, origin: str, dimension: str, value: str, state: Any) -> Document:
    rollup = {
        "_id": rollup_id(period, start, origin, dimension, value),
        "period": period,
        "origin": origin,
        "dimension": dimension,
        "value": value,
        "transactions": int(state.transactions),
        "frauds": int(state.frauds),
        "amount": float(state.amount),
        "fraud_amount": float(state.fraud_amount),
    }
    return rollup | ({"start": start} if start else {})


def is_filled(db: Database[Document]) -> bool:
    """Whether the database was filled to the end."""
    state = db[_STATE].find_one({"_id": _STATE_ID})
    return bool(state and state["complete"])


def fill(db: Database[Document], history: int, live: int, now: datetime) -> dict[str, Any]:
    """Fill a database, or go on where an earlier filling ended; returns its counts and the seconds of this filling."""
    started = time.monotonic()
    state = db[_STATE].find_one({"_id": _STATE_ID})
    if state is None:
        state = {"_id": _STATE_ID, "now": now.replace(microsecond=0), "complete": False}
        db[_STATE].insert_one(state)
    now, present = state["now"].replace(tzinfo=UTC), db[TRANSACTIONS].estimated_document_count()
    counts = Counts()
    past = transactions(history, 2_000_000, "history", now - timedelta(days=1), timedelta(days=365), 1)
    _store(db, past, counts, present)
    newest = transactions(live, 9_000_000, "live", now, timedelta(hours=6), 2)
    kept = _store(db, newest, counts, max(present - history, 0), keep=max(ALERTS_KEPT * 12, 2 * RECENT_SLOTS))
    ring = [
        {**document, "_id": f"{n % 2}-{(n // 2) % RECENT_SLOTS}"}
        for n, document in enumerate(kept[-2 * RECENT_SLOTS :])
    ]
    rollups = list(counts.rollups())
    for collection, documents in (
        (RECENT, ring),
        (ALERTS, [document for document in kept if document["prediction"]][-ALERTS_KEPT:]),
        (ROLLUPS, rollups),
        (REJECTED, [_rejected(number, now) for number in range(500)]),
    ):
        db[collection].drop()
        _insert(db, collection, documents)
    db[_STATE].replace_one({"_id": _STATE_ID}, state | {"complete": True})
    return {
        "transactions": history + live,
        "inserted_now": history + live - present,
        "rollups": len(rollups),
        "fill_seconds": round(time.monotonic() - started, 1),
    }


def _store(
    db: Database[Document], documents: Iterator[Document], counts: Counts, present: int, keep: int = 0
) -> list[Document]:
    """Count all documents and insert those after the first ``present``; returns the last ``keep``."""
    kept: list[Document] = []
    counted = 0
    while batch := list(islice(documents, _BATCH)):
        counts.count(batch)
        _insert(db, TRANSACTIONS, batch[max(present - counted, 0) :])
        counted += len(batch)
        kept = [*kept, *batch][-keep:] if keep else []
    return kept


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
