"""CSV: cells of text between delimiters."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.files.cells import MISSING, number_text
from fraudstream.generator.files.names import field_names
from fraudstream.generator.files.opening import opened_text

_DELIMITERS = ",;\t|"
_LOOKED_AT = 50

# Told of a row with too few or too many cells: its line, and what is odd about it.
OnOdd = Callable[[int, str], None]


class Delimited:
    """A CSV file: ``columns`` as its first line has them, ``names`` as an event has them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        first = self._first_rows()
        self.delimiter = _delimiter(first)
        header = next(csv.reader(first, delimiter=self.delimiter))
        self.has_header = not _is_data(header)
        self.columns = tuple(header) if self.has_header else tuple("" for _ in header)
        self.names = field_names(self.columns)

    @property
    def has_decimal_comma(self) -> bool:
        """Whether a comma in a number stands before its decimals."""
        return self.delimiter == ";"

    def rows(
        self, start: int = 0, only: Sequence[int] | None = None, on_odd: OnOdd | None = None
    ) -> Iterator[list[Any]]:
        """The cells of each row from a place on (from 0), None for missing ones; of the columns ``only``, if given.

        Cells that a row lacks are missing, further ones stand behind the columns'. Raises as :meth:`written_rows` does.
        """
        for cells in islice(self.written_rows(on_odd), start, None):
            if only is None:
                yield [None if cell in MISSING else cell for cell in cells]
            else:
                yield [None if at >= len(cells) or cells[at] in MISSING else cells[at] for at in only]

    def written_rows(self, on_odd: OnOdd | None = None) -> Iterator[list[str]]:
        """The cells of each row as they are written. Lines without a cell are no rows.

        Raises :class:`ConfigurationError` where a quote is never closed.
        """
        csv.field_size_limit(MAX_EVENT_BYTES)
        width = len(self.names)
        is_header = self.has_header
        with opened_text(self._file) as text:
            reader = csv.reader(text, delimiter=self.delimiter)
            try:
                for cells in reader:
                    if len(cells) != width:
                        if not cells or (len(cells) == 1 and not cells[0].strip()):
                            continue
                        if on_odd is not None and not is_header:
                            on_odd(reader.line_num, f"{len(cells)} cells where the first line has {width}")
                    if not is_header:
                        yield cells
                    is_header = False
            except csv.Error as error:
                raise ConfigurationError(
                    f"{self._file}, up to line {reader.line_num}: {error}. A quote may be open: close it, or double it "
                    "within a cell."
                ) from None

    def _first_rows(self) -> list[str]:
        """The first lines, empty ones left out."""
        with opened_text(self._file) as text:
            lines = (line for line in text if line.strip())
            return list(islice(lines, _LOOKED_AT))


def _delimiter(lines: list[str]) -> str:
    """The one that cuts the first lines into the most columns, in the same way."""

    def columns(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            # A cell without an end: who reads all lines says where.
            rows = list(csv.reader(lines[:1], delimiter=delimiter))
        width = len(rows[0])
        # The last one may be cut off within a quoted cell.
        same = sum(len(row) == width for row in rows) / len(rows)
        return (same if width > 1 else 0.0, width)

    return max(_DELIMITERS, key=columns)


def _is_data(header: list[str]) -> bool:
    """Whether the first line holds values and no names."""
    numbers = sum(number_text(cell) is not None for cell in header)
    return 2 * numbers >= len(header)
