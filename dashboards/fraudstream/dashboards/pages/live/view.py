"""The live page's figures for a reader's range and filters: pure functions.

There are three sources, and each is exact. The first that fits is counted:

- for the range "since the start" without a filter, the totals that the store job keeps;
- the window of newest decisions in memory, if it covers the range or a filter is set: only single decisions can answer
  every combination of filters;
- else the minutes that the store job keeps.
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
from fraudstream.dashboards.data.window_view import EMPTY, FRAUD, Filters, Slice, WindowView

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
    """A reader's choices; ``paused_at`` is the time (UTC) at which the view stands still."""

    range: str = "1h"
    filters: Filters = field(default_factory=dict)
    paused_at: datetime | None = None
    frauds_only: bool = False

    @property
    def filtered(self) -> bool:
        return any(self.filters.values())


@dataclass(frozen=True, slots=True)
class Content:
    """The data that the page shows. ``read_at`` is None before the first data; ``problem`` says why they are old.

    ``cut``: the window does not reach back to the range's begin, and ``since`` is where it begins.
    """

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


def content_of(view: View[LiveSnapshot], tail: TailView, selection: Selection, now: datetime) -> Content:
    """Count what the selection asks for, from the first source that fits."""
    until = selection.paused_at or now
    snapshot = view.snapshot
    window, source, problem = _window(view, tail)
    read_at = now if tail.caught_up else (snapshot.read_at if snapshot else None)
    span = RANGES[selection.range]
    since = _EPOCH if span is None else until - span
    from_window = window.covers(since) or selection.filtered
    cut = False
    if span is None and not selection.filtered:
        if snapshot is None:
            return Content("store", None, view.problem, None, until)
        counted, source, problem, read_at = _of_totals(snapshot), "totals", view.problem, snapshot.read_at
    elif from_window and (tail.caught_up or window.covers_from is not None):
        reach = window.covers_from or since
        cut = selection.filtered if span is None else reach > since
        since = max(since, reach)
        counted = window.slice(since, selection.paused_at, selection.filters)
    elif snapshot is not None and snapshot.detailed:
        counted, source, problem, read_at = (
            _of_minutes(snapshot, since, until),
            "minutes",
            view.problem,
            snapshot.read_at,
        )
    else:
        return Content("store", None, view.problem or "", None, until)
    starts = [start for start in minute_starts(until) if span is None or start > until - span - timedelta(minutes=1)]
    # If the window does not cover the whole line, the store's minutes do, so that the line has no gap.
    line = counted.minutes
    if not selection.filtered and not window.covers(starts[0]) and snapshot is not None:
        line = {start: tallies[ALL][ALL] for start, tallies in snapshot.minutes.items()}
    latencies = counted.latencies
    if source in ("totals", "minutes"):
        # Rollups hold no latencies, so these come from the newest decisions.
        latencies = window.latencies(max(since, window.covers_from or since), selection.paused_at, selection.filters)
    return Content(
        source=source,
        read_at=read_at,
        problem=problem,
        since=None if since == _EPOCH else since,
        until=until,
        total=counted.total,
        dimensions=counted.dimensions,
        minutes=line,
        starts=tuple(starts),
        rows=tuple(window.newest(ROWS_SHOWN, since, selection.paused_at, _rows_filter(selection))),
        rate=window.events_per_second(now),
        latency_p95=measures.quantile(latencies, 0.95),
        cut=cut,
        version=_version(view, tail, window),
    )


def _rows_filter(selection: Selection) -> Filters:
    return {**selection.filters, FRAUD: frozenset({"1"})} if selection.frauds_only else selection.filters


def _window(view: View[LiveSnapshot], tail: TailView) -> tuple[WindowView, str, str]:
    """The window to count, its source, and that source's problem."""
    if tail.caught_up:
        return tail.window, "stream", ""
    return ring_window(view.snapshot), "ring", view.problem


def ring_window(snapshot: LiveSnapshot | None) -> WindowView:
    """The newest stored decisions as a window, used while the stream itself cannot be read."""
    if snapshot is None or not snapshot.detailed:
        return EMPTY
    return _window_of(_Ring(snapshot.recent))


class _Ring:
    """A snapshot's decisions as a cache key that compares by identity: all its viewers share a window."""

    def __init__(self, recent: tuple[Decision, ...]) -> None:
        self.recent = recent

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Ring) and other.recent is self.recent

    def __hash__(self) -> int:
        return id(self.recent)


@lru_cache(maxsize=2)
def _window_of(ring: _Ring) -> WindowView:
    window = Window()
    window.add(reversed(ring.recent))
    window.complete_since(_ring_covers_from(ring.recent))
    return window.view()


def _ring_covers_from(recent: tuple[Decision, ...]) -> datetime:
    """The moment since which the ring is complete: a partition that fills its slots has lost what came before them."""
    by_partition: dict[int, list[datetime]] = {}
    for decision in recent:
        by_partition.setdefault(decision.partition, []).append(decision.enqueued_at)
    full = [min(times) for times in by_partition.values() if len(times) >= RECENT_SLOTS]
    return max(full, default=_EPOCH)


def _of_totals(snapshot: LiveSnapshot) -> Slice:
    minutes = {start: tallies[ALL][ALL] for start, tallies in snapshot.minutes.items()}
    return Slice(snapshot.total, snapshot.totals, minutes, np.empty(0, "f4"))


def _of_minutes(snapshot: LiveSnapshot, since: datetime, until: datetime) -> Slice:
    """Whole minutes, from the one that contains ``since`` to the one that contains ``until``."""
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
    """The sum of the store's minutes."""
    return sum((tallies[ALL][ALL] for tallies in snapshot.minutes.values()), Tally())
