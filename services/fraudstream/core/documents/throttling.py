"""Writes and reads that wait when the store has no request units left, and batches that fit into one request.

Cosmos DB for MongoDB answers code 16500 with ``RetryAfterMs`` once the budget of a second is spent; of an unordered
bulk write the operations before that are applied, the others are not (azure-docs, issue 69351). Some builds leave
``RetryAfterMs`` out (vscode-documentdb, issue 136). A caller that waits here is what slows Spark down: no batch is
taken in before the last one is stored.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import bson
import structlog
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import BulkWriteError, OperationFailure

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents.write_errors import (
    DOCUMENT_CODES,
    DUPLICATE_KEY,
    SHOWN_CHARACTERS,
    TOO_MANY_REQUESTS,
    concern_documents,
    said,
)
from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.output.text import told_text
from fraudstream.core.retry import Backoff

# What Microsoft's guide for bulk writes recommends (optimize-write-performance).
MOST_OPERATIONS = 1_000

_RETRY_AFTER = re.compile(r"RetryAfterMs=(\d+)")
# Several writers that wait for the same second must not all come back at its first moment.
_BACKOFF = Backoff(0.05, 5.0, jitter=(1.0, 1.5))
# Around each document: the filter, the flags, and the names of the update's fields.
_OPERATION_BYTES = 256

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """What one request may hold, and how long (seconds) one batch waits for request units."""

    request_bytes: int = 16 * 1024 * 1024
    patience_seconds: float = 120.0

    @classmethod
    def of(cls, settings: Settings) -> WriteLimits:
        """The limits that the settings name."""
        return cls(settings.mongo_max_request_bytes, settings.mongo_throttle_seconds)


class Patience:
    """How long a batch has waited, and may wait, since the store last took a document of it."""

    def __init__(
        self,
        limits: WriteLimits,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._sleep = sleep
        self._clock = clock
        self._until = clock() + limits.patience_seconds
        self._refusals = 0
        self.waited_seconds = 0.0

    def renew(self) -> None:
        """The store took a document: the remaining ones may wait as long again."""
        self._until = self._clock() + self._limits.patience_seconds
        self._refusals = 0

    def wait(self, messages: Sequence[str]) -> None:
        """Wait as long as the store asks for. Raises :class:`StoreUnavailable` when that was too often."""
        if self._clock() >= self._until:
            raise StoreUnavailable(
                f"The document store has had no request units left for {self._limits.patience_seconds:.0f} s "
                f"(code {TOO_MANY_REQUESTS}). The batch is tried again; raise the collection's throughput, or "
                "FRAUDSTREAM_MONGO_THROTTLE_SECONDS."
            )
        asked_seconds = max((retry_after_seconds(message) or 0.0 for message in messages), default=0.0)
        self._refusals = self._refusals + 1 if not asked_seconds else 0
        pause = _BACKOFF.seconds(self._refusals, asked_seconds)
        self.waited_seconds += pause
        self._sleep(pause)


def retry_after_seconds(message: str) -> float | None:
    """The pause that an error's text asks for, in seconds; None where it names none."""
    match = _RETRY_AFTER.search(message)
    return None if match is None else int(match[1]) / 1000


class Encoded(NamedTuple):
    """A document as it goes over the wire: encoded once, for the check, for its size and for each collection."""

    id: Any
    raw: RawBSONDocument

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Encoded:
        """Raises ``BSONError``, ``OverflowError`` and others of ``bson.encode`` for what no store can hold."""
        return cls(document["_id"], RawBSONDocument(bson.encode(document)))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw.raw)


class Refused(NamedTuple):
    """A document that the store does not take; ``reason`` has its code, where it gives one, and its text, cut."""

    document: Encoded
    reason: str


class Outcome(NamedTuple):
    """What became of documents that were to be inserted: those whose ``_id`` is taken, and the refused ones."""

    taken: list[Encoded]
    refused: list[Refused]


def upsert_all(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    limits: WriteLimits,
    patience: Patience | None = None,
) -> list[Refused]:
    """Replace or insert each document by its ``_id``; returns, once all others are acknowledged, the refused ones.

    Raises :class:`StoreUnavailable` when request units stay away for too long, ``PyMongoError`` for what concerns not
    single documents but the store: it is away, or full, or gives no access.
    """
    return _Writing(collection, _replacement, limits, patience).write(documents).refused


def insert_new(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    limits: WriteLimits,
    patience: Patience | None = None,
) -> Outcome:
    """Insert each document whose ``_id`` is not taken; the store keeps the documents that it has under taken ones.

    Raises as :func:`upsert_all` does.
    """
    return _Writing(collection, _insertion, limits, patience).write(documents)


def replace_where(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    condition: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    limits: WriteLimits,
    patience: Patience | None = None,
) -> list[Refused]:
    """Replace the document with the same ``_id`` where it meets the new one's ``condition``; insert none.

    Returns the refused ones. Raises as :func:`upsert_all` does.
    """

    def replacement(document: Encoded) -> ReplaceOne[RawBSONDocument]:
        return ReplaceOne({"_id": document.id, **condition(document.raw)}, document.raw)

    return _Writing(collection, replacement, limits, patience).write(documents).refused


def _replacement(document: Encoded) -> ReplaceOne[RawBSONDocument]:
    return ReplaceOne({"_id": document.id}, document.raw, upsert=True)


def _insertion(document: Encoded) -> InsertOne[RawBSONDocument]:
    return InsertOne(document.raw)


class _Writing:
    """The writes of one call: documents that have to wait are sent again, refused ones are found and left out."""

    def __init__(
        self,
        collection: Collection[dict[str, Any]],
        operation: Callable[[Encoded], Any],
        limits: WriteLimits,
        patience: Patience | None,
    ) -> None:
        self._collection = collection
        self._operation = operation
        self._limits = limits
        self._patience = patience or Patience(limits)
        self._taken: list[Encoded] = []
        self._refused: list[Refused] = []
        self._raced: set[Any] = set()
        self._waited = 0

    def write(self, documents: Sequence[Encoded]) -> Outcome:
        for batch in batches(documents, self._limits.request_bytes):
            self._write(batch)
        if self._waited:
            log.info(
                "store_throttled",
                collection=self._collection.name,
                documents=len(documents),
                refused=self._waited,
                waited_ms=round(self._patience.waited_seconds * 1000),
            )
        return Outcome(self._taken, self._refused)

    def _write(self, batch: Sequence[Encoded]) -> None:
        remaining = batch
        while remaining:
            messages: Sequence[str] = ()
            try:
                self._collection.bulk_write([self._operation(document) for document in remaining], ordered=False)
                self._patience.renew()
                return
            except BulkWriteError as error:
                remaining, messages = self._sorted(error, remaining)
            except OperationFailure as error:
                if error.code != TOO_MANY_REQUESTS:
                    if error.code not in DOCUMENT_CODES:
                        raise
                    self._halve(remaining, f"code {error.code}: {error}")
                    return
                messages = [str(error)]
            except (KeyError, InvalidDocument) as error:
                # PyMongo's own error for an answer that lacks a code, and for a document over the store's size.
                self._halve(remaining, f"{type(error).__name__}: {error}")
                return
            if messages:
                self._waited += len(remaining)
                self._patience.wait(messages)

    def _sorted(self, error: BulkWriteError, batch: Sequence[Encoded]) -> tuple[list[Encoded], list[str]]:
        """The documents of a bulk with errors that have to be sent again, and the store's messages about them."""
        problems = error.details.get("writeErrors", [])
        if error.details.get("writeConcernErrors") or not concern_documents(problems, len(batch)):
            raise error
        again, messages = [], []
        for problem in problems:
            code, document = problem.get("code"), batch[problem["index"]]
            if code == TOO_MANY_REQUESTS:
                again.append(document)
                messages.append(str(problem.get("errmsg", "")))
            elif code == DUPLICATE_KEY and self._operation is _insertion:
                self._taken.append(document)
            elif code == DUPLICATE_KEY and document.id not in self._raced:
                # Two upserts of one `_id` at once: the one that lost finds the document the second time.
                self._raced.add(document.id)
                again.append(document)
            else:
                self._refuse(document, said(problem))
        if len(problems) < len(batch):
            self._patience.renew()
        return again, messages

    def _halve(self, batch: Sequence[Encoded], reason: str) -> None:
        if len(batch) == 1:
            self._refuse(batch[0], reason)
            return
        half = len(batch) // 2
        self._write(batch[:half])
        self._write(batch[half:])

    def _refuse(self, document: Encoded, reason: str) -> None:
        self._refused.append(Refused(document, told_text(reason, SHOWN_CHARACTERS)))


def patiently(call: Callable[[], Answer], limits: WriteLimits, patience: Patience | None = None) -> Answer:
    """The answer of ``call``, which is repeated as long as request units are missing."""
    patience = patience or Patience(limits)
    while True:
        try:
            return call()
        except OperationFailure as error:
            if error.code != TOO_MANY_REQUESTS:
                raise
            patience.wait([str(error)])


def read_all(
    cursor: Cursor[dict[str, Any]], limits: WriteLimits, patience: Patience | None = None
) -> list[dict[str, Any]]:
    """All documents of a cursor that was not read from yet; the query is sent again while request units are missing."""
    return patiently(lambda: cursor.clone().to_list(), limits, patience)


def batches(documents: Sequence[Encoded], request_bytes: int) -> Iterator[Sequence[Encoded]]:
    """The documents in their order, cut so that no part exceeds the bytes of a request or 1,000 operations.

    A document that is larger by itself stands alone: the store says whether it fits.
    """
    start = size = 0
    for position, document in enumerate(documents):
        own = document.size + _OPERATION_BYTES
        if position > start and (size + own > request_bytes or position - start >= MOST_OPERATIONS):
            yield documents[start:position]
            start, size = position, 0
        size += own
    if start < len(documents):
        yield documents[start:]
