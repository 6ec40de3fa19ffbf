"""A run as the Java side reads it: the plan, the inputs' files, how rows are kept apart."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.asaql.running.bindings import PARQUET, Binding
from fraudstream.asaql.running.functions import described_functions
from fraudstream.asaql.running.parquet import as_json_lines
from fraudstream.asaql.running.report import RunReport, read_report

if TYPE_CHECKING:
    from fraudstream.asaql.compiling import Compiled
    from fraudstream.asaql.running.session import QuerySession

_TICKS_PER_SECOND = 10_000_000
_NO_FILE_NAME = re.compile(r"[^\w.\- ]|^\.")
_LONGEST_NAME = 100


def run_query(
    session: QuerySession,
    compiled: Compiled,
    bindings: Mapping[str, Binding],
    folder: Path,
    start: float | None = None,
) -> RunReport:
    """Run a query on files and write a file for each output into ``folder``.

    ``start`` is the time, in seconds since 1970 in UTC, that rows without TIMESTAMP BY get; now by default. Raises
    :class:`QueryStopped` where an expression ends the query, :class:`FraudstreamError` where Spark fails, or a function
    that the query calls cannot be run here.
    """
    ticks = int((time.time() if start is None else start) * _TICKS_PER_SECOND)
    for file in output_files(folder, compiled.outputs):
        # A run that fails leaves nothing of an earlier one behind.
        file.unlink(missing_ok=True)
    scratch = session.new_folder("run")
    job = {
        "plan": compiled.plan,
        "functions": described_functions(session, compiled),
        "start": ticks,
        "folder": str(scratch),
        "target": str(folder),
        "files": [file.name for file in output_files(folder, compiled.outputs)],
        "stateless": compiled.stateless,
        "streams": [_input(session, bindings[name], compiled) for name in compiled.streams],
        "references": [_input(session, bindings[name], compiled) for name in compiled.references],
    }
    return read_report(session.run(job), compiled.file)


def output_files(folder: Path, outputs: Sequence[str]) -> list[Path]:
    """The file of each output in a folder: its name, with ``_`` for what no file's name may hold."""
    names: list[str] = []
    for output in outputs:
        name = _NO_FILE_NAME.sub("_", output)[:_LONGEST_NAME] or "_"
        while name.casefold() in (taken.casefold() for taken in names):
            name += "_"
        names.append(name)
    return [folder / f"{name}.json" for name in names]


def _input(session: QuerySession, binding: Binding, compiled: Compiled) -> dict[str, Any]:
    files: Sequence[Path] = binding.files
    datetimes: Sequence[str] = ()
    if binding.format == PARQUET:
        files, datetimes = as_json_lines(session, binding.files)
    return {
        "name": binding.name,
        "format": "json" if binding.format == PARQUET else binding.format,
        "files": [str(file.absolute()) for file in files],
        "datetimes": list(datetimes),
        "delimiter": binding.delimiter,
        "key": None if compiled.keys is None else compiled.keys.get(binding.name),
    }
