"""pytest collects `testConfig.json`: each case is a test, and all run in one Spark session.

``-p no:fraudstream-query`` switches it off. What a case needs is imported when one is collected: the plugin is loaded
wherever this package is installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fraudstream.asaql.project_files.models import TestCase
    from fraudstream.asaql.running.session import QuerySession
    from fraudstream.asaql.testing.cases import Suite

_CONFIG_NAME = "testconfig.json"
_OPENED = pytest.StashKey[ExitStack]()
_SESSION = pytest.StashKey["QuerySession"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whether the cases may call the projects' functions in Python, which can do whatever their user can."""
    parser.addini("fraudstream_query_python", "Let functions of queries that are written in Python run.", "bool", False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Take the files of test cases."""
    if file_path.name.lower() != _CONFIG_NAME:
        return None
    file: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return file


def pytest_unconfigure(config: pytest.Config) -> None:
    """End Spark."""
    if (opened := config.stash.get(_OPENED, None)) is not None:
        opened.close()


class CaseFailed(Exception):
    """A case whose outputs differ, or which could not be run; the message says how."""


class SuiteFile(pytest.File):
    """A file of test cases."""

    def collect(self) -> Iterable[CaseItem]:
        """Its cases. A file that cannot be read is an error of the collection."""
        from fraudstream.asaql.testing.cases import suite_of
        from fraudstream.core.errors import FraudstreamError

        try:
            suite = suite_of(self.path)
        except FraudstreamError as error:
            raise self.CollectError(str(error)) from error
        for case in suite.cases:
            item: CaseItem = CaseItem.from_parent(self, name=case.name, suite=suite, case=case)
            yield item


class CaseItem(pytest.Item):
    """A test case."""

    def __init__(self, *, suite: Suite, case: TestCase, **options: Any) -> None:
        super().__init__(**options)
        self.suite = suite
        self.case = case

    def runtest(self) -> None:
        """Run the query on the case's records. Raises :class:`CaseFailed`."""
        from fraudstream.asaql.testing.differences import result_lines
        from fraudstream.asaql.testing.running import compiled_suite, run_case
        from fraudstream.core.errors import FraudstreamError

        try:
            query = compiled_suite(self.suite, "asa")
            result = run_case(_session(self), self.suite, self.case, query, None)
        except FraudstreamError as error:
            raise CaseFailed(str(error)) from error
        if not result.passed:
            raise CaseFailed("\n".join(result_lines(result)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What differs, without the lines of this module."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        return self.path, 0, f"case {self.name}"


def _session(item: CaseItem) -> QuerySession:
    """The session of this run of pytest, which the first case starts; it runs JavaScript if any case may need it."""
    from fraudstream.asaql.running.champion import choose_project

    choose_project(item.path)
    from fraudstream.asaql.running.session import query_session

    stash = item.config.stash
    if (session := stash.get(_SESSION, None)) is None:
        cases = (other for other in item.session.items if isinstance(other, CaseItem))
        opened = ExitStack()
        has_scripts = any(case.suite.project.functions for case in cases)
        allows_python = bool(item.config.getini("fraudstream_query_python"))
        session = opened.enter_context(
            query_session(has_scripts=has_scripts, has_models=True, allows_python=allows_python)
        )
        stash[_OPENED], stash[_SESSION] = opened, session
    return session
