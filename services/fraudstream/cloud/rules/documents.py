"""Why Cosmos DB for MongoDB refuses a document: its depth, its names or its shard key.

The limits are those of :mod:`fraudstream.core.contract.limits`. The service's pages name no codes for depth and names;
those are MongoDB's own (15 Overflow, 52 DollarPrefixedFieldName).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bson

from fraudstream.cloud.rules.refusals import Refusal
from fraudstream.core.contract.limits import DOCUMENT, NESTING, name_problem

# Maximum length of a partition key value, cosmos-db/concepts-limits.
MOST_SHARD_KEY_BYTES = 2_048
# Single-field indexes of a collection, mongodb/indexing.
MOST_INDEXES = 500
DOCUMENT_BYTES = DOCUMENT.cosmos.most or 0
NESTING_LEVELS = NESTING.cosmos.most or 0


def document_refusal(document: Mapping[str, Any], shard_key: str | None = "_id") -> Refusal | None:
    """Why the service refuses a whole document, or None."""
    for depth, names in _levels(document):
        if depth > NESTING_LEVELS:
            text = f"BSONObj exceeds maximum nested object depth: {NESTING_LEVELS}"
            return Refusal("CO028", 15, "Overflow", text)
        for name in names:
            if problem := name_problem(name):
                text = f"The dollar ($) prefixed field '{name[:50]}' is not valid for storage ({problem})"
                return Refusal("CO029", 52, "DollarPrefixedFieldName", text)
    if shard_key is not None and shard_key in document:
        size = len(bson.encode({"": document[shard_key]})) - 7
        if size > MOST_SHARD_KEY_BYTES:
            text = f"The value of the shard key '{shard_key}' has {size} bytes, {MOST_SHARD_KEY_BYTES} are allowed"
            return Refusal("CO030", 2, "BadValue", text)
    return None


def update_refusal(content: Any, shard_key: str | None = "_id") -> Refusal | None:
    """Why the service refuses an update's content (a replacement, or operators with their values), or None."""
    if not isinstance(content, Mapping):
        return None
    if not str(next(iter(content), "")).startswith("$"):
        return document_refusal(content, shard_key)
    changes = (value for value in content.values() if isinstance(value, Mapping))
    return next((refused for change in changes if (refused := document_refusal(change, shard_key)) is not None), None)


def _levels(document: Mapping[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """The depth and the names of each object and array, without recursion: a document may be too deep for it."""
    waiting: list[tuple[int, Any]] = [(1, document)]
    while waiting:
        depth, value_here = waiting.pop()
        yield depth, [str(name) for name in value_here] if isinstance(value_here, Mapping) else []
        if depth <= NESTING_LEVELS:
            inner = value_here.values() if isinstance(value_here, Mapping) else value_here
            waiting += [(depth + 1, value) for value in inner if isinstance(value, Mapping | list | tuple)]
