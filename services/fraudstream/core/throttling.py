"""Writes and reads that wait when the store has no request units left, and batches that fit into one request.

Cosmos DB for MongoDB answers code 16500 with ``RetryAfterMs`` once the budget of a second is spent; of an unordered
bulk write the operations before that are applied, the others are not (azure-docs, issue 69351). Some builds leave
``RetryAfterMs`` out (vscode-documentdb, issue 136). A caller that waits here is what slows Spark down: no batch is
taken in before the last one is stored.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import bson
import structlog
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.errors import BulkWriteError, OperationFailure

from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.settings import Settings

TOO_MANY_REQUESTS = 16500
DUPLICATE_KEY = 11000
# What Microsoft's guide for bulk writes recommends (optimize-write-performance).
MOST_OPERATIONS = 1_000

_RETRY_AFTER = re.compile(r"RetryAfterMs=(\d+)")
_FIRST_WAIT_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 5.0
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
    """How long one batch has waited, and how long it may, since the store last took something of it."""

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
        """Something was taken: what is left may wait as long again."""
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
        asked = max((retry_after_seconds(message) or 0.0 for message in messages), default=0.0)
        backoff = min(_FIRST_WAIT_SECONDS * 2**self._refusals, _LONGEST_WAIT_SECONDS)
        self._refusals = self._refusals + 1 if not asked else 0
        # Several writers that wait for the same second must not all come back at its first moment.
        pause = (asked or backoff) * random.uniform(1.0, 1.5)  # noqa: S311 - jitter, not a secret
        self.waited_seconds += pause
        self._sleep(pause)


def retry_after_seconds(message: str) -> float | None:
    """The pause that an error's text asks for, in seconds; None where it names none."""
    found = _RETRY_AFTER.search(message)
    return None if found is None else int(found[1]) / 1000


class Encoded(NamedTuple):
    """A document as it goes over the wire: encoded once, for the check, for its size and for each collection."""

    number: Any
    raw: RawBSONDocument

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Encoded:
        """Raises ``BSONError``, ``OverflowError`` and others of ``bson.encode`` for what no store can hold."""
        return cls(document["_id"], RawBSONDocument(bson.encode(document)))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw.raw)


def upsert_all(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    limits: WriteLimits,
    patience: Patience | None = None,
) -> None:
    """Replace or insert each document by its ``_id``; returns once the store has acknowledged all of them.

    Raises :class:`StoreUnavailable` when request units stay away for too long, ``BulkWriteError`` for anything else.
    """
    _write_all(collection, documents, _replacement, {TOO_MANY_REQUESTS}, limits, patience)


def insert_new(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    limits: WriteLimits,
    patience: Patience | None = None,
) -> list[Encoded]:
    """Insert each document whose ``_id`` is not taken; returns the others, which the store keeps as they are there.

    Raises as :func:`upsert_all` does.
    """
    return _write_all(collection, documents, _insertion, {TOO_MANY_REQUESTS, DUPLICATE_KEY}, limits, patience)


def _replacement(made: Encoded) -> ReplaceOne[RawBSONDocument]:
    return ReplaceOne({"_id": made.number}, made.raw, upsert=True)


def _insertion(made: Encoded) -> InsertOne[RawBSONDocument]:
    return InsertOne(made.raw)


def _write_all(
    collection: Collection[dict[str, Any]],
    documents: Sequence[Encoded],
    operation: Callable[[Encoded], Any],
    expected: Set[int],
    limits: WriteLimits,
    patience: Patience | None,
) -> list[Encoded]:
    patience = patience or Patience(limits)
    taken: list[Encoded] = []
    refused = 0
    for batch in batches(documents, limits.request_bytes):
        left = batch
        while left:
            try:
                collection.bulk_write([operation(made) for made in left], ordered=False)
                patience.renew()
                break
            except BulkWriteError as error:
                problems = error.details.get("writeErrors", [])
                codes = {problem["code"] for problem in problems}
                if error.details.get("writeConcernErrors") or codes - expected:
                    raise
                taken += [left[problem["index"]] for problem in problems if problem["code"] == DUPLICATE_KEY]
                if len(problems) < len(left):
                    patience.renew()
                waiting = [problem for problem in problems if problem["code"] == TOO_MANY_REQUESTS]
                left = [left[problem["index"]] for problem in waiting]
                messages = [str(problem.get("errmsg", "")) for problem in waiting]
            except OperationFailure as error:
                if error.code != TOO_MANY_REQUESTS:
                    raise
                messages = [str(error)]
            refused += len(left)
            if left:
                patience.wait(messages)
    if refused:
        log.info(
            "store_throttled",
            collection=collection.name,
            documents=len(documents),
            refused=refused,
            waited_ms=round(patience.waited_seconds * 1000),
        )
    return taken


def patiently(call: Callable[[], Answer], limits: WriteLimits, patience: Patience | None = None) -> Answer:
    """The answer of ``call``, which is made again as long as request units are missing."""
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
    """All documents of a cursor that was not read from yet; the query is made anew while request units are missing."""
    return patiently(lambda: cursor.clone().to_list(), limits, patience)


def batches(documents: Sequence[Encoded], request_bytes: int) -> Iterator[Sequence[Encoded]]:
    """The documents in their order, cut so that no part exceeds the bytes of a request or 1,000 operations.

    A document that alone is larger stands alone: whether it fits is the store's to say.
    """
    start = size = 0
    for position, made in enumerate(documents):
        own = made.size + _OPERATION_BYTES
        if position > start and (size + own > request_bytes or position - start >= MOST_OPERATIONS):
            yield documents[start:position]
            start, size = position, 0
        size += own
    if start < len(documents):
        yield documents[start:]
