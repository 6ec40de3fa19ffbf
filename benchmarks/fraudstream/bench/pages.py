"""The results in the documentation: ``python -m fraudstream.bench.pages --check|--write [ROOT]``.

``--write`` puts the tables of ``benchmarks/results/*.json`` between the marks in ``docs/benchmarks.md``; ``--check``
exits with 1 when they are stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fraudstream.bench import rendering, results

BENCHMARKS = ("latency", "throughput", "scoring", "store", "startup", "memory", "soak")
BEGIN = "<!-- Results: made by `python -m fraudstream.bench.pages --write` from benchmarks/results. -->"
END = "<!-- End of results. -->"

_PAGE = Path("docs") / "benchmarks.md"
_RESULTS = Path("benchmarks") / "results"


def section(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables of the results, by the name of their file."""
    parts = [BEGIN]
    for name, one in found.items():
        parts.append(f"### {name.capitalize()}")
        parts.extend(map(_table, rendering.tables(one)))
        parts.append(f"{rendering.made_on(one)}. [All figures](../benchmarks/results/{name}.json).")
    if not found:
        parts.append("No results are kept yet.")
    return "\n\n".join([*parts, END])


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """The results' files of the benchmarks, in their order."""
    return {name: results.read(file) for name in BENCHMARKS if (file := folder / f"{name}.json").is_file()}


def renewed(page: str, made: str) -> str:
    """The page with the section between its marks replaced. Raises ``ValueError`` where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the mark {END if begin else BEGIN}")
    return before + made + after


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m fraudstream.bench.pages", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit with 1 when the page is stale")
    mode.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("root", type=Path, nargs="?", default=Path())
    options = parser.parse_args(arguments)
    page = options.root / _PAGE
    text = page.read_text("utf-8")
    fresh = renewed(text, section(read_all(options.root / _RESULTS)))
    if options.write:
        page.write_text(fresh, "utf-8")
        return 0
    if fresh != text:
        sys.stderr.write(f"Stale: {page}. Run `python -m fraudstream.bench.pages --write`.\n")
    return int(fresh != text)


def _table(shown: rendering.Shown) -> str:
    head = (shown.title, *shown.columns[1:]) if not shown.columns[0] else shown.columns
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *shown.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
