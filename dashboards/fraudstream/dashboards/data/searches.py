"""Reads of single documents: a transaction by its id, a bounded search by field, the newest rejected events."""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pymongo
from bson import Decimal128
from pymongo import DESCENDING
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from fraudstream.core.contract.event import AMOUNT, FEATURES, ID, LABEL, RULES, TIME
from fraudstream.core.contract.field_rules import as_double, value_at
from fraudstream.core.documents.client import ALERTS, REJECTED, TRANSACTIONS, Document, unavailable
from fraudstream.core.output.text import printable
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.store import Store

ROWS = 200
SEARCH_MS = 4_000
REJECTIONS_SHOWN = 200
LOOKED_THROUGH = 5_000

SEARCHED: tuple[str, ...] = (
    *(name for name in RULES if name not in (ID, TIME)),
    "prediction",
    "model_version",
    "origin",
)

# Where the project has no texts of few values, a table shows its first inputs.
_MOST_PLAIN_INPUTS = 6
_HAS_TEXTS = any(RULES[name].kind == "text" for name in fields.VALUES if name in RULES)
PLAIN_INPUTS: tuple[str, ...] = (
    () if _HAS_TEXTS else tuple(name for name in FEATURES if name in RULES and name != AMOUNT)[:_MOST_PLAIN_INPUTS]
)

# The fields that a table of transactions shows. Only these are read for it: a document may have megabytes of others.
_ROW_FIELDS = ("_id", "event_time", "prediction", "score", "reasons")
ROW_PROJECTION = fields.projection(_ROW_FIELDS, dict.fromkeys((ID, LABEL, *fields.KEPT, *PLAIN_INPUTS)))
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

    def transaction(self, transaction_id: int | str) -> Document | None:
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
        projection: Mapping[str, int] | None = None,
    ) -> Rows:
        """Transactions that satisfy the criteria, at most :data:`ROWS`, within :data:`SEARCH_MS`, in no order.

        ``keeps`` decides what the criteria cannot express; it sees :data:`LOOKED_THROUGH` documents at most.
        ``frauds_only`` searches the alerts, which are bounded. ``projection``: what to read (default: all).
        Raises :class:`StoreUnavailable`.
        """
        if not self._turn.acquire(timeout=SEARCH_MS / 1000):
            return Rows((), False, "Another search is still running. Try again in a moment.")
        try:
            return self._search(criteria, ALERTS if frauds_only else TRANSACTIONS, keeps, projection)
        finally:
            self._turn.release()

    def _search(
        self,
        criteria: Mapping[str, Any],
        collection: str,
        keeps: Callable[[Document], bool] | None,
        projection: Mapping[str, int] | None,
    ) -> Rows:
        documents: list[Document] = []
        where = "the newest alerts" if collection == ALERTS else "the stored transactions"
        most, tried, kept_bytes = (LOOKED_THROUGH if keeps else ROWS + 1), 0, 0
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


Condition = Any  # a value, or MongoDB's operators with values


def criteria(pairs: Sequence[tuple[str, str]]) -> dict[str, Condition]:
    """A search's typed values, from (field, text). Raises ``ValueError`` that names a field with a wrong value.

    The names are the fields' own; :func:`asked` and :func:`kept_by` make a query of them.
    """
    typed: dict[str, Condition] = {}
    for name, text in pairs:
        if name not in SEARCHED:
            raise ValueError(f"{printable(name, 60)} is not a field that can be searched")
        rule = RULES.get(name)
        kind = rule.kind if rule else ("int" if name == "prediction" else "text")
        try:
            text.encode()
            typed[name] = _condition(kind, text.strip() if rule and text.strip() in rule.known_values else text)
        except ValueError:
            expected = _EXPECTED.get(kind, "a text")
            raise ValueError(f"{name} takes {expected}, not {printable(text, 60)!r}") from None
    return typed


_EXPECTED = {
    "int": "a whole number of 64 bits, or two with .. between them",
    "float": "a finite number, or two with .. between them",
    "bool": "true or false",
}
_SPAN = ".."
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def _condition(kind: str, text: str) -> Condition:
    if kind == "bool":
        word = text.strip().lower()
        return _WORDS[word] if word in _WORDS else _fail()
    if kind not in ("int", "float"):
        # Blanks around a word come from copying it, or are the value's own.
        return text if text == text.strip() else {"$in": [text, text.strip()]}
    low, span, high = text.strip().partition(_SPAN)
    if not span:
        return _number(kind, low)
    bounds = {"$gte": low, "$lte": high}
    return {sign: _number(kind, bound) for sign, bound in bounds.items() if bound.strip()} or _fail()


def _fail() -> Any:
    raise ValueError


def _number(kind: str, text: str) -> int | float | Decimal128:
    number: int | float = int(text) if kind == "int" else float(text)
    if stored.number(number) is None or (kind == "int" and stored.whole(number) is None):
        raise ValueError
    if isinstance(number, int) or Decimal(text.strip()) == Decimal(repr(number)):
        return number
    # A document has all digits of a number that a double would round.
    try:
        return Decimal128(text.strip())
    except ArithmeticError:
        return number


def asked(wanted: Mapping[str, Condition]) -> dict[str, Condition]:
    """The part of the criteria that a store can be asked for, by the names of its queries."""
    return {fields.queried(name): condition for name, condition in wanted.items() if fields.can_ask(name)}


def kept_by(wanted: Mapping[str, Condition]) -> Callable[[Document], bool] | None:
    """What decides on the criteria that no store can be asked for: those on fields with dots in their names."""
    left = {name: condition for name, condition in wanted.items() if not fields.can_ask(name)}
    if not left:
        return None
    return lambda document: all(
        satisfies(value_at(document, RULES[name].path), condition) for name, condition in left.items()
    )


def satisfies(value: Any, condition: Condition) -> bool:
    """Whether a document's value satisfies a condition, as a store would decide."""
    if not isinstance(condition, Mapping):
        same_kind = isinstance(value, bool) == isinstance(condition, bool)
        return same_kind and (value == condition or as_double(value) == as_double(condition) is not None)
    if "$in" in condition:
        return value in condition["$in"]
    number = as_double(value)
    compared: Mapping[str, Callable[[Any, Any], bool]] = {
        "$gte": operator.ge,
        "$gt": operator.gt,
        "$lte": operator.le,
        "$lt": operator.lt,
    }
    return number is not None and all(compared[sign](number, as_double(bound)) for sign, bound in condition.items())


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
    steps = [("Made", "the sender's own clock", "event_time"), ("Arrived", place, "enqueued_at")]
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
