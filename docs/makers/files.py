"""Generated files: which of them are stale, writing them, and the building blocks of pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

Files = Mapping[Path, str]


def stale(files: Files) -> list[Path]:
    """The files that are missing or have another content."""
    return [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]


def write(files: Files) -> None:
    """Write all files, and create their folders."""
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def replaced(page: str, begin: str, end: str, content: str) -> str:
    """The page with new text between its two marks. Raises ``ValueError`` if a mark is missing."""
    before, first, rest = page.partition(begin)
    _, second, after = rest.partition(end)
    if not first or not second:
        raise ValueError(f"the page lacks the mark {(end if first else begin).strip()}")
    return f"{before}{begin}{content}{end}{after}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, figures: bool = False) -> str:
    """A Markdown table; with ``figures``, all columns but the first are right-aligned."""
    rule = ["---", *["---:" if figures else "---"] * (len(header) - 1)]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in (header, rule, *rows)
    )
