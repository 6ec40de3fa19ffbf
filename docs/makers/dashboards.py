"""What was measured of the dashboards, in `docs/explanation/dashboards.md`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docs.makers.files import replaced, table

from fraudstream.bench.dashboards.figures import COLUMNS, rows

PAGE = Path("docs/explanation/dashboards.md")
RESULTS = Path("benchmarks/results/dashboards.json")
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"


def made(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``OSError`` where the results are missing, ``ValueError`` without the marks."""
    found = json.loads((project / RESULTS).read_text("utf-8"))
    page = project / PAGE
    return {page: replaced(page.read_text("utf-8"), BEGIN, END, f"{section(found)}\n")}


def section(found: dict[str, Any]) -> str:
    """A table of the figures beside their bounds, and what they were measured on."""
    stored = found["stored"]
    machine = found["machine"]
    days = sorted({when[:10] for when in (found["measured_at"], *found.get("measured_anew", {}).values())})
    made_on = (
        f"`{RESULTS}`: {stored['transactions']:,} transactions and {stored['rollups']:,} rollups stored, "
        f"{found['decisions_per_second']} decisions a second; server and browser on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB; {', '.join(days)}."
    )
    return f"{table(COLUMNS, rows(found), figures=True)}\n\n{made_on}"
