"""What becomes of a stored value in a file: a cell that every program reads as the text or number that it is.

Spreadsheets take text that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, also behind a quote or a separator
of another country; programs that read tables by name take ``Amount`` and ``amount`` for one column. CSV is for people
and their spreadsheets, so that its texts are made harmless; Parquet has types, and keeps texts as they are.
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

# Excel's limit for a cell is 32,767 (Microsoft Support, "Excel specifications and limits"), and it counts in UTF-16: an
# emoji is two. What is beyond begins the next cell.
LONGEST_CELL = 32_000
LONGEST_NAME = 200
# Readers of tables take hundreds of columns, not one for each name that senders invent: the rest share a column.
MOST_COLUMNS = 1_000
REST = "more_fields"

# What is nested becomes JSON text, as whole as can be read again.
_DEEPEST = 200
_MOST_VALUES = 200_000
_MOST_CHARACTERS = 4_000_000

# CWE-1236 and OWASP, "CSV Injection": the signs, their full-width forms, and what may stand between them and the begin
# of a cell; separators of other countries begin cells as well. A plain number is none of it, where it is the whole cell
# (`-1,2` may go on as a formula where the comma is a decimal sign), or a number or a text of JSON.
# A run of quotes and blanks is taken whole, from its begin alone: from each of its characters it would be gone through
# again, which a sender can make take minutes.
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
    """A stored value as a cell: numbers, texts and moments as they are, what is nested as JSON text, the rest as text.

    A number that is not finite is no number: its cell is empty.
    """
    if value is None or isinstance(value, bool | datetime):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        # Half a character cannot be written in any encoding.
        return value.encode("utf-8", "backslashreplace").decode()
    made = stored.plain(
        value, depth=_DEEPEST, values=_MOST_VALUES, characters=_MOST_CHARACTERS, longest=_MOST_CHARACTERS
    )
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def harmless(text: str) -> str:
    """The text in one line of a spreadsheet's cell, with ``'`` before what it would take for a formula.

    Control characters are escaped: a line break would end the record for programs that read lines.
    """
    return _cut(_FORMULA.sub(r"\1'", printable(text, LONGEST_CELL)))


def _cut(text: str) -> str:
    """The text, or as much of it as a cell takes, with an ellipsis."""
    # Two bytes for each of the units that spreadsheets count; half of a pair is left out.
    units = text.encode("utf-16-le") if 2 * len(text) > LONGEST_CELL else b""
    if len(units) <= 2 * LONGEST_CELL:
        return text
    return units[: 2 * (LONGEST_CELL - 1)].decode("utf-16-le", "ignore") + ELLIPSIS


def folded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with :data:`MOST_COLUMNS` columns at most; what other fields hold stands in :data:`REST`, as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) <= MOST_COLUMNS:
        return [dict(row) for row in rows]
    kept = set(names[: MOST_COLUMNS - 1])
    made = []
    for row in rows:
        rest = {name: value for name, value in row.items() if name not in kept}
        made.append({name: value for name, value in row.items() if name in kept} | ({REST: rest} if rest else {}))
    return made


def distinct(names: Iterable[str]) -> list[str]:
    """Names of columns that differ for every reader: printable, none empty, none like another but for its case."""
    made = DistinctNames("_", str.casefold)
    return [made.given(printable(name, LONGEST_NAME).strip() or "unnamed") for name in names]


def column(values: Sequence[Cell], *, for_spreadsheets: bool) -> pa.Array:
    """A column of cells: of one type where they have one, else of text."""
    if for_spreadsheets:
        values = [harmless(value) if isinstance(value, str) else value for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        # A sender's own field may be of any type, from one event to the next.
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
