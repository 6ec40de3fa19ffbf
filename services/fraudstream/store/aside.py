"""What the store job does not store, and how the rollups learn that it does not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from fraudstream.core.contract.rollups import counting_span
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents.client import Document
from fraudstream.store.records import (
    CANNOT_BE_WRITTEN,
    LIVE,
    Record,
    document,
    duplicate,
    recorded_at,
    set_aside,
)


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """How the rollups learn what they are not to count. ``write`` takes records whose events they may have counted;
    ``span_seconds``: the span in which they count an id once.
    """

    write: Callable[[Sequence[Record]], None] = lambda _: None
    span_seconds: int = 1

    def counted_as(self, transaction: Document) -> tuple[Any, ...]:
        """What the rollups know an event by: they count one of all that have the same."""
        moment = recorded_at(transaction)
        span = counting_span(moment, self.span_seconds) if moment else None
        return transaction.get("origin"), transaction["_id"], span


class Aside:
    """What is not stored: the documents of `rejected`, and the records that the rollups are not to count."""

    def __init__(self, withdrawals: Withdrawals) -> None:
        self.rejected: list[Document] = []
        self.uncounted: list[Record] = []
        self._withdrawals = withdrawals

    def add(self, made: Document, record: Record, reason: str, now: datetime) -> None:
        """An event that the store does not take."""
        self.rejected.append(unwritten(made, record, reason, now))
        self.uncounted.append(record)

    def add_duplicate(self, made: Document, record: Record, first: Document, now: datetime) -> None:
        """Another event under a taken id."""
        self.rejected.append(duplicate(made, record.event, first, now))
        self.add_later(made, record, first)

    def add_later(self, made: Document, record: Record, first: Document) -> None:
        """A record of an id that another one brought already, which the rollups know unless it was long before."""
        if self._withdrawals.counted_as(made) != self._withdrawals.counted_as(first):
            self.uncounted.append(record)


def unwritten(made: Document, record: Record, reason: str, now: datetime) -> Document:
    """The document of `rejected` for an event that the store does not take."""
    return set_aside(made, record.event, f"{CANNOT_BE_WRITTEN}: {reason}", now)


def claimed(record: Record, now: datetime) -> Document | None:
    """The document of a record's event, or what the rollups know it by where it has none; None for no event at all."""
    made = document(record, now)
    if "origin" in made:
        return made
    try:
        number = orjson.loads(record.value)["id"] if record.topic == SCORED else None
    except (ValueError, KeyError, TypeError):
        return None
    return {"_id": number, "origin": LIVE, "enqueued_at": record.timestamp} if type(number) is int else None
