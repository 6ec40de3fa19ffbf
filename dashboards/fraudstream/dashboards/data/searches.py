"""The explorer's reads: one transaction by its id, a bounded search by field, the newest rejected events."""

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

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
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


# What a table of transactions shows: nothing else of a document that may have megabytes is read for it.
ROW_FIELDS: tuple[str, ...] = ("id", "event_time", "prediction", "isFraud", "score", "reasons", *FEATURES)
# Documents of megabytes: as many are read as a page or a file of reasonable size holds.
MOST_BYTES = 32 * 2**20
_SUMMARY = ("reason", "field", "raw_bytes", "rejected_at")
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Rows:
    """What a search found, and what it is: ``complete`` where nothing else in the collection matches."""

    documents: tuple[Document, ...]
    complete: bool
    note: str


@dataclass(frozen=True, slots=True)
class RejectedSnapshot:
    """The newest rejected events, newest first, read at one moment; ``rejected_at`` is that moment where it lacks."""

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
            found = self._store[REJECTED].find({}, projection).sort("rejected_at", DESCENDING).limit(REJECTIONS_SHOWN)
            return RejectedSnapshot(now, tuple(_summary(made, now) for made in stored.read_all(found)))
        except PyMongoError as error:
            raise unavailable(error) from error


@dataclass
class Lookup:
    """Reads that one reader asked for. Searches take turns: scans side by side would only slow each other down."""

    store: Store
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def transaction(self, number: int) -> Document | None:
        """The stored transaction, or None. Raises :class:`StoreUnavailable`."""
        return self._one(TRANSACTIONS, number)

    def rejected(self, number: str) -> Document | None:
        """The rejected event ``topic/partition/offset`` with its raw bytes, or None. Raises ``StoreUnavailable``."""
        return self._one(REJECTED, number)

    def search(
        self,
        criteria: Mapping[str, Any],
        *,
        frauds_only: bool = False,
        keeps: Callable[[Document], bool] | None = None,
        names: Sequence[str] = (),
    ) -> Rows:
        """Transactions that satisfy the criteria, at most :data:`ROWS`, within :data:`SEARCH_MS`, in no order.

        ``keeps`` tells what the criteria cannot; :data:`LOOKED_THROUGH` documents are tried for it. ``frauds_only``
        looks through the alerts, which are bounded. Without ``names`` a document comes with all its fields.
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
        found: list[Document] = []
        where = "the newest alerts" if collection == ALERTS else "the stored transactions"
        most, tried, kept_bytes = (LOOKED_THROUGH if keeps else ROWS + 1), 0, 0
        projection = dict.fromkeys(names, 1) if names else None
        ends_at = time.monotonic() + SEARCH_MS / 1000
        try:
            with pymongo.timeout(SEARCH_MS / 1000):
                for raw in self.store[collection].find(criteria, projection).limit(most):
                    tried += 1
                    made = stored.read(raw)
                    if keeps is None or keeps(made):
                        found.append(made)
                        kept_bytes += stored.size(raw)
                    if len(found) > ROWS or kept_bytes > MOST_BYTES or time.monotonic() > ends_at:
                        break
        except PyMongoError as error:
            # A server that cannot be found is away; one that takes too long over a search is not.
            if not error.timeout or isinstance(error, ServerSelectionTimeoutError):
                raise unavailable(error) from error
            note = f"Stopped after {SEARCH_MS // 1000} s: there may be more in {where}."
            return Rows(tuple(found[:ROWS]), False, note)
        if len(found) > ROWS:
            return Rows(tuple(found[:ROWS]), False, f"The first {ROWS} found in {where}, in no order; there are more.")
        if kept_bytes > MOST_BYTES:
            note = f"Stopped after {kept_bytes // 2**20} MB of large documents in {where}; there may be more."
            return Rows(tuple(found), False, note)
        if time.monotonic() > ends_at or tried == most:
            return Rows(tuple(found), False, f"Found among the first {tried:,} looked through; there may be more.")
        return Rows(tuple(found), True, f"All that {where} hold.")

    def _one(self, collection: str, number: int | str) -> Document | None:
        try:
            return next(stored.read_all(self.store[collection].find({"_id": number})), None)
        except PyMongoError as error:
            raise unavailable(error) from error


def _summary(made: Mapping[str, Any], now: datetime) -> Document:
    return {
        "_id": stored.text(made.get("_id")),
        "reason": stored.text(made.get("reason"), _LONGEST_REASON),
        "field": stored.text(made.get("field"), 60),
        "raw_bytes": stored.whole(made.get("raw_bytes")),
        "rejected_at": stored.moment(made.get("rejected_at")) or now,
    }


def criteria(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Typed values of a search, from text; raises ``ValueError`` naming the field that has no such value."""
    rules = {rule.name: rule for rule in FIELD_RULES}
    wanted: dict[str, Any] = {}
    for name, text in pairs:
        if name not in SEARCHED:
            raise ValueError(f"{printable(name, 60)} is not a field that can be searched")
        rule = rules.get(name)
        kind = rule.kind if rule else ("int" if name == "prediction" else "text")
        try:
            value: Any = {"int": int, "float": float}.get(kind, str)(text.strip())
            if kind in ("int", "float") and stored.number(value) is None:
                raise ValueError
            if kind == "int" and stored.whole(value) is None:
                raise ValueError
            text.encode()
        except ValueError:
            shown = printable(text, 60)
            expected = {"int": "a whole number of 64 bits", "float": "a finite number"}.get(kind, "a text")
            raise ValueError(f"{name} takes {expected}, not {shown!r}") from None
        wanted[name] = value
    return wanted


@dataclass(frozen=True, slots=True)
class Stage:
    """When a part saw a transaction (UTC), and how long after its arrival, in milliseconds."""

    name: str
    detail: str
    at: datetime | None
    after_ms: float | None


def stages(made: Mapping[str, Any]) -> list[Stage]:
    """A transaction's way through the parts, as its document tells it."""
    place = place_of(made)
    steps = [("Made", "the sender's own clock, whole seconds", "event_time"), ("Arrived", place, "enqueued_at")]
    if "scored_at" in made:
        steps += [
            ("Scored", f"model version {stored.text(made.get('model_version', '?'), 60)}", "scored_at"),
            ("Published", "topic scored", "published_at"),
        ]
    steps.append(("Stored", "document in transactions", "stored_at"))
    arrived = stored.moment(made.get("enqueued_at"))
    found = []
    for name, detail, key in steps:
        at = stored.moment(made.get(key))
        apart = None if at is None or arrived is None or key == "event_time" else 1000 * (at - arrived).total_seconds()
        found.append(Stage(name, detail, at, apart))
    return found


def place_of(made: Mapping[str, Any]) -> str:
    """The record that a document was made from, in words."""
    source = made.get("source")
    known = source if isinstance(source, Mapping) else {}
    parts = (stored.text(known.get(name, "?"), 60) for name in ("topic", "partition", "offset"))
    return "{}, partition {}, offset {}".format(*parts)
