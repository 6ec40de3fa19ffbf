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


def made(project: Path) -> str:
    """The page as it should be. Raises ``OSError`` where the results are missing, ``ValueError`` without the marks."""
    text = (project / PAGE).read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks the mark {(END if begin else BEGIN).strip()}")
    return f"{before}{begin}{section(json.loads((project / RESULTS).read_text('utf-8')))}\n{end}{after}"


def section(found: dict[str, Any]) -> str:
    """A table of the figures beside their bounds, and what they were measured on."""
    stored, heap, fifty, one = found["stored"], found["heap"], found["fifty_viewers"], found["one_viewer"]
    rows = [
        (f"refresh of {page}, one viewer: p95", f"{taken['p95_ms']:g} ms", f"≤ {CALLBACK_P95} ms")
        for page, taken in found["callbacks"].items()
    ]
    rows += [
        (f"page ready, {page}: slowest of {len(taken['all_ms'])}", f"{taken['max_ms']:,} ms", f"≤ {PAGE_READY:,} ms")
        for page, taken in found["pages"].items()
    ]
    rows += [
        (f"refresh of live, {fifty['viewers']} viewers: p95", f"{fifty['p95_ms']:g} ms", f"≤ {VIEWERS_P95} ms"),
        (
            f"database reads a second, {fifty['viewers']} viewers",
            f"{fifty['database_reads_per_second']:g}",
            f"one viewer's: {one['database_reads_per_second']:g}",
        ),
        (
            f"heap over {heap['minutes']:g} min and {heap['updates']:,} updates, second half by first",
            f"{heap['growth_percent']:+g} %",
            f"flat, ≤ {HEAP_GROWTH} %",
        ),
    ]
    machine = found["machine"]
    made_on = (
        f"`{RESULTS}`: {stored['transactions']:,} transactions and {stored['rollups']:,} rollups stored, "
        f"{found['decisions_per_second']} decisions a second; {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']:g} GiB; {found['measured_at'][:10]}."
    )
    return f"{generated.table(('measured', 'figure', 'bound'), rows, figures=True)}\n\n{made_on}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return generated.run(
        "benchmarks.dashboards.page", __doc__, lambda project: {project / PAGE: made(project)}, Path(), arguments
    )


if __name__ == "__main__":
    sys.exit(main())
