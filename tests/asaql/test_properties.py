"""What a query gives depends on its events alone: not on their order in a file, on when the watermark moves, or on
restarts of the engine in between."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from tests.asaql import engine
from tests.asaql.streams import QUERIES, streams

_STREAMS = 8


def _runs() -> Iterator[dict[str, Any]]:
    """Each query over the same events in order, and then shuffled, with cuts and restarts."""
    for name, query in QUERIES.items():
        plan = compile_text(query.text, "query.asaql").to_json()
        read = {entry["name"] for entry in plan["inputs"]}
        for stream in range(_STREAMS):
            chance = random.Random(stream)
            inputs = {name: rows for name, rows in streams(chance).items() if name in read}
            yield _run(f"{name} #{stream}", plan, inputs)
            shuffled = {name: chance.sample(rows, len(rows)) for name, rows in inputs.items()}
            yield _run(f"{name} #{stream} again", plan, shuffled) | {"seed": stream}


def _run(name: str, plan: Mapping[str, Any], inputs: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    lines = {name: [json.dumps(row) for row in rows] for name, rows in inputs.items()}
    return {"name": name, "plan": plan, "inputs": lines}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return engine.run(list(_runs()), tmp_path_factory.mktemp("properties"))


@pytest.mark.parametrize("query", QUERIES)
def test_order_in_a_file_cuts_and_restarts_change_nothing(query: str, outputs: Mapping[str, Any]) -> None:
    some = False
    for stream in range(_STREAMS):
        once = outputs[f"{query} #{stream}"]["outputs"]
        assert outputs[f"{query} #{stream} again"].get("outputs") == once
        some = some or bool(once["output"])
    assert some


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("anomalies of each key", "s"),
        ("anomalies of each key", "d"),
        ("anomalies of each key", "c"),
        ("changes of level in the counts of windows", "c"),
    ],
)
def test_the_streams_have_anomalies_and_rows_that_are_none(query: str, column: str, outputs: Mapping[str, Any]) -> None:
    rows = [row[column] for stream in range(_STREAMS) for row in outputs[f"{query} #{stream}"]["outputs"]["output"]]
    assert {0, 1} == {row["IsAnomaly"] for row in rows if row is not None}
