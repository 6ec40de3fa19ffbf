"""What was measured of the dashboards, beside the project's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = ("measured", "figure", "bound", "holds")

# Milliseconds, and percent of growth that a heap without a leak may show between two halves.
CALLBACK_P95, VIEWERS_P95, PAGE_READY, HEAP_GROWTH = 50, 500, 2_000, 5
# One poller each; a read more or less falls into the time that is measured.
READS_GROWTH = 1.2

Row = tuple[str, str, str, str]


def rows(results: Mapping[str, Any]) -> list[Row]:
    """A row for each figure of the parts that were measured."""
    made = [
        _milliseconds(f"refresh of {name}: p95", taken["p95_ms"], CALLBACK_P95)
        for name, taken in results.get("callbacks", {}).items()
    ]
    for name, taken in results.get("pages", {}).items():
        made.append(_milliseconds(f"{name}: ready, slowest of {len(taken['all_ms'])}", taken["max_ms"], PAGE_READY))
        first = taken["empty_cache_median_ms"]
        made.append(_milliseconds(f"{name}: ready at a first visit, nothing cached, median", first, PAGE_READY))
    if "fifty_viewers" in results and "one_viewer" in results:
        made += _viewers(results["fifty_viewers"], results["one_viewer"])
    if "heap" in results:
        heap = results["heap"]
        growth = heap["growth_percent"]
        text = f"heap over {heap['minutes']:g} min and {heap['updates']:,} updates, second half by first"
        made.append((text, f"{growth:+g} %", f"≤ {HEAP_GROWTH} %", _holds(growth <= HEAP_GROWTH)))
    return made


def _viewers(fifty: Mapping[str, Any], one: Mapping[str, Any]) -> list[Row]:
    reads = (fifty["database_reads_per_second"], one["database_reads_per_second"])
    return [
        _milliseconds(f"refresh of live, {fifty['viewers']} viewers: p95", fifty["p95_ms"], VIEWERS_P95),
        (
            f"database reads a second, {fifty['viewers']} viewers",
            f"{reads[0]:g}",
            f"one viewer's: {reads[1]:g}",
            _holds(reads[0] <= READS_GROWTH * reads[1]),
        ),
    ]


def _milliseconds(measured: str, figure: float, bound: int) -> Row:
    return measured, f"{figure:,g} ms", f"≤ {bound:,} ms", _holds(figure <= bound)


def _holds(kept: bool) -> str:
    return "yes" if kept else "no"
