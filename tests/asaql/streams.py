"""Queries with every window, join and analytic function, and streams for them: what they give depends on events alone.

Steps have names of their own, so that the queries can stand in one file.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
_HISTORY = "LIMIT DURATION(second, 45)"
_BOUNDS = "DATEDIFF(second, a, b) BETWEEN 0 AND 4"


@dataclass(frozen=True, slots=True)
class Query:
    """A query of one output: the items and the rest of its SELECT, behind FROM, and the steps that it has, if any."""

    items: str
    rest: str
    steps: str = ""

    def select(self, output: str) -> str:
        """Its SELECT alone."""
        return f"SELECT {self.items} INTO {output} FROM {self.rest}"

    @property
    def text(self) -> str:
        """The whole query; its output is called `output`."""
        return f"WITH {self.steps} {self.select('output')}" if self.steps else self.select("output")


QUERIES = {
    f"window: {name}": Query(f"k, {_AGGREGATES}, System.Timestamp() AS t", f"A TIMESTAMP BY at GROUP BY k, {window}")
    for name, window in _WINDOWS.items()
} | {
    "LAG, LAST and ISFIRST": Query(
        f"id, LAG(id, 2, -1) {_OVER} AS l, LAST(id) {_OVER} AS p,"
        " ISFIRST(second, 6) OVER (PARTITION BY k WHEN v > 1) AS f",
        "A TIMESTAMP BY at",
    ),
    "aggregates with OVER": Query(
        f"id, COUNT(*) {_OVER} AS n, SUM(w) {_OVER} AS s, AVG(v) {_OVER} AS a, MIN(w) {_OVER} AS least,"
        f" MAX(v) {_OVER} AS most, Collect(id) {_OVER} AS ids",
        "A TIMESTAMP BY at",
    ),
    "join": Query("a.id AS a, b.id AS b", f"A a TIMESTAMP BY at JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k"),
    "left join": Query(
        "a.id AS a, b.id AS b, System.Timestamp() AS t",
        f"A a TIMESTAMP BY at LEFT JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k",
    ),
    "left join by minutes, and a window over it": Query(
        "k, COUNT(*) AS n, COUNT(id) AS hits, System.Timestamp() AS t",
        "J GROUP BY k, TumblingWindow(second, 20)",
        "J AS (SELECT a.k AS k, b.id AS id FROM A a TIMESTAMP BY at"
        " LEFT JOIN B b TIMESTAMP BY at ON DATEDIFF(minute, a, b) BETWEEN 0 AND 0 AND a.v = b.v)",
    ),
    "three streams": Query(
        "a.id AS a, b.id AS b, c.id AS c",
        f"A a TIMESTAMP BY at JOIN B b TIMESTAMP BY at ON {_BOUNDS} AND a.k = b.k"
        " JOIN A c TIMESTAMP BY at ON DATEDIFF(second, b, c) BETWEEN 1 AND 3 AND c.v = a.v",
    ),
    "one step that is read twice and joined": Query(
        "W.k, W.n, System.Timestamp() AS t",
        "W JOIN M ON DATEDIFF(second, W, M) = 0 AND W.n = M.n",
        "W AS (SELECT k, COUNT(*) AS n FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 5)),"
        " M AS (SELECT MAX(n) AS n FROM W GROUP BY System.Timestamp())",
    ),
    "windows over windows, and LAG over them": Query(
        "k, n, LAG(n) OVER (PARTITION BY k LIMIT DURATION(second, 20)) AS before, System.Timestamp() AS t",
        "V",
        "Pairs AS (SELECT k, COUNT(*) AS n FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 2)),"
        " V AS (SELECT k, SUM(n) AS n FROM Pairs GROUP BY k, SlidingWindow(second, 6))",
    ),
    "union": Query(
        "k, SUM(v) AS s, System.Timestamp() AS t",
        "U GROUP BY k, HoppingWindow(second, 6, 3)",
        "U AS (SELECT k, v FROM A TIMESTAMP BY at UNION SELECT k, v FROM B TIMESTAMP BY at)",
    ),
    "anomalies of each key": Query(
        f"id, AnomalyDetection_SpikeAndDip(w, 80, 12, 'spikesanddips') OVER (PARTITION BY k {_HISTORY}) AS s,"
        f" AnomalyDetection_SpikeAndDip(w, 70, 9, 'dips') OVER (PARTITION BY k {_HISTORY} WHEN v > 1) AS d,"
        f" AnomalyDetection_ChangePoint(v, 20, 15) OVER (PARTITION BY k {_HISTORY}) AS c",
        "A TIMESTAMP BY at",
    ),
    "changes of level in the counts of windows": Query(
        f"n, AnomalyDetection_ChangePoint(n, 15, 20) OVER ({_HISTORY}) AS c, System.Timestamp() AS t",
        "Counts",
        "Counts AS (SELECT COUNT(*) AS n FROM A TIMESTAMP BY at GROUP BY TumblingWindow(second, 3))",
    ),
    "MATCH_RECOGNIZE": Query(
        "*",
        "A TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(second, 9) PARTITION BY k"
        " MEASURES First(X.id) AS first, Last(Y.id) AS last AFTER MATCH SKIP TO NEXT ROW PATTERN (X+ Y)"
        " DEFINE X AS X.v > 1, Y AS Y.v < 2) AS m",
    ),
}
_FIRST = datetime(2026, 3, 1, 10, tzinfo=UTC)


def streams(chance: random.Random) -> dict[str, list[dict[str, Any]]]:
    """A minute of rows of A and B by time, no two of which have one time, so that their order says nothing."""
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
