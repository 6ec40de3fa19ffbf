"""Which data the live page's figures count, for a reader's range and filters: pure functions.

Three sources, each exact, chosen in this order:

- since the start, without a filter: the totals that the store job keeps;
- the window of newest decisions in memory, while it covers the range, and always where a filter is set: only single
  decisions can answer every combination of filters;
- where the window does not reach back far enough: the minutes that the store job keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from fraudstream.core.contract.rollups import ALL
from fraudstream.core.documents.client import RECENT_SLOTS
from fraudstream.dashboards.data import measures
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import Decision, LiveSnapshot, minute_starts, summed
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.data.window import Window
from fraudstream.dashboards.data.window_view import EMPTY, Filters, Slice, WindowView

RANGES: dict[str, timedelta | None] = {
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "all": None,
}
RANGE_WORDS = {"5m": "last 5 minutes", "15m": "last 15 minutes", "1h": "last hour", "all": "since the start"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """What a reader chose; ``paused_at`` freezes the view at a moment."""

    range: str = "1h"
    filters: Filters = field(default_factory=dict)
    paused_at: datetime | None = None
    frauds_only: bool = False

    @property
    def filtered(self) -> bool:
        return any(self.filters.values())


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page draws. ``read_at`` is None before the first data; ``problem`` says why they are old."""

    source: str
    read_at: datetime | None
    problem: str
    since: datetime | None
    until: datetime
    total: Tally = field(default_factory=Tally)
    dimensions: Mapping[str, Tallies] = field(default_factory=dict)
    minutes: Mapping[datetime, Tally] = field(default_factory=dict)
    starts: tuple[datetime, ...] = ()
    rows: tuple[Decision, ...] = ()
    rate: float | None = None
    latency_p95: float | None = None
    cut: bool = False
    version: tuple[Any, ...] = ()


def shown(view: View[LiveSnapshot], tail: TailView, chosen: Selection, now: datetime) -> Shown:
    """Count what the selection asks for, from the source that can tell."""
    until = chosen.paused_at or now
    snapshot = view.snapshot
    window, source, problem = _window(view, tail)
    read_at = now if tail.caught_up else (snapshot.read_at if snapshot else None)
    span = RANGES[chosen.range]
    since = _EPOCH if span is None else until - span
    from_window = window.covers(since) or chosen.filtered
    if span is None and not chosen.filtered:
        if snapshot is None:
            return Shown("store", None, view.problem, None, until)
        counted, source, problem, read_at = _of_totals(snapshot), "totals", view.problem, snapshot.read_at
    elif from_window and (tail.caught_up or window.covers_from is not None):
        reach = window.covers_from or since
        cut = reach > since
        since = max(since, reach)
        counted = window.slice(since, chosen.paused_at, chosen.filters)
        if (cut and span is not None) or (span is None and chosen.filtered):
            source = f"{source}, cut"
    elif snapshot is not None and snapshot.detailed:
        counted, source, problem, read_at = (
            _of_minutes(snapshot, since, until),
            "minutes",
            view.problem,
            snapshot.read_at,
        )
    else:
        return Shown("store", None, view.problem or "", None, until)
    starts = [start for start in minute_starts(until) if span is None or start > until - span - timedelta(minutes=1)]
    # The window's decisions, or minutes of the store where it holds too few: a line without a gap either way.
    line = counted.minutes
    if not chosen.filtered and not window.covers(starts[0]) and snapshot is not None:
        line = {start: tallies[ALL][ALL] for start, tallies in snapshot.minutes.items()}
    latencies = counted.latencies
    if source in ("totals", "minutes"):
        # Rollups know no latencies: the newest decisions tell.
        latencies = window.latencies(max(since, window.covers_from or since), chosen.paused_at, chosen.filters)
    return Shown(
        source=source,
        read_at=read_at,
        problem=problem,
        since=None if since == _EPOCH else since,
        until=until,
        total=counted.total,
        dimensions=counted.dimensions,
        minutes=line,
        starts=tuple(starts),
        rows=tuple(window.newest(ROWS_SHOWN, since, chosen.paused_at, _rows_filter(chosen))),
        rate=measures.events_per_second(window, now),
        latency_p95=measures.quantile(latencies, 0.95),
        cut=source.endswith(", cut"),
        version=_version(view, tail, window),
    )


def _rows_filter(chosen: Selection) -> Filters:
    return {**chosen.filters, "fraud": frozenset({"1"})} if chosen.frauds_only else chosen.filters


def _window(view: View[LiveSnapshot], tail: TailView) -> tuple[WindowView, str, str]:
    """The window to count, what it is made of, and what is wrong with that."""
    if tail.caught_up:
        return tail.window, "stream", ""
    return ring_window(view.snapshot), "ring", view.problem


def ring_window(snapshot: LiveSnapshot | None) -> WindowView:
    """The newest stored decisions as a window: what there is while the stream itself cannot be read."""
    if snapshot is None or not snapshot.detailed:
        return EMPTY
    return _window_of(_Same(snapshot.recent))


class _Same:
    """A ring told apart by being the same object: every viewer of a snapshot shares its window."""

    def __init__(self, recent: tuple[Decision, ...]) -> None:
        self.recent = recent

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.recent is self.recent

    def __hash__(self) -> int:
        return id(self.recent)


@lru_cache(maxsize=2)
def _window_of(ring: _Same) -> WindowView:
    window = Window()
    window.add(reversed(ring.recent))
    window.complete_since(_ring_covers_from(ring.recent))
    return window.view()


def _ring_covers_from(recent: tuple[Decision, ...]) -> datetime:
    """A partition whose ring is full has lost what came before its oldest slot."""
    by_partition: dict[int, list[datetime]] = {}
    for decision in recent:
        by_partition.setdefault(decision.partition, []).append(decision.enqueued_at)
    full = [min(times) for times in by_partition.values() if len(times) >= RECENT_SLOTS]
    return max(full, default=_EPOCH)


def _of_totals(snapshot: LiveSnapshot) -> Slice:
    minutes = {start: tallies[ALL][ALL] for start, tallies in snapshot.minutes.items()}
    return Slice(snapshot.total, snapshot.totals, minutes, np.empty(0, "f4"))


def _of_minutes(snapshot: LiveSnapshot, since: datetime, until: datetime) -> Slice:
    """Whole minutes: from the one that ``since`` lies in to the one that ``until`` lies in."""
    first = since.replace(second=0, microsecond=0)
    within = {start: tallies for start, tallies in snapshot.minutes.items() if first <= start <= until}
    added = summed(within.values())
    minutes = {start: tallies[ALL][ALL] for start, tallies in within.items()}
    return Slice(added[ALL].get(ALL, Tally()), added, minutes, np.empty(0, "f4"))


def _version(view: View[LiveSnapshot], tail: TailView, window: WindowView) -> tuple[Any, ...]:
    snapshot = view.snapshot
    stored = snapshot and (snapshot.total, len(snapshot.minutes), sum_of_minutes(snapshot))
    newest = window.details[0].id if window.details else None
    return (stored, bool(view.problem), tail.caught_up, tail.problem, len(window), newest)


def sum_of_minutes(snapshot: LiveSnapshot) -> Tally:
    """The last hour as the store has it."""
    return sum((tallies[ALL][ALL] for tallies in snapshot.minutes.values()), Tally())
