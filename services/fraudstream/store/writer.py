"""Documents into the store: unordered bulk upserts by ``_id``, the first event with an id wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import bson
from bson.errors import BSONError
from pymongo import DESCENDING
from pymongo.database import Database
from pymongo.errors import DocumentTooLarge

from fraudstream.core.documents import (
    ALERTS,
    ALERTS_KEPT,
    RECENT,
    RECENT_SLOTS,
    REJECTED,
    TRANSACTIONS,
    Document,
)
from fraudstream.core.throttling import MOST_OPERATIONS, Patience, WriteLimits, patiently, read_all, upsert_all
from fraudstream.store.records import LIVE, Record, document, duplicate, rejection

# Pruning reads the surplus, so that it pays to let some of it gather.
_PRUNE_SURPLUS = 500


@dataclass(frozen=True, slots=True)
class Written:
    """What one call wrote: new transactions, redelivered ones, and rejected events (duplicates included)."""

    transactions: int
    redelivered: int
    rejected: int


class DocumentWriter:
    """Writes records of the topics `scored`, `labels` and `rejected`; writing a record again changes nothing."""

    def __init__(self, db: Database[Document], limits: WriteLimits | None = None) -> None:
        self._db = db
        self._limits = limits or WriteLimits()
        self._patience = Patience(self._limits)

    def write(self, records: Iterable[Record], now: datetime) -> Written:
        """Write a batch; returns once the store has acknowledged all of it.

        Raises ``PyMongoError``, and :class:`StoreUnavailable` when the store has no request units for too long.
        """
        self._patience = Patience(self._limits)
        rejected: list[Document] = []
        transactions: dict[int, Document] = {}
        offsets: dict[int, tuple[int, int]] = {}
        for record in records:
            made = document(record, now)
            if "reason" in made and "origin" not in made:
                rejected.append(made)
                continue
            if (problem := _storable(made)) is not None:
                rejected.append(
                    rejection(problem, record.value, made["source"], made["enqueued_at"], str(made["_id"]), now)
                )
                continue
            first = transactions.setdefault(made["_id"], made)
            if first["source"] != made["source"]:
                rejected.append(duplicate(made, first, now))
            elif made["origin"] == LIVE:
                offsets[made["_id"]] = (record.partition, record.offset)

        stored = self._stored(list(transactions))
        fresh = []
        for number, made in list(transactions.items()):
            known = stored.get(number)
            if known is None:
                fresh.append(made)
            elif known["source"] != made["source"]:
                rejected.append(duplicate(made, known, now))
                del transactions[number]
            else:
                # The first decision stands; a redelivered event may have been scored anew.
                made["prediction"] = known.get("prediction")
        self._upsert(TRANSACTIONS, fresh)
        self._upsert(REJECTED, rejected)
        self._upsert(ALERTS, [made for made in transactions.values() if made.get("prediction") == 1])
        self._upsert(RECENT, _recent(offsets, transactions))
        self._prune_alerts()
        return Written(len(fresh), len(transactions) - len(fresh), len(rejected))

    def _stored(self, numbers: Sequence[int]) -> dict[int, Document]:
        found: dict[int, Document] = {}
        for start in range(0, len(numbers), MOST_OPERATIONS):
            chosen = {"_id": {"$in": list(numbers[start : start + MOST_OPERATIONS])}}
            wanted = self._db[TRANSACTIONS].find(chosen, {"source": 1, "prediction": 1})
            found |= {known["_id"]: known for known in read_all(wanted, self._limits, self._patience)}
        return found

    def _upsert(self, collection: str, documents: Sequence[Document]) -> None:
        upsert_all(self._db[collection], documents, self._limits, self._patience)

    def _prune_alerts(self) -> None:
        alerts = self._db[ALERTS]
        surplus = patiently(alerts.estimated_document_count, self._limits, self._patience) - ALERTS_KEPT
        if surplus < _PRUNE_SURPLUS:
            return
        kept = alerts.find({}, {"enqueued_at": 1}).sort("enqueued_at", DESCENDING).skip(ALERTS_KEPT).limit(1)
        for oldest in read_all(kept, self._limits, self._patience):
            surplus_ones = {"enqueued_at": {"$lte": oldest["enqueued_at"]}}
            patiently(partial(alerts.delete_many, surplus_ones), self._limits, self._patience)


def _recent(offsets: Mapping[int, tuple[int, int]], transactions: Mapping[int, Document]) -> list[Document]:
    """The documents of `recent`, which keeps a ring of each partition: the newest of the batch for every slot."""
    newest: dict[str, tuple[int, int]] = {}
    for number, (partition, offset) in offsets.items():
        if number not in transactions:
            continue
        slot = f"{partition}-{offset % RECENT_SLOTS}"
        if slot not in newest or newest[slot][0] < offset:
            newest[slot] = (offset, number)
    return [transactions[number] | {"_id": slot} for slot, (_, number) in newest.items()]


def _storable(made: Document) -> str | None:
    """Why a document cannot be stored (an integer of more than 64 bits, a NUL in a name), or None."""
    try:
        bson.encode(made)
    except (BSONError, OverflowError, DocumentTooLarge, RecursionError, ValueError) as error:
        return f"value: cannot be stored: {type(error).__name__}: {error}"
    return None
