"""What was measured of the dashboards, in `docs/dashboards.md`.

``python -m benchmarks.dashboards.page --check|--write [FOLDER]``; the folder is the project's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fraudstream.core import generated

PAGE = Path("docs/dashboards.md")
RESULTS = Path("benchmarks/results/dashboards.json")
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"

# The project's bounds: milliseconds, and percent of growth that a heap without a leak may show between two halves.
CALLBACK_P95, VIEWERS_P95, PAGE_READY, HEAP_GROWTH = 50, 500, 2_000, 5
# One poller each; a read more or less falls into the time that is measured.
READS_GROWTH = 1.2


def made(project: Path) -> str:
    """The page as it should be. Raises ``OSError`` where the results are missing, ``ValueError`` without the marks."""
    found = json.loads((project / RESULTS).read_text("utf-8"))
    return generated.replaced((project / PAGE).read_text("utf-8"), BEGIN, END, f"{section(found)}\n")


def section(found: dict[str, Any]) -> str:
    """A table of the figures beside their bounds, and what they were measured on."""
    stored, heap, fifty, one = found["stored"], found["heap"], found["fifty_viewers"], found["one_viewer"]
    rows = [
        _milliseconds(f"refresh of {name}: p95", taken["p95_ms"], CALLBACK_P95)
        for name, taken in found["callbacks"].items()
    ]
    for name, taken in found["pages"].items():
        rows.append(_milliseconds(f"{name}: ready, slowest of {len(taken['all_ms'])}", taken["max_ms"], PAGE_READY))
        first = taken["empty_cache_median_ms"]
        rows.append(_milliseconds(f"{name}: ready at a first visit, nothing cached, median", first, PAGE_READY))
    reads = (fifty["database_reads_per_second"], one["database_reads_per_second"])
    growth = heap["growth_percent"]
    rows += [
        _milliseconds(f"refresh of live, {fifty['viewers']} viewers: p95", fifty["p95_ms"], VIEWERS_P95),
        (
            f"database reads a second, {fifty['viewers']} viewers",
            f"{reads[0]:g}",
            f"one viewer's: {reads[1]:g}",
            _holds(reads[0] <= READS_GROWTH * reads[1]),
        ),
        (
            f"heap over {heap['minutes']:g} min and {heap['updates']:,} updates, second half by first",
            f"{growth:+g} %",
            f"≤ {HEAP_GROWTH} %",
            _holds(growth <= HEAP_GROWTH),
        ),
    ]
    machine = found["machine"]
    days = sorted({when[:10] for when in (found["measured_at"], *found.get("measured_anew", {}).values())})
    made_on = (
        f"`{RESULTS}`: {stored['transactions']:,} transactions and {stored['rollups']:,} rollups stored, "
        f"{found['decisions_per_second']} decisions a second; server and browser on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB; {', '.join(days)}."
    )
    return f"{generated.table(('measured', 'figure', 'bound', 'holds'), rows, figures=True)}\n\n{made_on}"


def _milliseconds(measured: str, figure: float, bound: int) -> tuple[str, str, str, str]:
    return measured, f"{figure:,g} ms", f"≤ {bound:,} ms", _holds(figure <= bound)


def _holds(kept: bool) -> str:
    return "yes" if kept else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return generated.run(
        "benchmarks.dashboards.page", __doc__, lambda project: {project / PAGE: made(project)}, Path(), arguments
    )


if __name__ == "__main__":
    sys.exit(main())
