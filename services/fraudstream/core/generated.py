"""Files that are made from code or results, and the command that writes them or tells which are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Files = Mapping[Path, str]


def stale(files: Files) -> list[Path]:
    """Those that are missing or hold something else."""
    return [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]


def write(files: Files) -> None:
    """Write them all, their folders too."""
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def replaced(page: str, begin: str, end: str, content: str) -> str:
    """The page with what stands between its two marks replaced. Raises ``ValueError`` where a mark is missing."""
    before, first, rest = page.partition(begin)
    _, second, after = rest.partition(end)
    if not first or not second:
        raise ValueError(f"the page lacks the mark {(end if first else begin).strip()}")
    return f"{before}{begin}{content}{end}{after}"


def run(
    module: str, about: str | None, made: Callable[[Path], Files], place: Path, arguments: Sequence[str] | None
) -> int:
    """The command ``python -m MODULE --check|--write [PLACE]``; returns its exit status, 1 where a file is stale.

    ``made`` gives the files as they should be; all of them lie in one folder.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit with 1 when a file is stale")
    mode.add_argument("--write", action="store_true", help="write the files")
    parser.add_argument("place", type=Path, nargs="?", default=place, help="default: %(default)s")
    options = parser.parse_args(arguments)
    files = made(options.place)
    if options.write:
        write(files)
        return 0
    if old := stale(files):
        names = ", ".join(file.name for file in old)
        sys.stderr.write(f"Stale in {old[0].parent}: {names}. `python -m {module} --write` replaces what is stale.\n")
    return int(bool(old))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, figures: bool = False) -> str:
    """A Markdown table; with ``figures`` all columns but the first are set to the right."""
    rule = ["---", *["---:" if figures else "---"] * (len(header) - 1)]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in (header, rule, *rows)
    )
