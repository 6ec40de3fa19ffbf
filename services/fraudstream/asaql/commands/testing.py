"""``fraudstream query test``."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import orjson

from fraudstream.asaql.commands.showing import show_notes, show_printed
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.running.functions import require_allowed
from fraudstream.asaql.running.session import QuerySession, query_session
from fraudstream.asaql.testing.cases import Suite, read_suite
from fraudstream.asaql.testing.differences import result_lines
from fraudstream.asaql.testing.results import SUMMARY_NAME, CaseResult, summary
from fraudstream.asaql.testing.running import compiled_suite, run_suite
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.terminal import say_json, styled, terminal, write_file

_POLL_SECONDS = 0.2


def test_command(
    place: Path,
    config: Path | None,
    output_dir: Path | None,
    *,
    watch: bool,
    as_json: bool,
    dialect: Dialect,
    allows_python: bool,
) -> bool:
    """Run the cases, again after each change if it is to ``watch``; whether all passed the last time."""
    suite = read_suite(place, config)
    show_notes(suite.project)
    # What is wrong with the query is told before Spark starts, unless it may be corrected meanwhile.
    query = None if watch else compiled_suite(suite, dialect)
    if query is not None:
        require_allowed(query, allows_python)
    console = terminal(stderr=True)
    has_scripts = bool(suite.project.functions if query is None else query.scripts)
    has_models = bool(query is None or query.models)
    starting = query_session(has_scripts=has_scripts, has_models=has_models, allows_python=allows_python)
    with console.status("starting Spark") as line, starting as session:
        line.stop()
        if query is not None:
            return _run(session, suite, output_dir, as_json=as_json, dialect=dialect)
        while True:
            files = set(suite.files)
            before = _times(files)
            try:
                suite = read_suite(place, config)
                _run(session, suite, output_dir, as_json=as_json, dialect=dialect)
            except FraudstreamError as error:
                console.print(styled(("✗", "red"), f" {error}"), soft_wrap=True)
            console.print("waiting for a change; Ctrl-C ends", soft_wrap=True)
            files |= set(suite.files)
            before |= {file: stamp for file, stamp in _times(files).items() if file not in before}
            while _times(files) == before:
                time.sleep(_POLL_SECONDS)


def _run(session: QuerySession, suite: Suite, kept: Path | None, *, as_json: bool, dialect: Dialect) -> bool:
    began = time.monotonic()
    query = compiled_suite(suite, dialect)
    results = []
    for result in run_suite(session, suite, query, kept):
        results.append(result)
        if not as_json:
            show_case(result)
    show_printed(session.scratch)
    report = summary(suite, results, time.monotonic() - began)
    if kept is not None:
        write_file(kept / SUMMARY_NAME, orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
    if as_json:
        say_json(report)
    else:
        terminal().print(f"{report['Passed']} of {report['Total']} passed ({time.monotonic() - began:.1f} s)")
    return bool(report["Failed"] == 0)


def show_case(result: CaseResult) -> None:
    """The case in a line, and what differs in lines below."""
    out = terminal()
    sign = ("✓", "green") if result.passed else ("✗", "red")
    dropped = "".join(f"; {count:,} records of {name} dropped" for name, count in result.dropped.items())
    out.print(styled(sign, f" {result.name} ({result.seconds:.1f} s{dropped})"), soft_wrap=True)
    for line in result_lines(result):
        out.print(f"  {line}", soft_wrap=True)


def _times(files: Iterable[Path]) -> dict[Path, int]:
    times = {}
    for file in files:
        try:
            times[file] = file.stat().st_mtime_ns
        except OSError:
            times[file] = 0
    return times
