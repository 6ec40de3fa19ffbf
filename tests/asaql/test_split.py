"""Where a plan says that rows of different keys do not meet, each key's rows by themselves give the same outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.plan.split import split
from tests.asaql import engine
from tests.asaql.conformance import Case, cases, difference, lines

Keys = Mapping[str, Sequence[Sequence[str]]]


def keys(case: Case) -> Keys | None:
    """By the name of an input in lower case, the paths of its keys; None where rows have to be in one place."""
    if case.outputs is None or case.arrival:
        return None
    try:
        plan = compile_text(case.query, references=tuple(case.reference), level=case.level)
    except QueryError:
        return None
    partitioning = split(plan)
    if partitioning.stateless or partitioning.keys is None:
        return None
    if not all(isinstance(key, nodes.Field) for of_input in partitioning.keys.values() for key in of_input):
        return None
    return {
        name.casefold(): [key.path for key in of_input if isinstance(key, nodes.Field)]
        for name, of_input in partitioning.keys.items()
    }


def parts(case: Case, of_inputs: Keys) -> list[dict[str, Any]]:
    """The case once for each value of its key, with the rows that have it."""
    plan = compile_text(case.query, references=tuple(case.reference), level=case.level)
    whole = case.to_run(plan.to_json())
    groups: dict[str, dict[str, list[str]]] = {}
    for name, rows in whole["inputs"].items():
        for row in rows:
            record = json.loads(row)
            group = json.dumps([_value(record, path) for path in of_inputs.get(name.casefold(), ())])
            groups.setdefault(group, {other: [] for other in whole["inputs"]})[name].append(row)
    return [{**whole, "name": f"{case.id} {group}", "inputs": inputs} for group, inputs in groups.items()]


def _value(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        values = {key.casefold(): value for key, value in record.items()} if isinstance(record, dict) else {}
        record = values.get(name.casefold())
    # A whole number is the same key as a bigint and as a float.
    return float(record) if isinstance(record, int) and not isinstance(record, bool) else record


CASES = {
    case.id: (case, of_inputs)
    for case in cases()
    if (of_inputs := keys(case)) is not None and all(map(lines, case.inputs.values()))
}


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, engine.Outcome]:
    runs = [part for case, of_inputs in CASES.values() for part in parts(case, of_inputs)]
    return engine.run(runs, tmp_path_factory.mktemp("split"))


def test_many_cases_are_split() -> None:
    assert len(CASES) > 50


@pytest.mark.parametrize("name", CASES)
def test_the_parts_give_what_the_whole_gives(name: str, outcomes: dict[str, engine.Outcome]) -> None:
    case, of_inputs = CASES[name]
    rows: dict[str, list[Any]] = {}
    for part in parts(case, of_inputs):
        for output, given in outcomes[part["name"]]["outputs"].items():
            rows.setdefault(output, []).extend(given)
    assert not difference(case.outputs or {}, rows)
