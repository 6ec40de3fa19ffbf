"""`docs/explanation/benchmarks.md`: the tables of ``benchmarks/results/*.json`` between its marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.makers.files import replaced, table

from fraudstream.bench.harness import rendering, results

BENCHMARKS = (
    *("latency", "throughput", "scale", "scoring", "store", "query", "equality", "model", "cards"),
    *("startup", "memory", "soak"),
)
BEGIN = "<!-- Results: made by `python -m docs.makers --write` from benchmarks/results. -->"
END = "<!-- End of results. -->"

PAGE = Path("docs/explanation/benchmarks.md")
_RESULTS = Path("benchmarks") / "results"


def section(outcomes: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables of the results, by the name of their file."""
    parts: list[str] = []
    for name, outcome in outcomes.items():
        parts.append(f"### {name.capitalize()}")
        parts.extend(map(_table, rendering.tables(outcome)))
        parts.append(f"{rendering.made_on(outcome)}. [All figures](../../benchmarks/results/{name}.json).")
    if not outcomes:
        parts.append("No results are kept yet.")
    return "\n\n".join(parts)


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """The results' files of the benchmarks, in their order."""
    return {name: results.read(file) for name in BENCHMARKS if (file := folder / f"{name}.json").is_file()}


def renewed(page: str, tables: str) -> str:
    """The page with the section between its marks replaced. Raises ``ValueError`` where a mark is missing."""
    return replaced(page, BEGIN, END, f"\n\n{tables}\n\n")


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be."""
    page = project / PAGE
    return {page: renewed(page.read_text("utf-8"), section(read_all(project / _RESULTS)))}


def _table(shown: rendering.Shown) -> str:
    if not shown.columns[0]:
        return table((shown.title, *shown.columns[1:]), shown.rows, figures=True)
    return f"{shown.title}:\n\n{table(shown.columns, shown.rows, figures=True)}"
