"""The summary of test cases, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.testing.cases import Suite
from fraudstream.asaql.testing.comparing import compare
from fraudstream.asaql.testing.differences import result_lines
from fraudstream.asaql.testing.results import (
    MATCHED,
    MISSING,
    NOT_EQUAL,
    UNEXPECTED,
    UNREQUIRED,
    CaseResult,
    OutputResult,
    summary,
    time_span,
)

pytestmark = pytest.mark.timeless

EXPECTED = Path("/p/test/x.json")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "00:00:00.0000000"), (1.25, "00:00:01.2500000"), (3723.5, "01:02:03.5000000")],
)
def test_durations_are_written_as_dot_net_does(seconds: float, text: str) -> None:
    assert time_span(seconds) == text


@pytest.mark.parametrize(
    ("kind", "passed"),
    [(MATCHED, True), (UNREQUIRED, True), (NOT_EQUAL, False), (MISSING, False), (UNEXPECTED, False)],
)
def test_a_case_passes_where_nothing_differs(kind: str, passed: bool) -> None:
    assert CaseResult("c", 1.0, [OutputResult(kind, "o", EXPECTED, None)]).passed == passed


def test_the_summary_has_microsofts_entries() -> None:
    suite = Suite(Path("/p/test/testConfig.json"), QueryProject("p", Path("/p"), Path("/p/q.asaql"), ""), ())
    results = [
        CaseResult("one", 1.5, [OutputResult(MATCHED, "o", EXPECTED, Path("/out/o.json"))]),
        CaseResult("two", 0.5, error="q.asaql:1:8: it stopped"),
    ]
    report = summary(suite, results, 2.0)
    entry = {"OutputAlias": "o", "ExpectedOutput": str(EXPECTED), "Output": "/out/o.json"}
    nothing: dict[str, object] = {
        "OutputMatched": [],
        "OutputNotEqual": [],
        "OutputMissing": [],
        "OutputUnexpected": [],
        "OutputUnrequired": [],
    }
    assert report == {
        "Total": 2,
        "Passed": 1,
        "Failed": 1,
        "Script": "/p/q.asaql",
        "Results": [
            {"Name": "one", "Status": 0, "Time": "00:00:01.5000000"} | nothing | {"OutputMatched": [entry]},
            {"Name": "two", "Status": 1, "Time": "00:00:00.5000000"} | nothing | {"Error": "q.asaql:1:8: it stopped"},
        ],
        "Time": "00:00:02.0000000",
    }
    assert list(report) == ["Total", "Passed", "Failed", "Script", "Results", "Time"]


def test_differences_are_told_row_by_row() -> None:
    difference = compare([{"k": "a", "n": 1}, {"k": "b"}], [{"k": "a", "n": 2, "x": None}])
    result = CaseResult("c", 1.0, [OutputResult(NOT_EQUAL, "o", EXPECTED, None, 1, difference)])
    assert list(result_lines(result)) == [
        "o: of the expected rows 2 did not come; of those that came 1 differ",
        '  - {"k":"a","n":1}',
        '  + {"k":"a","n":2,"x":null}',
        "    n: 1 expected, 2 came; x: not expected, and null came",
        '  - {"k":"b"}',
    ]


def test_many_differences_are_cut() -> None:
    difference = compare([{"n": number} for number in range(50)], [])
    lines = list(result_lines(CaseResult("c", 1.0, [OutputResult(NOT_EQUAL, "o", EXPECTED, None, 0, difference)])))
    assert len(lines) == 12
    assert lines[-1] == "  …"
