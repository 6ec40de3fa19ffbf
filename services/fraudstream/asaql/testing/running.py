"""Running test cases, all in one session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from fraudstream.asaql.compiling import Compiled, compiled
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.project_files.models import ExpectedOutput, TestCase
from fraudstream.asaql.running.job import output_files, run_query
from fraudstream.asaql.running.report import RunReport
from fraudstream.asaql.running.session import QuerySession
from fraudstream.asaql.testing.cases import Suite, case_bindings
from fraudstream.asaql.testing.comparing import compare, read_expected, without
from fraudstream.asaql.testing.results import (
    MATCHED,
    MISSING,
    NOT_EQUAL,
    UNEXPECTED,
    UNREQUIRED,
    CaseResult,
    OutputResult,
)
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.project.json_text import ProjectFileError


def compiled_suite(suite: Suite, dialect: Dialect) -> Compiled:
    """The query that the cases are of. Raises :class:`QueryError`."""
    return compiled(suite.project, references=suite.references, dialect=dialect)


def run_suite(session: QuerySession, suite: Suite, query: Compiled, kept: Path | None) -> Iterator[CaseResult]:
    """Each case's result, once it has been run. ``kept`` is the folder where the outputs stay, if they do."""
    folders = output_files(Path(), [case.name for case in suite.cases])
    for case, folder in zip(suite.cases, folders, strict=True):
        yield run_case(session, suite, case, query, None if kept is None else kept / folder.stem)


def run_case(session: QuerySession, suite: Suite, case: TestCase, query: Compiled, kept: Path | None) -> CaseResult:
    """The result of one case; what goes wrong in it is part of the result."""
    began = time.monotonic()
    try:
        folder = kept or session.new_folder("case")
        folder.mkdir(parents=True, exist_ok=True)
        report = run_query(session, query, case_bindings(suite, case, query), folder)
        outputs = list(_compared(suite, case, report, is_kept=kept is not None))
    except (FraudstreamError, OSError) as error:
        return CaseResult(case.name, time.monotonic() - began, error=str(error))
    dropped = {source.name: sum(source.dropped.values()) for source in report.inputs if source.dropped}
    return CaseResult(case.name, time.monotonic() - began, outputs, dropped=dropped)


def _compared(suite: Suite, case: TestCase, report: RunReport, *, is_kept: bool) -> Iterator[OutputResult]:
    named = set()
    for expected in case.expected:
        named.add(expected.alias.casefold())
        yield _result(suite, case, expected, report, is_kept)
    for output in report.outputs:
        # An output that nobody expects anything of and that gives nothing is as expected.
        if output.name.casefold() not in named and output.rows:
            file = output.file if is_kept else None
            yield OutputResult(UNEXPECTED, output.name, None, file, output.rows, compare([], output.first(20)))


def _result(suite: Suite, case: TestCase, expected: ExpectedOutput, report: RunReport, is_kept: bool) -> OutputResult:
    file = suite.file(expected.file_path, f"{suite.config}: {case.name}: {expected.alias}")
    output = report.output(expected.alias)
    kept = output.file if output is not None and is_kept else None
    if not expected.required:
        return OutputResult(UNREQUIRED, expected.alias, file, kept, output.rows if output else 0)
    if output is None:
        return OutputResult(MISSING, expected.alias, file, None)
    if not file.is_file():
        raise ProjectFileError(f"{suite.config}: {case.name}: {expected.alias}: there is no file {file}.")
    rows = (without(rows, expected.ignored) for rows in (read_expected(file), output.values()))
    difference = compare(*rows)
    kind = MATCHED if difference.is_none else NOT_EQUAL
    return OutputResult(kind, expected.alias, file, kept, output.rows, difference)
