"""Figures of merit, each computed from rollups and decisions alone."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from fraudstream.core.figures import nearest_rank
from fraudstream.dashboards.data.window_view import WindowView

RATE_WINDOW = timedelta(seconds=30)
_Z_95 = 1.959963984540054


def share(part: float, whole: float) -> float | None:
    """``part / whole``, or None where there is nothing to divide by, or a sum is not finite."""
    if not whole or not math.isfinite(part) or not math.isfinite(whole):
        return None
    return part / whole


def wilson_band(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of a proportion, within 0–1; None without trials."""
    if trials == 0:
        return None
    rate = successes / trials
    spread = _Z_95**2 / trials
    centre = (rate + spread / 2) / (1 + spread)
    half = _Z_95 / (1 + spread) * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    # At 0 and at all the bound is exact; rounding must not carry it past the proportion.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def events_per_second(window: WindowView, now: datetime) -> float | None:
    """Decisions a second over the newest 30 s that the window covers; None while it covers less than a second.

    Traffic that has stopped is a rate of zero, not the rate it once had.
    """
    if window.covers_from is None:
        return None
    since = max(now - RATE_WINDOW, window.covers_from)
    seconds = (now - since).total_seconds()
    return window.arrived_since(since) / seconds if seconds >= 1 else None


def quantile(latencies: NDArray[np.float32], part: float) -> float | None:
    """The nearest-rank quantile, such as 0.95, of latencies in milliseconds; None without any."""
    if not len(latencies):
        return None
    rank = nearest_rank(len(latencies), part)
    return float(np.partition(latencies, rank)[rank])
