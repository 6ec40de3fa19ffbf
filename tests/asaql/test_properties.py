"""What a query gives depends on its events alone: not on their order in a file, on when the watermark moves, or on
restarts of the engine in between."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from tests.asaql import engine

_AGGREGATES = (
    "COUNT(*) AS n, COUNT(v) AS nv, SUM(v) AS s, AVG(w) AS a, MIN(v) AS least, MAX(w) AS most, COUNT(DISTINCT v) AS d,"
    " STDEV(w) AS sd, Percentile_Disc(0.5) OVER (ORDER BY v) AS median, Collect(id) AS ids,"
    " TopOne(id) OVER (ORDER BY w DESC) AS top, CollectTop(2, id) OVER (ORDER BY v) AS two"
)
_WINDOWS = {
    "tumbling": "TumblingWindow(second, 7)",
    "tumbling with an offset": "TumblingWindow(Duration(second, 10), Offset(second, 3))",
    "hopping": "HoppingWindow(second, 10, 4)",
    "hopping by many hops": "HoppingWindow(second, 30, 2)",
    "sliding": "SlidingWindow(second, 5)",
    "session": "SessionWindow(second, 3, 8)",
    "session by key": "SessionWindow(Timeout(second, 3), MaxDuration(second, 8)) OVER (PARTITION BY k)",
    "snapshot": "System.Timestamp()",
    "set": "Windows(Window('t', TumblingWindow(second, 5)), Window('h', HoppingWindow(second, 9, 3)))",
}
_OVER = "OVER (PARTITION BY k LIMIT DURATION(second, 8) WHEN v > 1)"
_BOUNDS = "DATEDIFF(second, a, b) BETWEEN 0 AND 4"
_QUERIES = {
    f"window: {name}": f"SELECT k, {_AGGREGATES}, System.Timestamp() AS t FROM A TIMESTAMP BY at GROUP BY k, {window}"
    for name, window in _WINDOWS.items()
} | {
    "LAG, LAST and ISFIRST": (
        f"SELECT id, LAG(id, 2, -1) {_OVER} AS l, LAST(id) {_OVER} AS p,"
        " ISFIRST(second, 6) OVER (PARTITION BY k WHEN v > 1) AS f FROM A TIMESTAMP BY at"
    ),
    "aggregates with OVER": (
        f"SELECT id, COUNT(*) {_OVER} AS n, SUM(w) {_OVER} AS s, AVG(v) {_OVER} AS a, MIN(w) {_OVER} AS least,"
        f" MAX(v) {_OVER} AS most, Collect(id) {_OVER} AS ids FROM A TIMESTAMP BY at"
    ),
    "join": f"SELECT a.id AS a, b.id AS b FROM A a TIMESTAMP BY at JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k",
    "left join": (
        "SELECT a.id AS a, b.id AS b, System.Timestamp() AS t FROM A a TIMESTAMP BY at"
        f" LEFT JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k"
    ),
    "left join by minutes, and a window over it": (
        "WITH J AS (SELECT a.k AS k, b.id AS id FROM A a TIMESTAMP BY at"
        " LEFT JOIN B b TIMESTAMP BY at ON DATEDIFF(minute, a, b) BETWEEN 0 AND 0 AND a.v = b.v)"
        " SELECT k, COUNT(*) AS n, COUNT(id) AS hits, System.Timestamp() AS t FROM J"
        " GROUP BY k, TumblingWindow(second, 20)"
    ),
    "three streams": (
        "SELECT a.id AS a, b.id AS b, c.id AS c FROM A a TIMESTAMP BY at"
        f" JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k"
        " JOIN A c TIMESTAMP BY at ON DATEDIFF(second, b, c) BETWEEN 1 AND 3 AND c.v = a.v"
    ),
    "one step that is read twice and joined": (
        "WITH W AS (SELECT k, COUNT(*) AS n FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 5)),"
        " M AS (SELECT MAX(n) AS n FROM W GROUP BY System.Timestamp())"
        " SELECT W.k, W.n, System.Timestamp() AS t FROM W JOIN M ON DATEDIFF(second, W, M) = 0 AND W.n = M.n"
    ),
    "windows over windows, and LAG over them": (
        "WITH W AS (SELECT k, COUNT(*) AS n FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 2)),"
        " V AS (SELECT k, SUM(n) AS n FROM W GROUP BY k, SlidingWindow(second, 6))"
        " SELECT k, n, LAG(n) OVER (PARTITION BY k LIMIT DURATION(second, 20)) AS before,"
        " System.Timestamp() AS t FROM V"
    ),
    "union": (
        "WITH U AS (SELECT k, v FROM A TIMESTAMP BY at UNION SELECT k, v FROM B TIMESTAMP BY at)"
        " SELECT k, SUM(v) AS s, System.Timestamp() AS t FROM U GROUP BY k, HoppingWindow(second, 6, 3)"
    ),
    "MATCH_RECOGNIZE": (
        "SELECT * INTO output FROM A TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(second, 9) PARTITION BY k"
        " MEASURES First(X.id) AS first, Last(Y.id) AS last AFTER MATCH SKIP TO NEXT ROW PATTERN (X+ Y)"
        " DEFINE X AS X.v > 1, Y AS Y.v < 2) AS m"
    ),
}
_STREAMS = 8
_FIRST = datetime(2026, 3, 1, 10, tzinfo=UTC)


def _events(chance: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Rows of A and B, no two of which have one time, so that their order in a file says nothing."""
    inputs: dict[str, list[dict[str, Any]]] = {"A": [], "B": []}
    for number, tenth in enumerate(sorted(chance.sample(range(600), 70))):
        inputs[chance.choice("AAB")].append(
            {
                "id": number,
                "k": chance.choice(["x", "y", None]),
                "v": chance.choice([None, 1, 2, 3, 4]),
                "w": chance.choice([None, 0.5, 1.25, 7.75]),
                "at": (_FIRST + timedelta(seconds=tenth / 10)).isoformat(),
            }
        )
    return inputs


def _runs() -> Iterator[dict[str, Any]]:
    """Each query over the same events in order, and then shuffled, with cuts and restarts."""
    for name, query in _QUERIES.items():
        plan = compile_text(query, "query.asaql").to_json()
        read = {entry["name"] for entry in plan["inputs"]}
        for stream in range(_STREAMS):
            chance = random.Random(stream)
            inputs = {one: rows for one, rows in _events(chance).items() if one in read}
            yield _run(f"{name} #{stream}", plan, inputs)
            shuffled = {one: chance.sample(rows, len(rows)) for one, rows in inputs.items()}
            yield _run(f"{name} #{stream} again", plan, shuffled) | {"seed": stream}


def _run(name: str, plan: Mapping[str, Any], inputs: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    lines = {one: [json.dumps(row) for row in rows] for one, rows in inputs.items()}
    return {"name": name, "plan": plan, "inputs": lines}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return engine.run(list(_runs()), tmp_path_factory.mktemp("properties"))


@pytest.mark.parametrize("query", _QUERIES)
def test_order_in_a_file_cuts_and_restarts_change_nothing(query: str, outputs: Mapping[str, Any]) -> None:
    some = False
    for stream in range(_STREAMS):
        once = outputs[f"{query} #{stream}"]["outputs"]
        assert outputs[f"{query} #{stream} again"].get("outputs") == once
        some = some or bool(once["output"])
    assert some
