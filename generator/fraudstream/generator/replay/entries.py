"""A file's rows as records in the order in which they are due: events, and the labels that become known later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import orjson

from fraudstream.core.contract.times import ISO, TimeForm
from fraudstream.core.contract.topics import LABELS
from fraudstream.generator.malformed import Record


class FileRow(Protocol):
    """What is needed of a row: its event, with and without the label, and when it happened (UTC)."""

    @property
    def id(self) -> int | str: ...
    @property
    def key(self) -> bytes: ...
    @property
    def time(self) -> datetime: ...
    @property
    def value(self) -> bytes: ...
    @property
    def label(self) -> int | None: ...

    def labelled(self) -> bytes:
        """The event with its label."""
        ...


class Rows(Protocol):
    """The rows of a file in the order of time; the first ``history_count`` of ``count`` are history."""

    @property
    def count(self) -> int: ...
    @property
    def history_count(self) -> int: ...

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[FileRow]:
        """The rows from one place in that order to another."""
        ...


class Position(NamedTuple):
    """How far a replay has come, as places in the order of time: the next event, and the event of the next label.

    ``held``: how many labels of the events before are held back.
    """

    event: int
    label: int
    held: int


class Entry(NamedTuple):
    """A record, and the moment on the file's own time line at which it is due; None: at once."""

    record: Record
    moment: datetime | None


class _Held(NamedTuple):
    """A label that is not known yet."""

    place: int
    id: int | str
    label: int
    known_at: datetime


class History:
    """The labelled history of a file: the last ``most`` rows of its first part, or all of that."""

    def __init__(self, source: Rows, most: int | None = None) -> None:
        self._source = source
        self.rows = source.history_count if most is None else min(most, source.history_count)
        self.unlabelled = 0

    def records(self) -> Iterator[Record]:
        """The rows with their labels; those without one are counted and left out."""
        end = self._source.history_count
        for row in self._source.rows(end - self.rows, end):
            if row.label is None:
                self.unlabelled += 1
            else:
                yield Record(row.id, row.key, row.labelled())


@dataclass(slots=True)
class Replay:
    """The rows from ``position`` on as entries; ``position`` moves on with what has been taken.

    A label is due ``delay`` after its event, on the file's own time line. After ``count`` events the labels that are
    not known by then are held back, unless ``release`` sends them all; the end of the file holds none back.
    """

    source: Rows
    position: Position
    delay: timedelta
    count: int | None = None
    release: bool = False

    def entries(self) -> Iterator[Entry]:
        """Events, and each label before the first event that is later than what makes it known."""
        waiting: deque[_Held] = deque()
        begins_at, sent = self.position.event, 0
        # Labels that were held back are read again from their rows.
        for place, row in enumerate(self.source.rows(self.position.label), self.position.label):
            if place >= begins_at:
                if self.count is not None and sent == self.count:
                    break
                while waiting and waiting[0].known_at <= row.time:
                    yield self._label(waiting)
                sent += 1
                held = len(waiting) + (row.label is not None)
                self.position = self.position._replace(event=place + 1, held=held)
                yield Entry(Record(row.id, row.key, row.value, position=self.position), row.time)
            if row.label is not None:
                waiting.append(_Held(place, row.id, row.label, _later(row.time, self.delay)))
        if self.position.event < self.source.count and not self.release:
            return
        while waiting:
            yield self._label(waiting, at_once=self.release)

    def _label(self, waiting: deque[_Held], *, at_once: bool = False) -> Entry:
        held = waiting.popleft()
        self.position = self.position._replace(label=held.place + 1, held=len(waiting))
        value = verdict(held.id, held.label, held.known_at)
        record = Record(held.id, str(held.id).encode(), value, topic=LABELS, position=self.position)
        return Entry(record, None if at_once else held.known_at)


def verdict(id: int | str, label: int, known_at: datetime, campaign: str | None = None) -> bytes:
    """The record that says what became of a transaction, and what a fraud was part of, where that was found out."""
    said: dict[str, Any] = {"id": id, "label": label, "observed_at": TimeForm(ISO).write(known_at)}
    if campaign is not None:
        said["campaign"] = campaign
    return orjson.dumps(said)


def _later(moment: datetime, delay: timedelta) -> datetime:
    try:
        return moment + delay
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def place_of(source: Rows, moment: datetime) -> int:
    """The place of the first row that is not before ``moment``; behind the last one where there is none."""
    for place, row in enumerate(source.rows()):
        if row.time >= moment:
            return place
    return source.count
