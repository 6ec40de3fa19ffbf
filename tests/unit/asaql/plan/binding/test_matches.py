"""MATCH_RECOGNIZE."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.asaql.plan.compiled import const, field, plan_of, refused, without_places

pytestmark = pytest.mark.timeless


def query(measures: str = "Last(B.x) AS x", pattern: str = "A+ B", define: str = "A AS A.x > 1") -> str:
    return (
        "SELECT * INTO o FROM Input TIMESTAMP BY t MATCH_RECOGNIZE (LIMIT DURATION(minute, 1) PARTITION BY k "
        f"MEASURES {measures} AFTER MATCH SKIP TO NEXT ROW PATTERN ({pattern}) DEFINE {define}) AS T"
    )


def match(**parts: str) -> dict[str, Any]:
    steps = without_places(plan_of(query(**parts)).to_json()["steps"])
    match_step: dict[str, Any] = next(step for step in steps if step["op"] == "match")
    return match_step


def slot(index: int) -> dict[str, Any]:
    return {"e": "slot", "kind": "aggregate", "index": index}


def test_limit_partition_and_pattern() -> None:
    step = match(pattern="A+ (B | .)? B*")
    assert (step["limit"], step["partition"]) == (600_000_000, [field("k")])
    row_a, row_b = {"kind": "row", "name": "A"}, {"kind": "row", "name": "B"}
    choice = {"kind": "choice", "parts": [row_b, {"kind": "row"}]}
    assert step["pattern"] == {
        "kind": "sequence",
        "parts": [
            {"kind": "repeat", "parts": [row_a], "quantifier": "+"},
            {"kind": "repeat", "parts": [choice], "quantifier": "?"},
            {"kind": "repeat", "parts": [row_b], "quantifier": "*"},
        ],
    }


def test_values_of_variables_are_slots_and_the_variables_own_fields_the_row() -> None:
    step = match(
        define="A AS A.x > 1 AND y = 2, B AS B.x > 2 * Max(a.x) AND B.x > A.z", measures="Classifier() AS c, B.x AS x"
    )
    assert step["variables"] == [
        {"f": "max", "name": "A", "path": ["x"]},
        {"f": "last", "name": "A", "path": ["z"]},
        {"f": "classifier", "name": None, "path": []},
        {"f": "last", "name": "B", "path": ["x"]},
    ]
    first, second = step["definitions"]
    assert (first["name"], first["condition"]["args"][0]["args"][0]) == ("A", field("x"))
    assert second["condition"]["args"][0]["args"] == [field("x"), {"e": "op", "op": "*", "args": [const(2), slot(0)]}]
    assert [measure["expr"] for measure in step["measures"]] == [slot(2), slot(3)]


def test_the_measures_are_the_columns_of_what_follows() -> None:
    text = query().replace("SELECT *", "SELECT x, T.x AS y")
    assert plan_of(text).to_json()["steps"][-1]["op"] == "select"
    assert "T has no column z. Its columns are x." in refused(query().replace("SELECT *", "SELECT z"))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"define": "C AS C.x > 1"}, "The pattern has no variable C"),
        ({"define": "A AS B.x > 1, B AS B.x > 1"}, "B is defined later"),
        ({"define": "A AS A.x > 1, a AS A.x > 1"}, "The variable a is defined twice"),
        ({"define": "A AS Classifier() = 1"}, "Classifier() stands in MEASURES"),
        ({"measures": "Last(ABS(A.x)) AS x"}, "takes one field of a variable here, such as Last(A.price)"),
        ({"measures": "Last(C.x) AS x"}, "The pattern has no variable C"),
        ({"measures": "AVG(A.x) AS x"}, "MATCH_RECOGNIZE has First, Last, Min and Max"),
        ({"measures": "LAG(x) OVER (LIMIT DURATION(s, 1)) AS x"}, "Compute it in a step before"),
    ],
)
def test_a_wrong_match_is_refused(parts: dict[str, str], message: str) -> None:
    assert message in refused(query(**parts))
