"""The bytes of a query file as text."""

from __future__ import annotations

import codecs

from fraudstream.asaql.errors import DEFAULT_FILE, QueryError

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(raw: bytes, file: str = DEFAULT_FILE) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark. Raises QueryError where it is neither."""
    if raw.startswith(_UTF_16_MARKS):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        reason = f"The byte 0x{raw[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        raise QueryError(reason, line, column, file) from None
