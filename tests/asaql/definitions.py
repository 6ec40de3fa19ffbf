"""Windows, joins and analytic functions by their definitions, row by row, for small streams.

Times are counted in halves of a second after ten o'clock. Nothing here is fast, and nothing knows of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

HALVES = 2
_TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
# Where windows are counted from.
_YEAR_ONE = -int((_TEN - datetime(1, 1, 1, tzinfo=UTC)) / timedelta(seconds=1 / HALVES))

Value = int | float | None
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the stream; ``number`` is its place in the order of arrival."""

    number: int
    time: int
    key: str | None
    value: Value

    @property
    def row(self) -> Row:
        """The row as it is sent."""
        return {"n": self.number, "k": self.key, "v": self.value, "at": moment(self.time)}


def moment(time: int) -> str:
    """A time as the engine writes it."""
    return f"{_TEN + timedelta(seconds=time / HALVES):%Y-%m-%dT%H:%M:%S.%f}0Z"


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events by time, those of one time as they arrived."""
    return sorted(events, key=lambda event: (event.time, event.number))


def summary(group: Sequence[Event], end: int) -> Row:
    """The aggregates of a group whose window ends at ``end``: NULL does not count but for the number of rows."""
    values = [event.value for event in group if event.value is not None]
    return {
        "rows": len(group),
        "vals": len(values),
        "total": sum(values) if values else None,
        "low": min(values) if values else None,
        "high": max(values) if values else None,
        "mean": sum(values) / len(values) if values else None,
        "kinds": len(set(values)),
        "till": moment(end),
    }


def windows(events: Sequence[Event], ends: Callable[[Event], Iterable[int]], *, by_key: bool) -> Iterator[Row]:
    """A row for each window end and group; ``ends`` gives those of the windows that an event belongs to."""
    groups: dict[tuple[int, str | None], list[Event]] = {}
    for event in in_order(events):
        for end in ends(event):
            groups.setdefault((end, event.key if by_key else None), []).append(event)
    for (end, key), group in groups.items():
        yield {**summary(group, end), **({"k": key} if by_key else {})}


def hopping(size: int, hop: int, offset: int = 0) -> Callable[[Event], Iterable[int]]:
    """The ends ``e`` at multiples of the hop (and the offset) with ``e - size < time <= e``."""

    def ends(event: Event) -> Iterable[int]:
        return range(_up(event.time, hop, _YEAR_ONE + offset), event.time + size, hop)

    return ends


def sliding(events: Sequence[Event], size: int, *, by_key: bool) -> Iterator[Row]:
    """A row at each moment when an event enters or leaves a group's window, unless the window is empty then."""
    for key, group in _groups(events, by_key=by_key):
        for end in sorted({event.time for event in group} | {event.time + size for event in group}):
            content = [event for event in group if end - size < event.time <= end]
            if content:
                yield {**summary(content, end), **({"k": key} if by_key else {})}


def sessions(events: Sequence[Event], timeout: int, *, own: bool) -> Iterator[Row]:
    """Sessions of each key (``own``), or of all events together and then split by key."""
    for _, group in _groups(events, by_key=own):
        session: list[Event] = []
        for event in [*group, None]:
            if session and (event is None or event.time - session[-1].time >= timeout):
                end = session[-1].time + timeout
                for key, part in _groups(session, by_key=True):
                    yield {**summary(part, end), "k": key}
                session = []
            if event is not None:
                session.append(event)


def joined(left: Sequence[Event], right: Sequence[Event], low: int, high: int, *, outer: bool) -> Iterator[Row]:
    """Pairs of one key whose whole seconds differ by ``low`` to ``high``; with ``outer`` also rows without a pair."""
    for event in left:
        matches = [
            other
            for other in right
            if event.key is not None
            and event.key == other.key
            and low <= other.time // HALVES - event.time // HALVES <= high
        ]
        for other in matches:
            yield {"a": event.number, "b": other.number, "t": moment(max(event.time, other.time))}
        if outer and not matches:
            yield {"a": event.number, "b": None, "t": moment(event.time + high * HALVES)}


def history(
    events: Sequence[Event], place: int, limit: int, *, by_key: bool, when: Callable[[Event], bool]
) -> list[Event]:
    """The rows in order up to the one at ``place``, that are younger than the limit, of its key, and that count."""
    current = events[place]
    return [
        event
        for event in events[: place + 1]
        if event.time > current.time - limit and (not by_key or event.key == current.key) and when(event)
    ]


def is_first(events: Sequence[Event], place: int, interval: int, *, by_key: bool) -> int:
    """1 if no row before it lies in the same interval, whose end belongs to it."""
    current = events[place]

    end = _up(current.time, interval, _YEAR_ONE)
    before = [event for event in events[:place] if not by_key or event.key == current.key]
    return int(all(_up(event.time, interval, _YEAR_ONE) != end for event in before))


def _up(time: int, step: int, start: int) -> int:
    """The first of the times ``start + n * step`` that is not before ``time``."""
    return -(-(time - start) // step) * step + start


def _groups(events: Sequence[Event], *, by_key: bool) -> list[tuple[str | None, list[Event]]]:
    groups: dict[str | None, list[Event]] = {}
    for event in in_order(events):
        groups.setdefault(event.key if by_key else None, []).append(event)
    return list(groups.items())
