"""``query test --watch``: the cases run again when a file is saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fraudstream.asaql.commands import testing
from fraudstream.asaql.testing.results import CaseResult

pytestmark = pytest.mark.timeless


class Ended(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The names of the cases of each run; Spark is left out."""
    done: list[list[str]] = []

    @contextmanager
    def session(**options: Any) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(scratch=tmp_path)

    def run_suite(session: SimpleNamespace, suite: Any, query: Any, kept: Path | None) -> Iterator[CaseResult]:
        done.append([case.name for case in suite.cases])
        yield from (CaseResult(case.name, 0.1) for case in suite.cases)

    monkeypatch.setattr(testing, "query_session", session)
    monkeypatch.setattr(testing, "run_suite", run_suite)
    return done


def write(folder: Path, query: str, *names: str) -> None:
    (folder / "q.asaql").write_text(query, "utf-8")
    (folder / "testConfig.json").write_text(json.dumps({"TestCases": [{"Name": name} for name in names]}), "utf-8")


def test_saving_a_file_runs_the_cases_again(
    tmp_path: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = [
        lambda: write(tmp_path, "SELCT a FROM i", "one", "two"),
        lambda: write(tmp_path, "SELECT a, b FROM i", "one", "two"),
    ]

    def sleep(seconds: float) -> None:
        if not saved:
            raise Ended
        saved.pop(0)()

    monkeypatch.setattr(testing.time, "sleep", sleep)
    write(tmp_path, "SELECT a FROM i", "one")
    with pytest.raises(Ended):
        testing.test_command(tmp_path, None, None, watch=True, as_json=False, dialect="asa", allows_python=False)
    assert runs == [["one"], ["one", "two"]]
    printed = capsys.readouterr()
    assert "SELCT" in printed.err
    assert printed.out.endswith("2 of 2 passed (0.0 s)\n")


def test_the_summary_is_kept_and_printed(
    tmp_path: Path, runs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "SELECT a FROM i", "one")
    kept = tmp_path / "kept"
    assert testing.test_command(tmp_path, None, kept, watch=False, as_json=True, dialect="asa", allows_python=False)
    summary = json.loads((kept / "testResultSummary.json").read_text("utf-8"))
    assert json.loads(capsys.readouterr().out) == summary
    assert (summary["Total"], summary["Passed"]) == (1, 1)
