"""Confidence intervals by the bootstrap: of one model's metrics, and of the difference between two on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Of the two-sided intervals.
CONFIDENCE = 0.95
RESAMPLES = 400
# With very many rows an interval is narrow, and each resample dear.
_LEAST_RESAMPLES, _MOST_DRAWN = 100, 40_000_000

Statistic = Callable[[np.ndarray | None], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds of its two-sided interval at :data:`CONFIDENCE`."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the figure differs from 0 beyond chance."""
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object; what is no number is null."""
        return {
            name: None if math.isnan(value) else value
            for name, value in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def weights_of(rows: int, seed: int, groups: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """How often each row is drawn, float64, shape (rows,), for each resample of the rows.

    ``groups``, shape (rows,), says which rows belong together, such as the transactions of one card: they depend on
    each other, so that they are drawn as a whole.
    """
    rng = np.random.default_rng(seed)
    members = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(members.max(initial=-1)) + 1
    for _ in range(max(_LEAST_RESAMPLES, min(RESAMPLES, _MOST_DRAWN // max(rows, 1)))):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)
        yield drawn if groups is None else drawn[members]


def intervals(statistic: Statistic, rows: int, seed: int, groups: np.ndarray | None = None) -> dict[str, Interval]:
    """The figures that ``statistic`` gives, each with its percentile interval.

    ``statistic`` takes weights as :func:`weights_of` gives them, or None for the rows as they are. A resample in which
    a figure is not a number, for want of any fraud, has no part in that figure's interval.
    """
    figures = statistic(None)
    drawn: dict[str, list[float]] = {name: [] for name in figures}
    for weights in weights_of(rows, seed, groups):
        for name, value in statistic(weights).items():
            drawn[name].append(value)
    return {name: _interval(value, np.asarray(drawn[name])) for name, value in figures.items()}


def _interval(value: float, drawn: np.ndarray) -> Interval:
    kept = drawn[~np.isnan(drawn)]
    if not len(kept):
        return Interval(value, math.nan, math.nan)
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(kept, [outside, 1 - outside])
    return Interval(value, float(low), float(high))
