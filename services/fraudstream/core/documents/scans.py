"""Reading a whole collection from a store that may refuse any part of it for want of request units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pymongo.errors import OperationFailure

from fraudstream.core.documents.client import Document
from fraudstream.core.documents.throttling import Patience, WriteLimits
from fraudstream.core.documents.write_errors import TOO_MANY_REQUESTS


def scanned(query: Callable[[], Iterator[Document]], size: int, limits: WriteLimits) -> Iterator[list[Document]]:
    """The documents of ``query``, at most ``size`` at a time, each once by its ``_id``.

    A cursor whose next batch is refused for want of request units is lost: the query is made anew then, and goes on
    behind what was read. Raises ``PyMongoError``, and :class:`StoreUnavailable` when no units come for too long.
    """
    patience = Patience(limits)
    seen: set[Any] = set()
    cursor = query()
    while True:
        batch: list[Document] = []
        try:
            for document in cursor:
                if (id := _identity(document["_id"])) not in seen:
                    seen.add(id)
                    batch.append(document)
                if len(batch) == size:
                    break
        except OperationFailure as error:
            if error.code != TOO_MANY_REQUESTS:
                raise
            if batch:
                patience.renew()
            patience.wait([str(error)])
            cursor = query()
        else:
            if not batch:
                return
            patience.renew()
        if batch:
            yield batch


def _identity(id: Any) -> Any:
    """An id of whatever kind, as a member of a set: whole numbers by their value, all others by kind and text."""
    if isinstance(id, int) and not isinstance(id, bool):
        # Of 32 or of 64 bits.
        return int(id)
    return type(id), repr(id)
