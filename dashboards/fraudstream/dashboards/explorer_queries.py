"""The explorer's reads: one transaction by its id, a bounded search by field, the newest rejected events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo import DESCENDING
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from fraudstream.core.documents import ALERTS, REJECTED, TRANSACTIONS, Document, unavailable
from fraudstream.core.event import FIELD_RULES
from fraudstream.dashboards.queries import Store

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


@dataclass(frozen=True, slots=True)
class Rows:
    """What a search found, and what it is: ``complete`` where nothing else in the collection matches."""

    documents: tuple[Document, ...]
    complete: bool
    note: str


@dataclass(frozen=True, slots=True)
class RejectedSnapshot:
    """The newest rejected events, newest first, read at one moment."""

    read_at: datetime
    documents: tuple[Document, ...] = ()


class Rejections:
    """Reads the newest rejected events; their index is on ``rejected_at``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, now: datetime) -> RejectedSnapshot:
        """Raises :class:`StoreUnavailable`."""
        projection = {"raw": 0}
        try:
            found = self._store[REJECTED].find({}, projection).sort("rejected_at", DESCENDING).limit(REJECTIONS_SHOWN)
            return RejectedSnapshot(now, tuple(map(dict, found)))
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
    ) -> Rows:
        """Transactions that satisfy the criteria, at most :data:`ROWS`, within :data:`SEARCH_MS`, in no order.

        ``keeps`` tells what the criteria cannot; :data:`LOOKED_THROUGH` documents are tried for it. ``frauds_only``
        looks through the alerts, which are bounded. Raises :class:`StoreUnavailable`.
        """
        if not self._turn.acquire(timeout=SEARCH_MS / 1000):
            return Rows((), False, "Another search is still running. Try again in a moment.")
        try:
            return self._search(criteria, ALERTS if frauds_only else TRANSACTIONS, keeps)
        finally:
            self._turn.release()

    def _search(self, criteria: Mapping[str, Any], collection: str, keeps: Callable[[Document], bool] | None) -> Rows:
        found: list[Document] = []
        where = "the newest alerts" if collection == ALERTS else "the stored transactions"
        most, tried = (LOOKED_THROUGH if keeps else ROWS + 1), 0
        ends_at = time.monotonic() + SEARCH_MS / 1000
        try:
            with pymongo.timeout(SEARCH_MS / 1000):
                for made in self.store[collection].find(criteria).limit(most):
                    tried += 1
                    if keeps is None or keeps(dict(made)):
                        found.append(dict(made))
                    if len(found) > ROWS or time.monotonic() > ends_at:
                        break
        except PyMongoError as error:
            # A server that cannot be found is away; one that takes too long over a search is not.
            if not error.timeout or isinstance(error, ServerSelectionTimeoutError):
                raise unavailable(error) from error
            note = f"Stopped after {SEARCH_MS // 1000} s: there may be more in {where}."
            return Rows(tuple(found[:ROWS]), False, note)
        if len(found) > ROWS:
            return Rows(tuple(found[:ROWS]), False, f"The first {ROWS} found in {where}, in no order; there are more.")
        if time.monotonic() > ends_at or tried == most:
            return Rows(tuple(found), False, f"Found among the first {tried:,} looked through; there may be more.")
        return Rows(tuple(found), True, f"All that {where} hold.")

    def _one(self, collection: str, number: int | str) -> Document | None:
        try:
            return next((dict(made) for made in self.store[collection].find({"_id": number})), None)
        except PyMongoError as error:
            raise unavailable(error) from error


def criteria(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Typed values of a search, from text; raises ``ValueError`` naming the field that has no such value."""
    rules = {rule.name: rule for rule in FIELD_RULES}
    wanted: dict[str, Any] = {}
    for name, text in pairs:
        if name not in SEARCHED:
            raise ValueError(f"{name} is not a field that can be searched")
        rule = rules.get(name)
        kind = rule.kind if rule else ("int" if name == "prediction" else "text")
        try:
            wanted[name] = {"int": int, "float": float}.get(kind, str)(text.strip())
        except ValueError:
            raise ValueError(
                f"{name} takes {'a whole number' if kind == 'int' else 'a number'}, not {text!r}"
            ) from None
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
    source = made.get("source") or {}
    place = "{}, partition {}, offset {}".format(*(source.get(name, "?") for name in ("topic", "partition", "offset")))
    steps = [("Made", "the sender's own clock, whole seconds", "event_time"), ("Arrived", place, "enqueued_at")]
    if "scored_at" in made:
        steps += [
            ("Scored", f"model version {made.get('model_version', '?')}", "scored_at"),
            ("Published", "topic scored", "published_at"),
        ]
    steps.append(("Stored", "document in transactions", "stored_at"))
    arrived = _utc(made.get("enqueued_at"))
    found = []
    for name, detail, key in steps:
        at = _utc(made.get(key))
        apart = None if at is None or arrived is None or key == "event_time" else 1000 * (at - arrived).total_seconds()
        found.append(Stage(name, detail, at, apart))
    return found


def _utc(moment: Any) -> datetime | None:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else None
