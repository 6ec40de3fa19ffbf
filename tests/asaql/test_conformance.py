"""Every case of the suite, through the compiler and the engine."""

from __future__ import annotations

import pytest

from tests.asaql import engine
from tests.asaql.conformance import Case, cases, difference
from tests.asaql.engine import Outcome

CASES = cases()


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return engine.outcomes(CASES, tmp_path_factory.mktemp("conformance"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.id]
    error = outcome.get("error")
    if case.outputs is not None:
        assert error is None, error
        differences = difference(case.outputs, outcome["outputs"])
        assert not differences, f"{differences}\nby: {case.rule}"
        return
    assert error is not None, f"no error, but {outcome['outputs']}\nby: {case.rule}"
    assert (case.error or "").casefold() in error["message"].casefold()
    if case.line is not None:
        assert error["line"] == case.line
    if case.column is not None:
        assert error["column"] == case.column
