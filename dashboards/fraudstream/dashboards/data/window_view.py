"""The newest decisions in memory, in columns: what cross-filtering counts, exactly and without asking the store.

The window holds at most a bounded number of decisions. Which moment it is complete from is part of every view of it, so
that a page can say what its figures cover.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, AMOUNT_EDGES, EVENT_DIMENSIONS, amount_bins
from fraudstream.core.figures import nearest_rank
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.queries import Decision

FILTERED = (*EVENT_DIMENSIONS, AMOUNT_BIN)
MINUTE = "minute"

Filters = Mapping[str, frozenset[str]]
Mask = NDArray[np.bool_]
Columns = dict[str, NDArray[Any]]


def microseconds(moment: datetime) -> int:
    """UTC microseconds since 1970."""
    return int(moment.timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class Slice:
    """What a selection of the window's decisions adds up to; minutes start at their moment, UTC."""

    total: Tally
    dimensions: Mapping[str, Tallies]
    minutes: Mapping[datetime, Tally]
    latencies: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WindowView:
    """The window at one moment: immutable, whatever arrives meanwhile. ``details`` is newest first."""

    columns: Columns
    values: Mapping[str, Sequence[str]]
    details: tuple[Decision, ...]
    covers_from: datetime | None
    version: int = 0

    def __len__(self) -> int:
        return len(self.columns["id"]) if self.columns else 0

    def covers(self, since: datetime) -> bool:
        """Whether every decision that arrived since then is in it."""
        return self.covers_from is not None and self.covers_from <= since

    def arrived_since(self, since: datetime, until: datetime | None = None) -> int:
        """How many decisions arrived after one moment, and up to another."""
        return int(np.count_nonzero(self._within(since, until))) if len(self) else 0

    def slice(self, since: datetime, until: datetime | None = None, filters: Filters | None = None) -> Slice:
        """Count the decisions that arrived from ``since`` on and satisfy the filters.

        Within a dimension the values are alternatives, between dimensions all must hold. A dimension's own bars
        ignore its own filter, so that its other values can still be seen and chosen; the total obeys all of them.
        """
        if not len(self):
            return Slice(Tally(), {}, {}, np.empty(0, "f4"))
        within, kept = self._within(since, until), self._kept(filters)
        everything = self._measured(_all_of(within, kept.values()))
        dimensions = {
            name: self._tallies(name, self._without(name, within, kept) if name in kept else everything)
            for name in FILTERED
        }
        minutes = self._minutes(self._without(MINUTE, within, kept) if MINUTE in kept else everything)
        total = everything.total()
        dimensions[ALL] = {ALL: total}
        return Slice(total, dimensions, minutes, self._known_latencies(everything.mask))

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
        """The newest decisions of the same selection, newest first, found among the whole ones that are kept."""
        chosen = {name: values for name, values in (filters or {}).items() if values}
        matching = (
            decision
            for decision in self.details
            if decision.enqueued_at >= since
            and (until is None or decision.enqueued_at <= until)
            and all(value_of(name, decision) in values for name, values in chosen.items())
        )
        return list(islice(matching, number))

    def latency_by_minute(self, since: datetime) -> dict[datetime, tuple[float, float, float]]:
        """Median, 95th and 99th percentile of the latencies in milliseconds, by minute of arrival."""
        if not len(self):
            return {}
        mask = self._within(since, None) & ~np.isnan(self.columns["latency"])
        minute, latency = self.columns["enqueued"][mask] // 60_000_000, self.columns["latency"][mask]
        # They lie nearly in order, which a stable sort makes use of.
        order = np.argsort(minute, kind="stable")
        minute = minute[order]
        first = np.flatnonzero(np.diff(minute, prepend=-1))
        return {
            datetime.fromtimestamp(60 * int(start), UTC): _ranked(part, (0.5, 0.95, 0.99))
            for start, part in zip(minute[first], np.split(latency[order], first[1:]), strict=False)
        }

    def _kept(self, filters: Filters | None) -> dict[str, Mask]:
        return {name: self._keeps(name, chosen) for name, chosen in (filters or {}).items() if chosen}

    def _without(self, name: str, within: Mask, kept: Mapping[str, Mask]) -> _Measured:
        return self._measured(_all_of(within, (mask for other, mask in kept.items() if other != name)))

    def _known_latencies(self, mask: Mask) -> NDArray[np.float32]:
        latencies: NDArray[np.float32] = self.columns["latency"][mask]
        return latencies[~np.isnan(latencies)]

    def _within(self, since: datetime, until: datetime | None) -> Mask:
        enqueued = self.columns["enqueued"]
        mask: Mask = enqueued >= microseconds(since)
        return mask if until is None else mask & (enqueued <= microseconds(until))

    def _keeps(self, name: str, chosen: frozenset[str]) -> Mask:
        if name == MINUTE:
            minute = self.columns["enqueued"] // 60_000_000
            wanted = [microseconds(datetime.fromisoformat(start)) // 60_000_000 for start in chosen]
            return np.isin(minute, wanted)
        codes = [code for code, value in enumerate(self.values[name]) if value in chosen]
        return np.isin(self.columns[name], codes)

    def _measured(self, mask: Mask) -> _Measured:
        return _Measured(mask, self.columns["fraud"][mask].astype("i8"), self.columns["amount"][mask])

    def _tallies(self, name: str, chosen: _Measured) -> Tallies:
        return chosen.grouped(self.columns[name][chosen.mask], self.values[name])

    def _minutes(self, chosen: _Measured) -> dict[datetime, Tally]:
        minute = self.columns["enqueued"][chosen.mask] // 60_000_000
        if not len(minute):
            return {}
        first = int(minute.min())
        starts = [datetime.fromtimestamp(60 * number, UTC) for number in range(first, int(minute.max()) + 1)]
        counted = chosen.grouped(minute - first, [start.isoformat() for start in starts])
        return {datetime.fromisoformat(start): tally for start, tally in counted.items()}


@dataclass(frozen=True, slots=True)
class _Measured:
    """The decisions under a mask, ready to be counted by one dimension after the other."""

    mask: Mask
    fraud: NDArray[np.int64]
    amount: NDArray[np.float64]

    def total(self) -> Tally:
        number, amount = np.bincount(self.fraud, minlength=2), np.bincount(self.fraud, self.amount, 2)
        return Tally(int(number.sum()), int(number[1]), float(amount.sum()), float(amount[1]))

    def grouped(self, codes: NDArray[Any], names: Sequence[str]) -> Tallies:
        # One count tells legitimate ones and frauds of each name: they lie side by side.
        places = 2 * codes.astype("i8") + self.fraud
        counts = np.bincount(places, minlength=2 * len(names)).reshape(-1, 2)
        amounts = np.bincount(places, self.amount, 2 * len(names)).reshape(-1, 2)
        return {
            name: Tally(int(number.sum()), int(number[1]), float(amount.sum()), float(amount[1]))
            for name, number, amount in zip(names, counts, amounts, strict=True)
            if number.any()
        }


EMPTY = WindowView({}, {}, (), None)


def value_of(dimension: str, decision: Decision) -> str:
    """A decision's value in a dimension; a minute is its start in ISO 8601, UTC."""
    if dimension == MINUTE:
        return decision.enqueued_at.astimezone(UTC).replace(second=0, microsecond=0).isoformat()
    if dimension == "fraud":
        return str(int(decision.fraud))
    if dimension == AMOUNT_BIN:
        return amount_bins()[max(bisect_right(AMOUNT_EDGES, decision.features["amount"]) - 1, 0)]
    return str(decision.features[dimension])


def _ranked(values: NDArray[Any], parts: tuple[float, float, float]) -> tuple[float, float, float]:
    ranks = [nearest_rank(len(values), part) for part in parts]
    low, middle, high = np.partition(values, ranks)[ranks]
    return float(low), float(middle), float(high)


def _all_of(first: Mask, others: Iterable[Mask]) -> Mask:
    for other in others:
        first = first & other
    return first
