"""Reads of single documents: a transaction by its id, a bounded search by field, the newest rejected events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymongo
from pymongo import DESCENDING
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from fraudstream.core.contract.event import FEATURES, FIELD_RULES, RULES
from fraudstream.core.documents.client import ALERTS, REJECTED, TRANSACTIONS, Document, unavailable
from fraudstream.core.output.text import printable
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.store import Store

ROWS = 200
SEARCH_MS = 4_000
REJECTIONS_SHOWN = 200
LOOKED_THROUGH = 5_000

SEARCHED: tuple[str, ...] = (
    *(rule.name for rule in FIELD_RULES if rule.name not in ("id", "date")),
    "prediction",
    "model_version",
    "origin",
)

# The fields that a table of transactions shows. Only these are read for it: a document may have megabytes of others.
ROW_FIELDS: tuple[str, ...] = ("id", "event_time", "prediction", "isFraud", "score", "reasons", *FEATURES)
# A search stops after this many bytes of documents: more would not fit into a page or file of reasonable size.
MOST_BYTES = 32 * 2**20
_SUMMARY = ("reason", "field", "raw_bytes", "rejected_at")
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Rows:
    """What a search found, with a note about it. ``complete``: nothing else in the collection matches."""

    documents: tuple[Document, ...]
    complete: bool
    note: str


@dataclass(frozen=True, slots=True)
class RejectedSnapshot:
    """The newest rejected events, newest first. ``read_at`` stands in for a ``rejected_at`` that a document lacks."""

    read_at: datetime
    documents: tuple[Document, ...] = ()


class Rejections:
    """Reads the newest rejected events; their index is on ``rejected_at``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, now: datetime) -> RejectedSnapshot:
        """Raises :class:`StoreUnavailable`."""
        projection = dict.fromkeys(_SUMMARY, 1)
        try:
            cursor = self._store[REJECTED].find({}, projection).sort("rejected_at", DESCENDING).limit(REJECTIONS_SHOWN)
            return RejectedSnapshot(now, tuple(_summary(document, now) for document in stored.read_all(cursor)))
        except PyMongoError as error:
            raise unavailable(error) from error


@dataclass
class Lookup:
    """Reads for one reader's request. Searches take turns: two scans at a time would only slow each other down."""

    store: Store
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def transaction(self, transaction_id: int) -> Document | None:
        """The stored transaction, or None. Raises :class:`StoreUnavailable`."""
        return self._document(TRANSACTIONS, transaction_id)

    def rejected(self, rejected_id: str) -> Document | None:
        """The rejected event ``topic/partition/offset`` with its raw bytes, or None. Raises ``StoreUnavailable``."""
        return self._document(REJECTED, rejected_id)

    def search(
        self,
        criteria: Mapping[str, Any],
        *,
        frauds_only: bool = False,
        keeps: Callable[[Document], bool] | None = None,
        names: Sequence[str] = (),
    ) -> Rows:
        """Transactions that satisfy the criteria, at most :data:`ROWS`, within :data:`SEARCH_MS`, in no order.

        ``keeps`` decides what the criteria cannot express; it sees :data:`LOOKED_THROUGH` documents at most.
        ``frauds_only`` searches the alerts, which are bounded. ``names`` are the fields to read (default: all).
        Raises :class:`StoreUnavailable`.
        """
        if not self._turn.acquire(timeout=SEARCH_MS / 1000):
            return Rows((), False, "Another search is still running. Try again in a moment.")
        try:
            return self._search(criteria, ALERTS if frauds_only else TRANSACTIONS, keeps, names)
        finally:
            self._turn.release()

    def _search(
        self,
        criteria: Mapping[str, Any],
        collection: str,
        keeps: Callable[[Document], bool] | None,
        names: Sequence[str],
    ) -> Rows:
        documents: list[Document] = []
        where = "the newest alerts" if collection == ALERTS else "the stored transactions"
        most, tried, kept_bytes = (LOOKED_THROUGH if keeps else ROWS + 1), 0, 0
        projection = dict.fromkeys(names, 1) if names else None
        ends_at = time.monotonic() + SEARCH_MS / 1000
        try:
            with pymongo.timeout(SEARCH_MS / 1000):
                for raw in self.store[collection].find(criteria, projection).limit(most):
                    tried += 1
                    document = stored.read(raw)
                    if keeps is None or keeps(document):
                        documents.append(document)
                        kept_bytes += stored.size(raw)
                    if len(documents) > ROWS or kept_bytes > MOST_BYTES or time.monotonic() > ends_at:
                        break
        except PyMongoError as error:
            # A server that takes too long over a search is not away; one that cannot be reached is.
            if not error.timeout or isinstance(error, ServerSelectionTimeoutError):
                raise unavailable(error) from error
            note = f"Stopped after {SEARCH_MS // 1000} s: there may be more in {where}."
            return Rows(tuple(documents[:ROWS]), False, note)
        if len(documents) > ROWS:
            return Rows(
                tuple(documents[:ROWS]), False, f"The first {ROWS} found in {where}, in no order; there are more."
            )
        if kept_bytes > MOST_BYTES:
            note = f"Stopped after {kept_bytes // 2**20} MB of large documents in {where}; there may be more."
            return Rows(tuple(documents), False, note)
        if time.monotonic() > ends_at or tried == most:
            return Rows(tuple(documents), False, f"Found among the first {tried:,} looked through; there may be more.")
        return Rows(tuple(documents), True, f"All that {where} hold.")

    def _document(self, collection: str, document_id: int | str) -> Document | None:
        try:
            return next(stored.read_all(self.store[collection].find({"_id": document_id})), None)
        except PyMongoError as error:
            raise unavailable(error) from error


def _summary(document: Mapping[str, Any], now: datetime) -> Document:
    return {
        "_id": stored.text(document.get("_id")),
        "reason": stored.text(document.get("reason"), _LONGEST_REASON),
        "field": stored.text(document.get("field"), 60),
        "raw_bytes": stored.whole(document.get("raw_bytes")),
        "rejected_at": stored.moment(document.get("rejected_at")) or now,
    }


def criteria(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A search's typed values, from (field, text). Raises ``ValueError`` that names a field with a wrong value."""
    typed: dict[str, Any] = {}
    for name, text in pairs:
        if name not in SEARCHED:
            raise ValueError(f"{printable(name, 60)} is not a field that can be searched")
        rule = RULES.get(name)
        kind = rule.kind if rule else ("int" if name == "prediction" else "text")
        try:
            value: Any = {"int": int, "float": float}.get(kind, str)(text.strip())
            if kind in ("int", "float") and stored.number(value) is None:
                raise ValueError
            if kind == "int" and stored.whole(value) is None:
                raise ValueError
            text.encode()
        except ValueError:
            expected = {"int": "a whole number of 64 bits", "float": "a finite number"}.get(kind, "a text")
            raise ValueError(f"{name} takes {expected}, not {printable(text, 60)!r}") from None
        typed[name] = value
    return typed


@dataclass(frozen=True, slots=True)
class Stage:
    """When a part handled a transaction (UTC), and how long after its arrival, in milliseconds."""

    name: str
    detail: str
    at: datetime | None
    after_ms: float | None


def stages(document: Mapping[str, Any]) -> list[Stage]:
    """A transaction's way through the parts, from the times in its document."""
    place = place_of(document)
    steps = [("Made", "the sender's own clock, whole seconds", "event_time"), ("Arrived", place, "enqueued_at")]
    if "scored_at" in document:
        steps += [
            ("Scored", f"model version {stored.text(document.get('model_version', '?'), 60)}", "scored_at"),
            ("Published", "topic scored", "published_at"),
        ]
    steps.append(("Stored", "document in transactions", "stored_at"))
    arrived = stored.moment(document.get("enqueued_at"))
    reached = []
    for name, detail, key in steps:
        at = stored.moment(document.get(key))
        after = None if at is None or arrived is None or key == "event_time" else 1000 * (at - arrived).total_seconds()
        reached.append(Stage(name, detail, at, after))
    return reached


def place_of(document: Mapping[str, Any]) -> str:
    """The record that a document comes from, in words."""
    source = document.get("source")
    place = source if isinstance(source, Mapping) else {}
    return "{}, partition {}, offset {}".format(
        *(stored.text(place.get(name, "?"), 60) for name in ("topic", "partition", "offset"))
    )
