"""The command that writes all generated files, or names the stale ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.makers import azure, benchmarks, dashboards, definitions, modules, parity, query_language, reference
from docs.makers.files import Files, stale, write

MAKERS = (reference, definitions, azure, benchmarks, dashboards, parity, query_language, modules)


def generated(project: Path) -> Files:
    """Every generated file of the project as it should be.

    Raises ``OSError`` if a source file is missing, ``ValueError`` if a page lacks its marks.
    """
    files: dict[Path, str] = {}
    for maker in MAKERS:
        files |= maker.generated(project)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status, 1 where a file is stale."""
    parser = argparse.ArgumentParser(prog="python -m docs.makers", description="Made pages.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit with 1 when a file is stale")
    mode.add_argument("--write", action="store_true", help="write the files")
    parser.add_argument("project", type=Path, nargs="?", default=Path(), help="the project's folder; here by default")
    options = parser.parse_args(arguments)
    files = generated(options.project)
    if options.write:
        write(files)
        return 0
    if old := stale(files):
        names = ", ".join(str(file.relative_to(options.project)) for file in old)
        sys.stderr.write(f"Stale: {names}. `python -m docs.makers --write` replaces what is stale.\n")
    return int(bool(old))
