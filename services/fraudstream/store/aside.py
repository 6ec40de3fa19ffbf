"""What the store job does not store, and how the rollups learn that it does not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from fraudstream.core.contract.event import ID, RULES
from fraudstream.core.contract.rollups import counting_span
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents.client import Document
from fraudstream.store.records import (
    CANNOT_BE_WRITTEN,
    LIVE,
    Record,
    document,
    duplicate,
    has_same_event,
    is_transaction,
    recorded_at,
    set_aside,
)

_ID_TYPE = int if RULES[ID].kind == "int" else str


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """The way to tell the rollups which events they must not count.

    ``write`` takes records whose events they may have counted. Within ``span_seconds`` they count an id once.
    """

    write: Callable[[Sequence[Record]], None] = lambda _: None
    span_seconds: int = 1

    def counted_as(self, transaction: Document) -> tuple[Any, ...]:
        """The key by which the rollups count: of the events with the same key they count one."""
        moment = recorded_at(transaction)
        span = counting_span(moment, self.span_seconds) if moment else None
        return transaction.get("origin"), transaction["_id"], span


class Aside:
    """Collects what is no stored transaction: documents of `rejected`, records that the rollups must not count, and
    documents of `verdicts` with their records. ``redelivered``: events that came again from another place.
    """

    def __init__(self, withdrawals: Withdrawals) -> None:
        self.rejected: list[Document] = []
        self.verdicts: list[tuple[Document, Record]] = []
        self.uncounted: list[Record] = []
        self.redelivered = 0
        self._withdrawals = withdrawals

    def add(self, transaction: Document, record: Record, reason: str, now: datetime) -> None:
        """An event that the store does not take."""
        self.rejected.append(unwritten(transaction, record, reason, now))
        self.uncounted.append(record)

    def add_second(self, transaction: Document, record: Record, first: Document, now: datetime) -> None:
        """A second record under a taken id: the event again, which its sender repeated, or another one."""
        if has_same_event(transaction, first):
            self.redelivered += 1
        else:
            self.rejected.append(duplicate(transaction, record.event, first, now))
        self.add_later(transaction, record, first)

    def add_later(self, transaction: Document, record: Record, first: Document) -> None:
        """A record whose id an earlier record has; the rollups count it once unless their spans differ."""
        if self._withdrawals.counted_as(transaction) != self._withdrawals.counted_as(first):
            self.uncounted.append(record)


def unwritten(transaction: Document, record: Record, reason: str, now: datetime) -> Document:
    """The document of `rejected` for an event that the store does not take."""
    return set_aside(transaction, record.event, f"{CANNOT_BE_WRITTEN}: {reason}", now)


def claimed(record: Record, now: datetime) -> Document | None:
    """The document of a record's event; where no document can be made, the fields by which the rollups count it.

    None for a record without an event.
    """
    transaction = document(record, now)
    if is_transaction(transaction):
        return transaction
    try:
        id = orjson.loads(record.value)[ID] if record.topic == SCORED else None
    except (ValueError, KeyError, TypeError):
        return None
    return {"_id": id, "origin": LIVE, "enqueued_at": record.timestamp} if type(id) is _ID_TYPE else None
