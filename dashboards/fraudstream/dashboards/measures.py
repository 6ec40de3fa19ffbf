"""Figures of merit, each computed from rollups and decisions alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from fraudstream.dashboards.queries import Decision

RATE_WINDOW = timedelta(seconds=30)
_Z_95 = 1.959963984540054


def share(part: float, whole: float) -> float | None:
    """``part / whole``, or None where there is nothing to divide by."""
    return part / whole if whole else None


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


def events_per_second(recent: Iterable[Decision], now: datetime) -> float:
    """Arrivals a second over the newest 30 s that the ring covers; 0 when nothing arrived for 30 s.

    Each partition has its own ring and so covers its own span: rates are taken by partition and summed.
    """
    arrivals: dict[int, list[datetime]] = defaultdict(list)
    for decision in recent:
        arrivals[decision.partition].append(decision.enqueued_at)
    return sum(_rate(sorted(times), now) for times in arrivals.values())


def _rate(times: Sequence[datetime], now: datetime) -> float:
    newest = times[-1]
    if now - newest > RATE_WINDOW:
        return 0.0
    window = [moment for moment in times if moment > newest - RATE_WINDOW]
    if len(window) < len(times):
        return len(window) / RATE_WINDOW.total_seconds()
    span = (newest - window[0]).total_seconds()
    return (len(window) - 1) / span if span else float(len(window))


def latency_p95(recent: Iterable[Decision]) -> float | None:
    """The 95th percentile (nearest rank) of the ring's latencies in milliseconds; None without any."""
    latencies = sorted(decision.latency_ms for decision in recent if decision.latency_ms is not None)
    return latencies[math.ceil(0.95 * len(latencies)) - 1] if latencies else None
