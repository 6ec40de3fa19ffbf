"""The dashboards' figures beside the project's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = ("measured", "figure", "bound", "holds")

# Milliseconds; and growth in percent between two halves that a heap without a leak may show.
CALLBACK_P95, VIEWERS_P95, PAGE_READY, HEAP_GROWTH = 50, 500, 2_000, 5
# The same poller reads for one viewer and for fifty; a run may see one read more or less.
READS_GROWTH = 1.2

Row = tuple[str, str, str, str]


def rows(results: Mapping[str, Any]) -> list[Row]:
    """A row for each figure of the parts that were measured."""
    table = [
        _milliseconds(f"refresh of {name}: p95", timing["p95_ms"], CALLBACK_P95)
        for name, timing in results.get("callbacks", {}).items()
    ]
    for name, timing in results.get("pages", {}).items():
        table.append(_milliseconds(f"{name}: ready, slowest of {len(timing['all_ms'])}", timing["max_ms"], PAGE_READY))
        first = timing["empty_cache_median_ms"]
        table.append(_milliseconds(f"{name}: ready at a first visit, nothing cached, median", first, PAGE_READY))
    if "fifty_viewers" in results and "one_viewer" in results:
        table += _viewers(results["fifty_viewers"], results["one_viewer"])
    if "heap" in results:
        heap = results["heap"]
        growth = heap["growth_percent"]
        text = f"heap over {heap['minutes']:g} min and {heap['updates']:,} updates, second half by first"
        table.append((text, f"{growth:+g} %", f"≤ {HEAP_GROWTH} %", _holds(growth <= HEAP_GROWTH)))
    return table


def _viewers(many: Mapping[str, Any], single: Mapping[str, Any]) -> list[Row]:
    reads = (many["database_reads_per_second"], single["database_reads_per_second"])
    return [
        _milliseconds(f"refresh of live, {many['viewers']} viewers: p95", many["p95_ms"], VIEWERS_P95),
        (
            f"database reads a second, {many['viewers']} viewers",
            f"{reads[0]:g}",
            f"one viewer's: {reads[1]:g}",
            _holds(reads[0] <= READS_GROWTH * reads[1]),
        ),
    ]


def _milliseconds(measured: str, figure: float, bound: int) -> Row:
    return measured, f"{figure:,g} ms", f"≤ {bound:,} ms", _holds(figure <= bound)


def _holds(kept: bool) -> str:
    return "yes" if kept else "no"
