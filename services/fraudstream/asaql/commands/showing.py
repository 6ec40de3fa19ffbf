"""What the commands show of a run: the first rows of each output, and what was dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.running.functions import PYTHON_LOG
from fraudstream.asaql.running.report import OutputReport, RunReport
from fraudstream.core.output.terminal import styled, terminal
from fraudstream.core.output.text import printable

_MOST_TOLD = 5
_LONGEST_VALUE = 60
_LONGEST_RECORD = 200
_MOST_PRINTED = 20


def show_notes(project: QueryProject) -> None:
    """What of the project is not there."""
    for note in project.notes:
        terminal(stderr=True).print(styled(("note", "yellow"), f" {note}"), soft_wrap=True)


def show_report(report: RunReport, folder: Path | None, rows: int) -> None:
    """The outputs: their files, where they are kept, else their first rows. Dropped records go to stderr."""
    show_dropped(report)
    out = terminal()
    for output in report.outputs:
        if folder is not None:
            out.print(f"{output.name}: {_count(output.rows, 'row')} in {output.file}", soft_wrap=True)
            continue
        out.print(styled((output.name, "bold"), f": {_count(output.rows, 'row')}"))
        if output.rows and rows:
            out.print(_table(output, rows))
            if output.rows > rows:
                out.print(f"… and {output.rows - rows:,} more: --output-dir writes all of them")


def show_dropped(report: RunReport) -> None:
    """How many records of which input were dropped, and the first ones."""
    err = terminal(stderr=True)
    for source in report.inputs:
        if not source.dropped:
            continue
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in source.dropped.items())
        count = sum(source.dropped.values())
        err.print(
            styled((source.name, "bold"), f": {count:,} of {_count(source.records, 'record')} dropped ({kinds})"),
            soft_wrap=True,
        )
        records = [dropped for dropped in report.told if dropped.input == source.name]
        for dropped in records[:_MOST_TOLD]:
            place = f"  {dropped.file}:{dropped.line}: {dropped.message} "
            err.print(f"{place}{printable(dropped.record, _LONGEST_RECORD)}", soft_wrap=True)
        if count > _MOST_TOLD:
            err.print(f"  … and {count - min(_MOST_TOLD, len(records)):,} more")


def show_printed(scratch: Path) -> None:
    """The last lines that functions in Python printed in a session with this folder."""
    log = scratch / PYTHON_LOG
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    for line in lines[-_MOST_PRINTED:]:
        terminal(stderr=True).print(styled(("Python", "bold"), f": {printable(line, _LONGEST_RECORD)}"), soft_wrap=True)


def _table(output: OutputReport, count: int) -> Table:
    rows = output.first(count)
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(row)
    table = Table(*(printable(name, _LONGEST_VALUE) for name in names), box=None)
    for row in rows:
        table.add_row(*(_cell(row[name]) if name in row else "" for name in names))
    return table


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return printable(text, _LONGEST_VALUE)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
