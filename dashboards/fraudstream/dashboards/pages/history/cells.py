"""Stored values as cells of a file: every program reads a cell as the text or number that it is.

Spreadsheets read text that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, also after a quote or after a
separator that another country uses. Programs that read tables by name read ``Amount`` and ``amount`` as one column.
CSV is for people and their spreadsheets, so its texts are made harmless. Parquet has types, and keeps texts unchanged.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from fraudstream.core.output.distinct_names import DistinctNames
from fraudstream.core.output.text import ELLIPSIS, printable
from fraudstream.dashboards.data import stored

# Excel's limit for a cell is 32,767 UTF-16 units (Microsoft Support, "Excel specifications and limits"); an emoji has
# two. Excel puts the rest of a longer text into the next cell.
LONGEST_CELL = 32_000
LONGEST_NAME = 200
# Programs read hundreds of columns, but not one for each name that senders invent: further fields share one column.
MOST_COLUMNS = 1_000
REST = "more_fields"

# Nested values become JSON text, up to a size that programs can read again.
_DEEPEST = 200
_MOST_VALUES = 200_000
_MOST_CHARACTERS = 4_000_000

# CWE-1236 and OWASP, "CSV Injection": a formula begins with one of these signs or their full-width forms, after any
# quotes and blanks at the beginning of a cell; separators that other countries use begin a cell too. A plain number is
# no formula if it is the whole cell (`-1,2` could go on as a formula where the comma is a decimal sign), or a number or
# text within JSON.
# A run of quotes and blanks is matched possessively and only from its beginning. Otherwise the search would start again
# at each of its characters, and a sender could make it take minutes.
_NUMBER = r"-[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_FORMULA = re.compile(
    rf"""(
        (?<![\s"'])(?:
            ^ [\s"']*+ (?!{_NUMBER}\Z)
          | (?<=[;|]) [\s"']*+ (?!{_NUMBER}(?:\Z|[;|]))
          | (?<=,) \s*+ (?!["']) (?!{_NUMBER}(?:\Z|[,;\]}}]))
          | (?<![;|]) (?=\s*+["']) [\s"']*+ (?!{_NUMBER}(?:\Z|["']))
        )
    )
    (?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b])""",
    re.VERBOSE,
)
Cell = bool | int | float | str | datetime | None


def cell(value: Any) -> Cell:
    """A stored value as a cell: numbers, texts and times unchanged, nested values as JSON text, all others as text.

    A number that is not finite gives an empty cell.
    """
    if value is None or isinstance(value, bool | datetime):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        # Half a character (a surrogate) cannot be encoded, so it is escaped.
        return value.encode("utf-8", "backslashreplace").decode()
    plain = stored.plain(
        value, depth=_DEEPEST, values=_MOST_VALUES, characters=_MOST_CHARACTERS, longest=_MOST_CHARACTERS
    )
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def harmless(text: str) -> str:
    """The text as one line for a spreadsheet's cell, with ``'`` before each part that it would read as a formula.

    Control characters are escaped: for programs that read lines, a line break would end the record.
    """
    return _cut(_FORMULA.sub(r"\1'", printable(text, LONGEST_CELL)))


def _cut(text: str) -> str:
    """The text; if it is longer than a cell, its beginning with an ellipsis."""
    # UTF-16 has two bytes for each unit that spreadsheets count. A cut surrogate pair is dropped by "ignore".
    units = text.encode("utf-16-le") if 2 * len(text) > LONGEST_CELL else b""
    if len(units) <= 2 * LONGEST_CELL:
        return text
    return units[: 2 * (LONGEST_CELL - 1)].decode("utf-16-le", "ignore") + ELLIPSIS


def folded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with :data:`MOST_COLUMNS` columns at most; column :data:`REST` holds the other fields as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) <= MOST_COLUMNS:
        return [dict(row) for row in rows]
    kept = set(names[: MOST_COLUMNS - 1])
    narrow = []
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in kept}
        narrow.append({name: value for name, value in row.items() if name in kept} | ({REST: rest} if rest else {}))
    return narrow


def distinct(names: Iterable[str]) -> list[str]:
    """Column names that every program tells apart: printable, not empty, and different in more than their case."""
    columns = DistinctNames("_", str.casefold)
    return [columns.given(printable(name, LONGEST_NAME).strip() or "unnamed") for name in names]


def column(values: Sequence[Cell], *, for_spreadsheets: bool) -> pa.Array:
    """A column of cells: of their type if all have the same, else of text."""
    if for_spreadsheets:
        values = [harmless(value) if isinstance(value, str) else value for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        # A field outside of the contract may have another type in each event.
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
