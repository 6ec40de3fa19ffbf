"""The measurements of the dashboards in `docs/explanation/dashboards.md`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docs.makers.files import replaced, table

from fraudstream.bench.dashboards.figures import COLUMNS, rows

PAGE = Path("docs/explanation/dashboards.md")
RESULTS = Path("benchmarks/results/dashboards.json")
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``OSError`` without the results' file, ``ValueError`` without the marks."""
    results = json.loads((project / RESULTS).read_text("utf-8"))
    page = project / PAGE
    return {page: replaced(page.read_text("utf-8"), BEGIN, END, f"{section(results)}\n")}


def section(results: dict[str, Any]) -> str:
    """A table of the figures beside their bounds, and what they were measured on."""
    stored = results["stored"]
    machine = results["machine"]
    days = sorted({when[:10] for when in (results["measured_at"], *results.get("measured_anew", {}).values())})
    made_on = (
        f"`{RESULTS}`: {stored['transactions']:,} transactions and {stored['rollups']:,} rollups stored, "
        f"{results['decisions_per_second']} decisions a second; server and browser on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB; {', '.join(days)}."
    )
    return f"{table(COLUMNS, rows(results), figures=True)}\n\n{made_on}"
