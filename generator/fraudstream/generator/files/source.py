"""A project's file of transactions: its rows as events, in the order of time."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project
from fraudstream.generator.files.columnar import Columnar
from fraudstream.generator.files.delimited import Delimited
from fraudstream.generator.files.documents import Documents
from fraudstream.generator.files.events import Cells, Messages, Roles, Row
from fraudstream.generator.files.opening import kind_of

__all__ = ["FileSource", "OddRow", "Row"]

_MOST_SHOWN = 20


class OddRow(NamedTuple):
    """A row with too few or too many cells: the line at which it ends, from 1, and what is odd about it."""

    line: int
    problem: str


class _Odd:
    def __init__(self) -> None:
        self.count = 0
        self.first: list[OddRow] = []

    def add(self, line: int, problem: str) -> None:
        self.count += 1
        if len(self.first) < _MOST_SHOWN:
            self.first.append(OddRow(line, problem))


@dataclass(frozen=True, slots=True)
class _Records:
    """The records of a file in its order from a place on, their times, and how each becomes an event."""

    read: Callable[[int], Iterator[Any]]
    times: Callable[[_Odd], Iterator[int | None]]
    row: Callable[[int, Any, int], Row]


class FileSource:
    """The rows of a file as events of a project.

    ``count`` is their number, ``history_count`` how many of them, in the order of time, are labelled history. The file
    is read once to learn their times, and once again for the events; one that is not in the order of time is copied
    to a temporary file in between. Raises :class:`ConfigurationError` for a file that cannot be read, or that lacks
    what the project names.
    """

    def __init__(self, project: Project, file: Path | None = None) -> None:
        """Without ``file`` the project's own."""
        source = project.definition.source
        if file is None:
            if source.file is None:
                raise ConfigurationError(
                    f"The project {project.name} names no file. Name one in fraudstream.toml, [source] file, or with "
                    "--from."
                )
            file = project.folder / Path(source.file).expanduser()
        self.file = file
        self._records = _records(file, Roles(project))
        odd = _Odd()
        self._micros = _known_times(self._records.times(odd))
        self.count = len(self._micros)
        if not self.count:
            raise ConfigurationError(f"{file} has no rows. Name a file of transactions.")
        # Rows with too few or too many cells. They are sent as well: the contract tells which of them are events.
        self.odd_count, self.first_odd_rows = odd.count, tuple(odd.first)
        self.history_count = int(self.count * source.history_share)
        self._sorted: _Sorted | None = None
        self._is_in_order = all(
            before <= after for before, after in zip(self._micros, islice(self._micros, 1, None), strict=False)
        )

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[Row]:
        """The rows from one place to another in the order of time; those of one time in the order of the file."""
        end = self.count if end is None else min(end, self.count)
        if start >= end:
            return
        if self._is_in_order:
            numbered = enumerate(self._records.read(start), start)
            for number, record in islice(numbered, end - start):
                yield self._records.row(number, record, self._micros[number])
            return
        if self._sorted is None:
            self._sorted = _Sorted(self._records.read(0), self._micros)
        for number, record in self._sorted.records(start, end):
            yield self._records.row(number, record, self._micros[number])


class _Sorted:
    """The records in a temporary file, from which they are read in the order of time."""

    def __init__(self, records: Iterator[Any], micros: array[int]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        self._places = array("q")
        for record in islice(records, len(micros)):
            self._places.append(self._file.tell())
            pickle.dump(record, self._file, pickle.HIGHEST_PROTOCOL)
        self._order = sorted(range(len(self._places)), key=micros.__getitem__)

    def records(self, start: int, end: int) -> Iterator[tuple[int, Any]]:
        for number in self._order[start:end]:
            self._file.seek(self._places[number])
            yield number, pickle.load(self._file)  # noqa: S301 - of our own file, which has no name


def _records(file: Path, roles: Roles) -> _Records:
    kind = kind_of(file)
    if kind == "csv":
        return _of_table(Delimited(file), roles)
    if kind == "parquet":
        return _of_table(Columnar(file), roles)
    documents, messages = Documents(file, is_array=kind == "json"), Messages(roles)
    return _Records(
        documents.texts,
        lambda _: (messages.micros(text, number) for number, text in enumerate(documents.texts())),
        messages.row,
    )


def _of_table(table: Delimited | Columnar, roles: Roles) -> _Records:
    events = Cells(roles, table.columns, table.names, table.has_decimal_comma)

    def times(odd: _Odd) -> Iterator[int | None]:
        place = events.time_place
        only = [] if place is None else [place]
        if isinstance(table, Delimited):
            cells = table.rows(0, only, odd.add)
        else:
            if place is not None and events.is_plain_time and (micros := table.micros(place)) is not None:
                return micros
            cells = table.rows(0, only or [0])
        return (events.micros(row, number) for number, row in enumerate(cells))

    return _Records(table.rows, times, events.row)


def _known_times(times: Iterator[int | None]) -> array[int]:
    """The rows' times in microseconds since 1970; one without a time has that of the row before."""
    known = array("q")
    waiting, last = 0, None
    for micros in times:
        if micros is None and last is None:
            waiting += 1
            continue
        last = (last or 0) if micros is None else micros
        # Those at the beginning have the first that there is.
        known.extend([last] * (waiting + 1))
        waiting = 0
    known.extend([0] * waiting)
    return known


def first_events(project: Project, file: Path, count: int) -> list[Row]:
    """The first rows of a file in its own order, without a look at the others."""
    records = _records(file, Roles(project))
    known = _known_times(islice(records.times(_Odd()), count))
    rows = zip(records.read(0), known, strict=False)
    return [records.row(number, record, micros) for number, (record, micros) in enumerate(rows)]
