"""Figures from measured values: percentiles, steady rates, the spread of repeats, ratios. Pure functions."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from fraudstream.core.figures import nearest_rank

PERCENTILES = {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "p99_9_ms": 99.9}

# The share of a backlog's outputs that counts as its start: runtimes warm up and fill their buffers.
START_SHARE = 0.25


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order. Raises ``ValueError`` without values."""
    if not ascending:
        raise ValueError("there is no percentile of no values")
    return ascending[nearest_rank(len(ascending), percent / 100)]


def latency_summary(latencies_us: Sequence[int]) -> dict[str, float]:
    """Percentiles and maximum in milliseconds of latencies in microseconds, and how many there are."""
    ascending = sorted(latencies_us)
    summary = {name: percentile(ascending, percent) / 1_000 for name, percent in PERCENTILES.items()}
    return summary | {"max_ms": ascending[-1] / 1_000, "measured": len(ascending)}


def steady_rate(stamps_ms: Sequence[int], start_share: float = START_SHARE) -> float:
    """Records per second from the one at ``start_share`` of all to the last one, by the broker's stamps.

    Raises ``ValueError`` where the stamps span no time.
    """
    ascending = sorted(stamps_ms)
    first = int(len(ascending) * start_share)
    if len(ascending) - first < 2 or ascending[-1] == ascending[first]:
        raise ValueError(f"{len(ascending)} records span no time: measure more of them")
    return (len(ascending) - 1 - first) * 1_000 / (ascending[-1] - ascending[first])


def ends_compared(latencies_us: Sequence[int], window: int) -> dict[str, float]:
    """The 99th percentiles (ms) of the first and of the last ``window`` latencies, and the last by the first."""
    first = percentile(sorted(latencies_us[:window]), 99.0)
    last = percentile(sorted(latencies_us[-window:]), 99.0)
    return {"first_p99_ms": first / 1_000, "last_p99_ms": last / 1_000, "last_by_first": last / first}


def growth(samples: Sequence[float]) -> float:
    """How much larger the last third's mean is than the middle third's, as a share: the first third is the start."""
    third = len(samples) // 3
    if not third:
        raise ValueError(f"{len(samples)} samples are too few to see growth")
    middle = statistics.fmean(samples[third : 2 * third])
    return statistics.fmean(samples[-third:]) / middle - 1


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most of repeated measurements."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def spreads(repeats: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The spread of each figure that all repeats have."""
    names = set.intersection(*(set(figures) for figures in repeats)) if repeats else set()
    return (
        {name: spread([repeat[name] for repeat in repeats]) for name in repeats[0] if name in names} if repeats else {}
    )


def summarised(runs: Sequence[Mapping[str, Any]], *by: str) -> list[dict[str, Any]]:
    """The spread of each number over the repeats: an entry for each combination of ``by``, in the order of the runs."""
    same: dict[tuple[Any, ...], list[dict[str, float]]] = {}
    for run in runs:
        numbers = {
            name: value for name, value in run.items() if isinstance(value, int | float) and name not in ("repeat", *by)
        }
        same.setdefault(tuple(run[name] for name in by), []).append(numbers)
    return [
        {**dict(zip(by, key, strict=True)), "repeats": len(repeats), **spreads(repeats)}
        for key, repeats in same.items()
    ]


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The names in an order that starts with another one each turn, so that none always runs first."""
    at = turn % len(names) if names else 0
    return [*names[at:], *names[:at]]
