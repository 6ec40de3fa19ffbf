"""The newest decisions in memory, in columns: what cross-filtering counts, exactly and without asking the store.

The window holds a bounded number of decisions. Every view of it names the moment since which it is complete, so that a
page can say what its figures cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudstream.core.contract.event import AMOUNT
from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, EVENT_DIMENSIONS
from fraudstream.dashboards.data import fields
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.measures import quantiles
from fraudstream.dashboards.data.queries import Decision

FILTERED = (*EVENT_DIMENSIONS, AMOUNT_BIN)
# A minute and a verdict are filtered like dimensions. No event has fields of these names.
MINUTE = "$minute"
FRAUD = "$fraud"
# The code of a decision whose value in a dimension is missing: it counts in no bar.
MISSING = -1
RATE_WINDOW = timedelta(seconds=30)
_MINUTE_MICROSECONDS = 60_000_000

Filters = Mapping[str, frozenset[str]]
Mask = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]


def microseconds(moment: datetime) -> int:
    """UTC microseconds since 1970."""
    return int(moment.timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class Slice:
    """What a selection of the window's decisions adds up to. A minute's key is its start (UTC); latencies are in ms."""

    total: Tally
    dimensions: Mapping[str, Tallies]
    minutes: Mapping[datetime, Tally]
    latencies: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WindowView:
    """The window at one moment; it does not change when more decisions arrive. ``details`` is newest first."""

    columns: Columns
    values: Mapping[str, Sequence[str]]
    details: tuple[Decision, ...]
    covers_from: datetime | None
    version: int = 0

    def __len__(self) -> int:
        return len(self.columns["$id"]) if self.columns else 0

    def covers(self, since: datetime) -> bool:
        """Whether the window holds every decision that arrived since then."""
        return self.covers_from is not None and self.covers_from <= since

    def arrived_since(self, since: datetime, until: datetime | None = None) -> int:
        """How many decisions arrived from ``since`` on, up to ``until``."""
        return int(np.count_nonzero(self._within(since, until))) if len(self) else 0

    def events_per_second(self, now: datetime) -> float | None:
        """Decisions a second over the 30 s before ``now``, or over as much of them as the window covers.

        None while the window covers less than a second. The rate of traffic that has stopped is zero.
        """
        if self.covers_from is None:
            return None
        since = max(now - RATE_WINDOW, self.covers_from)
        seconds = (now - since).total_seconds()
        return self.arrived_since(since) / seconds if seconds >= 1 else None

    def slice(self, since: datetime, until: datetime | None = None, filters: Filters | None = None) -> Slice:
        """Count the decisions that arrived from ``since`` on and satisfy the filters.

        A decision satisfies a filter if it has one of the filter's values, and is counted if it satisfies all filters.
        A dimension's bars ignore the filter of that dimension, so that a reader can still see and choose its other
        values; the total obeys all filters.
        """
        if not len(self):
            return Slice(Tally(), {}, {}, np.empty(0, "f4"))
        within, kept = self._within(since, until), self._kept(filters)
        selected = self._measured(_all_of(within, kept.values()))
        dimensions = {
            name: self._tallies(name, self._without(name, within, kept) if name in kept else selected)
            for name in FILTERED
        }
        minutes = self._minutes(self._without(MINUTE, within, kept) if MINUTE in kept else selected)
        total = selected.total()
        dimensions[ALL] = {ALL: total}
        return Slice(total, dimensions, minutes, self._known_latencies(selected.mask))

    def latencies(
        self, since: datetime, until: datetime | None = None, filters: Filters | None = None
    ) -> NDArray[np.float32]:
        """The latencies of the same selection, in milliseconds."""
        if not len(self):
            return np.empty(0, "f4")
        return self._known_latencies(_all_of(self._within(since, until), self._kept(filters).values()))

    def newest(
        self, number: int, since: datetime, until: datetime | None = None, filters: Filters | None = None
    ) -> list[Decision]:
        """The newest decisions of the same selection, newest first, among those that are kept with all their fields."""
        chosen = {name: values for name, values in (filters or {}).items() if values}
        matching = (
            decision
            for decision in self.details
            if decision.enqueued_at >= since
            and (until is None or decision.enqueued_at <= until)
            and all(value_of(name, decision) in values for name, values in chosen.items())
        )
        return list(islice(matching, number))

    def latency_by_minute(self, since: datetime) -> dict[datetime, tuple[float, ...]]:
        """Median, 95th and 99th percentile of the latencies in milliseconds, by minute of arrival."""
        if not len(self):
            return {}
        mask = self._within(since, None) & ~np.isnan(self.columns["$latency"])
        minute, latency = self.columns["$enqueued"][mask] // _MINUTE_MICROSECONDS, self.columns["$latency"][mask]
        # A stable sort is quick here, because the rows are nearly in order.
        order = np.argsort(minute, kind="stable")
        minute = minute[order]
        first = np.flatnonzero(np.diff(minute, prepend=-1))
        return {
            datetime.fromtimestamp(60 * int(start), UTC): quantiles(part, (0.5, 0.95, 0.99))
            for start, part in zip(minute[first], np.split(latency[order], first[1:]), strict=False)
        }

    def _kept(self, filters: Filters | None) -> dict[str, Mask]:
        return {name: self._keeps(name, chosen) for name, chosen in (filters or {}).items() if chosen}

    def _without(self, name: str, within: Mask, kept: Mapping[str, Mask]) -> _Measured:
        return self._measured(_all_of(within, (mask for other, mask in kept.items() if other != name)))

    def _known_latencies(self, mask: Mask) -> NDArray[np.float32]:
        latencies: NDArray[np.float32] = self.columns["$latency"][mask]
        return latencies[~np.isnan(latencies)]

    def _within(self, since: datetime, until: datetime | None) -> Mask:
        enqueued = self.columns["$enqueued"]
        mask: Mask = enqueued >= microseconds(since)
        return mask if until is None else mask & (enqueued <= microseconds(until))

    def _keeps(self, name: str, chosen: frozenset[str]) -> Mask:
        if name == MINUTE:
            minute = self.columns["$enqueued"] // _MINUTE_MICROSECONDS
            wanted = [microseconds(datetime.fromisoformat(start)) // _MINUTE_MICROSECONDS for start in chosen]
            return np.isin(minute, wanted)
        codes = [code for code, value in enumerate(self.values[name]) if value in chosen]
        return np.isin(self.columns[name], codes)

    def _measured(self, mask: Mask) -> _Measured:
        return _Measured(mask, self.columns["$fraud"][mask].astype("i8"), self.columns["$amount"][mask])

    def _tallies(self, name: str, chosen: _Measured) -> Tallies:
        codes = self.columns[name][chosen.mask]
        known = codes != MISSING
        return (chosen if known.all() else chosen.among(known)).grouped(codes[known], self.values[name])

    def _minutes(self, chosen: _Measured) -> dict[datetime, Tally]:
        minute = self.columns["$enqueued"][chosen.mask] // _MINUTE_MICROSECONDS
        if not len(minute):
            return {}
        first = int(minute.min())
        starts = [datetime.fromtimestamp(60 * number, UTC) for number in range(first, int(minute.max()) + 1)]
        counted = chosen.grouped(minute - first, [start.isoformat() for start in starts])
        return {datetime.fromisoformat(start): tally for start, tally in counted.items()}


@dataclass(frozen=True, slots=True)
class _Measured:
    """The decisions that a mask selects, ready to be counted by any dimension."""

    mask: Mask
    fraud: NDArray[np.int64]
    amount: NDArray[np.float64]

    def among(self, known: Mask) -> _Measured:
        """The part of these decisions that a second mask selects."""
        return _Measured(self.mask, self.fraud[known], self.amount[known])

    def total(self) -> Tally:
        number, amount = np.bincount(self.fraud, minlength=2), np.bincount(self.fraud, self.amount, 2)
        return Tally(int(number.sum()), int(number[1]), float(amount.sum()), float(amount[1]))

    def grouped(self, codes: NDArray[Any], names: Sequence[str]) -> Tallies:
        # One pass counts both: a name's legitimate transactions and frauds have neighbouring places.
        places = 2 * codes.astype("i8") + self.fraud
        counts = np.bincount(places, minlength=2 * len(names)).reshape(-1, 2)
        amounts = np.bincount(places, self.amount, 2 * len(names)).reshape(-1, 2)
        return {
            name: Tally(int(number.sum()), int(number[1]), float(amount.sum()), float(amount[1]))
            for name, number, amount in zip(names, counts, amounts, strict=True)
            if number.any()
        }


EMPTY = WindowView({}, {}, (), None)


def value_of(dimension: str, decision: Decision) -> str | None:
    """A decision's value in a dimension, None where it is missing; a minute is its start in ISO 8601, UTC."""
    if dimension == MINUTE:
        return decision.enqueued_at.astimezone(UTC).replace(second=0, microsecond=0).isoformat()
    if dimension == FRAUD:
        return str(int(decision.fraud))
    return fields.text_of(dimension, decision.features.get(AMOUNT if dimension == AMOUNT_BIN else dimension))


def _all_of(first: Mask, others: Iterable[Mask]) -> Mask:
    for other in others:
        first = first & other
    return first
