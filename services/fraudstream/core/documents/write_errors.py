"""What a document store's write errors are about: one document, or the store.

The codes are MongoDB's (its error_codes.yml), which Cosmos DB, Azure DocumentDB and the embedded store use as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TOO_MANY_REQUESTS = 16500
DUPLICATE_KEY = 11000
# Errors about one document (MongoDB's error codes; 16 and 413 are Cosmos DB's for one that is too large).
DOCUMENT_CODES = frozenset(
    (2, 9, 14, 15, 16, 22, 28, 40, 42, 51, 52, 53, 54, 55, 56, 57, 66, 121, 413, 10334, 17280, 17419, 17420)
)
# Errors about the store, whichever document they come with: it is full, stops, is no primary, gives no access.
STORE_CODES = frozenset(
    (
        *(
            6,
            7,
            13,
            18,
            20,
            24,
            26,
            33,
            50,
            59,
            61,
            63,
            64,
            79,
            89,
            91,
            100,
            112,
            115,
            133,
            189,
            202,
            262,
            275,
            279,
            317,
        ),
        *(358, 8000, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 14031),
    )
)

SHOWN_CHARACTERS = 300


def concern_documents(problems: Sequence[Mapping[str, Any]], count: int) -> bool:
    """Whether the errors of a bulk of so many documents are about single ones of them.

    They are by their codes; an unknown code is, when others of the bulk pass or when the document stands alone: should
    the store be to blame after all, setting the document aside fails as well.
    """
    codes = [problem.get("code") for problem in problems]
    known = DOCUMENT_CODES | {TOO_MANY_REQUESTS, DUPLICATE_KEY, None}
    unknown = sum(code not in known for code in codes)
    return STORE_CODES.isdisjoint(codes) and (unknown < count or count == 1)


def said(problem: Mapping[str, Any]) -> str:
    """A write error's code, which some stores leave out, and text."""
    text = problem.get("errmsg") or "the store gives no text"
    return f"code {problem['code']}: {text}" if problem.get("code") is not None else f"without a code: {text}"
