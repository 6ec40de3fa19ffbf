"""When a replay's records are due: on the file's own time line, at a rate, or at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime

from fraudstream.generator.malformed import Record, with_malformed
from fraudstream.generator.pacing import Clock
from fraudstream.generator.replay.entries import Entry


class TimeLine:
    """The schedule of entries, and their records one at a time.

    With a ``rate``, that many events are due each second, and labels with the event before them. Else the file's time
    passes ``speed`` times as fast as the clock's, from the first event on; with ``speed`` 0 all is due at once.
    """

    def __init__(self, entries: Iterator[Entry], clock: Clock, *, speed: float, rate: float = 0.0) -> None:
        self._entries = entries
        self._clock = clock
        self._speed = speed
        self._rate = rate
        self._next: Entry | None = None
        self._first: datetime | None = None
        self._start = 0.0
        self._events = 0

    def wait_for(self, number: int) -> bool:
        """Wait until record ``number`` (from 0) is due. False: there are no more, or the run is to stop."""
        if number == 0:
            self._start = self._clock.now()
        if self._clock.stopped:
            return False
        self._next = next(self._entries, None)
        if self._next is None:
            return False
        remaining = self._start + self._seconds(self._next) - self._clock.now()
        if remaining > 0:
            self._clock.wait(remaining)
        return not self._clock.stopped

    def records(self) -> Iterator[Record]:
        """The record that was waited for, each time."""
        while self._next is not None:
            due, self._next = self._next, None
            yield due.record

    def again(self, id: int | str) -> str:  # noqa: ARG002 - a schedule's signature
        """Words that say how to go on."""
        return "replay again, which goes on behind the last record that was acknowledged"

    def _seconds(self, entry: Entry) -> float:
        """How long after the start the entry is due."""
        is_event = entry.record.topic is None
        if self._rate:
            number, self._events = self._events, self._events + is_event
            return number / self._rate if is_event else 0.0
        if self._first is None and is_event:
            self._first = entry.moment
        if not self._speed or entry.moment is None or self._first is None:
            return 0.0
        return (entry.moment - self._first).total_seconds() / self._speed


def broken(entries: Iterator[Entry], count: int, malformed: int) -> Iterator[Entry]:
    """The entries with ``malformed`` of their ``count`` events broken; the labels stay.

    Raises :class:`ConfigurationError` for more than there are events.
    """
    if not malformed:
        return entries
    labels: list[Entry] = []
    moments: deque[datetime | None] = deque()

    def events() -> Iterator[Record]:
        for entry in entries:
            if entry.record.topic is None:
                moments.append(entry.moment)
                yield entry.record
            else:
                labels.append(entry)

    mixed = with_malformed(events(), count=count, malformed_count=malformed)

    def merged() -> Iterator[Entry]:
        for record in mixed:
            while labels:
                yield labels.pop(0)
            yield Entry(record, moments.popleft())
        yield from labels

    return merged()
