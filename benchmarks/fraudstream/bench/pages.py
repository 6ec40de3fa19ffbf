"""The results in the documentation: ``python -m fraudstream.bench.pages --check|--write [ROOT]``.

``--write`` puts the tables of ``benchmarks/results/*.json`` between the marks in ``docs/benchmarks.md``; ``--check``
exits with 1 when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fraudstream.bench.harness import rendering, results
from fraudstream.core import generated

BENCHMARKS = ("latency", "throughput", "scale", "scoring", "store", "startup", "memory", "soak")
BEGIN = "<!-- Results: made by `python -m fraudstream.bench.pages --write` from benchmarks/results. -->"
END = "<!-- End of results. -->"

_PAGE = Path("docs") / "benchmarks.md"
_RESULTS = Path("benchmarks") / "results"


def section(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables of the results, by the name of their file."""
    parts: list[str] = []
    for name, one in found.items():
        parts.append(f"### {name.capitalize()}")
        parts.extend(map(_table, rendering.tables(one)))
        parts.append(f"{rendering.made_on(one)}. [All figures](../benchmarks/results/{name}.json).")
    if not found:
        parts.append("No results are kept yet.")
    return "\n\n".join(parts)


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """The results' files of the benchmarks, in their order."""
    return {name: results.read(file) for name in BENCHMARKS if (file := folder / f"{name}.json").is_file()}


def renewed(page: str, made: str) -> str:
    """The page with the section between its marks replaced. Raises ``ValueError`` where a mark is missing."""
    return generated.replaced(page, BEGIN, END, f"\n\n{made}\n\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return generated.run("fraudstream.bench.pages", __doc__, _files, Path(), arguments)


def _files(root: Path) -> dict[Path, str]:
    page = root / _PAGE
    return {page: renewed(page.read_text("utf-8"), section(read_all(root / _RESULTS)))}


def _table(shown: rendering.Shown) -> str:
    if not shown.columns[0]:
        return generated.table((shown.title, *shown.columns[1:]), shown.rows, figures=True)
    return f"{shown.title}:\n\n{generated.table(shown.columns, shown.rows, figures=True)}"


if __name__ == "__main__":
    sys.exit(main())
