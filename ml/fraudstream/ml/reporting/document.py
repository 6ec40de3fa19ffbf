"""A report as a list of blocks, and its two forms: Markdown, and one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #ccc; padding: .25rem .6rem; text-align: left; } td.figure { text-align: right; }
img { max-width: 100%; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } img { background: #fff; } }
"""
# What Markdown would read as its own.
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#"})


class Block(Protocol):
    """A part of a report. In Markdown, empty where it can only be shown."""

    def markdown(self) -> str: ...

    def html(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Heading:
    text: str

    def markdown(self) -> str:
        return f"## {_plain(self.text)}"

    def html(self) -> str:
        return f"<h2>{escape(self.text)}</h2>"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str

    def markdown(self) -> str:
        return _plain(self.text)

    def html(self) -> str:
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells beneath a title; the first cell of a row names it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        line = "| " + " | ".join(["---"] * len(self.columns)) + " |"
        lines = [_row(self.columns), line, *map(_row, self.rows)]
        return f"{_plain(self.title)}:\n\n" + "\n".join(lines)

    def html(self) -> str:
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in self.columns)
        body = "".join(f"<tr>{_cells(row)}</tr>" for row in self.rows)
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, which only HTML shows."""

    title: str
    png: bytes

    def markdown(self) -> str:
        return ""

    def html(self) -> str:
        source = base64.b64encode(self.png).decode("ascii")
        return f'<figure><img alt="{escape(self.title)}" src="data:image/png;base64,{source}"></figure>'


def markdown(title: str, blocks: Iterable[Block]) -> str:
    """The report as Markdown; no cell can change its form."""
    parts = [f"# {_plain(title)}", *(block.markdown() for block in blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def html(title: str, blocks: Iterable[Block]) -> str:
    """The report as one HTML file with its pictures inside."""
    parts = "\n".join([f"<h1>{escape(title)}</h1>", *(block.html() for block in blocks)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{parts}\n</body>\n</html>\n"
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_MARKS)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _cells(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f'<td class="figure">{escape(cell)}</td>' for cell in others)
    return f'<th scope="row">{escape(first)}</th>{cells}'
