"""The results of test cases, and their summary as Microsoft's tool writes it (`testResultSummary.json`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fraudstream.asaql.testing.cases import Suite
from fraudstream.asaql.testing.comparing import Difference

SUMMARY_NAME = "testResultSummary.json"
MATCHED, NOT_EQUAL, MISSING, UNEXPECTED, UNREQUIRED = (
    "OutputMatched",
    "OutputNotEqual",
    "OutputMissing",
    "OutputUnexpected",
    "OutputUnrequired",
)
_KINDS = (MATCHED, NOT_EQUAL, MISSING, UNEXPECTED, UNREQUIRED)
_FAILING = (NOT_EQUAL, MISSING, UNEXPECTED)


@dataclass(frozen=True, slots=True)
class OutputResult:
    """What became of one output in a case: ``kind`` is the summary's list in which it stands."""

    kind: str
    alias: str
    expected: Path | None
    actual: Path | None
    rows: int = 0
    difference: Difference | None = None

    def to_json(self) -> dict[str, str]:
        """The output as the summary has it; what was not kept has no path."""
        return {
            "OutputAlias": self.alias,
            "ExpectedOutput": "" if self.expected is None else str(self.expected.absolute()),
            "Output": "" if self.actual is None else str(self.actual.absolute()),
        }


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case: its outputs, or the error that ended it."""

    name: str
    seconds: float
    outputs: Sequence[OutputResult] = ()
    error: str = ""
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.error and not any(output.kind in _FAILING for output in self.outputs)

    def to_json(self) -> dict[str, Any]:
        """The case as the summary has it; a case that could not be run has the entry `Error`, too."""
        lists = {kind: [output.to_json() for output in self.outputs if output.kind == kind] for kind in _KINDS}
        head = {"Name": self.name, "Status": 0 if self.passed else 1, "Time": time_span(self.seconds)}
        return head | lists | ({"Error": self.error} if self.error else {})


def summary(suite: Suite, results: Sequence[CaseResult], seconds: float) -> dict[str, Any]:
    """The summary of all cases."""
    passed = sum(result.passed for result in results)
    return {
        "Total": len(results),
        "Passed": passed,
        "Failed": len(results) - passed,
        "Script": str(suite.project.query_file.absolute()),
        "Results": [result.to_json() for result in results],
        "Time": time_span(seconds),
    }


def time_span(seconds: float) -> str:
    """A duration as .NET writes it: ``00:00:01.2345678``."""
    microseconds = timedelta(seconds=seconds) // timedelta(microseconds=1)
    whole, fraction = divmod(microseconds, 1_000_000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{fraction:06}0"
