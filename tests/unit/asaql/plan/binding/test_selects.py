"""SELECT: columns and their names, GROUP BY, HAVING, sources."""

from __future__ import annotations

import pytest

from tests.unit.asaql.plan.compiled import JOINED, columns, const, field, last_step, plan_of, refused

pytestmark = pytest.mark.timeless

SECOND = 10_000_000
MINUTE = 60 * SECOND


def key(index: int = 0) -> dict[str, object]:
    return {"e": "slot", "kind": "key", "index": index}


def aggregate(index: int = 0) -> dict[str, object]:
    return {"e": "slot", "kind": "aggregate", "index": index}


# --- Columns


def test_names_are_aliases_or_the_last_part_or_numbers() -> None:
    query = (
        "SELECT a.b.c, b AS [x y], 'k' = c, a + 1, GetArrayElement(l, 0).name, LEN(a), "
        "COUNT(a) OVER (LIMIT DURATION(s, 1)) FROM Input"
    )
    assert columns(query) == ["c", "x y", "k", "expr1", "name", "expr2", "count"]


def test_of_two_columns_with_one_name_the_left_one_wins() -> None:
    assert columns("SELECT a, b AS A, c FROM Input") == ["a", "c"]


def test_level_1_0_has_lower_case_names() -> None:
    assert columns("SELECT Card, Amount AS Total, * FROM Input", level="1.0") == ["card", "total", "*"]


@pytest.mark.parametrize(
    ("item", "bound"),
    [
        ("*", {"kind": "star", "sources": None}),
        ("a.*", {"kind": "star", "sources": [0]}),
        ("b.*", {"kind": "star", "sources": [1]}),
        ("b.rec.*", {"kind": "spread", "expr": field("rec", 1)}),
    ],
)
def test_stars(item: str, bound: dict[str, object]) -> None:
    assert last_step(f"SELECT {item} {JOINED}")["project"] == [bound]


def test_the_star_of_an_apply_spreads_its_record() -> None:
    step = last_step("SELECT i.*, e.*, e.ArrayValue.* FROM Input i CROSS APPLY GetArrayElements(i.list) AS e")
    assert step["project"] == [
        {"kind": "star", "sources": [0]},
        {"kind": "spread", "expr": {"e": "row", "source": 1}},
        {"kind": "spread", "expr": field("ArrayValue", 1)},
    ]
    assert step["from"][1] == {
        "kind": "apply", "outer": False, "function": "elements", "argument": field("list"), "name": "e"
    }  # fmt: skip


def test_a_sentence_in_double_quotes_is_a_text_unless_a_row_has_it_as_a_column() -> None:
    step = last_step('SELECT "device id", "too hot: call" AS m, "[a][b]" AS b, "c" AS d FROM Input')
    assert [item["expr"] for item in step["project"]] == [
        field("device id"),
        {"e": "call", "f": "coalesce", "args": [field("too hot: call"), const("too hot: call")]},
        {**field("x"), "path": ["[a][b]"]},
        field("c"),
    ]


def test_distinct_and_partition_stay_in_the_step() -> None:
    step = last_step("SELECT DISTINCT a FROM Input PARTITION BY k")
    assert (step["distinct"], step["partition"]) == (True, [field("k")])


# --- GROUP BY


def test_keys_are_found_in_the_columns_whatever_their_form() -> None:
    step = last_step(
        "SELECT k, i.K AS k2, UPPER(l) + 'x' AS m, r.f.g AS g, COUNT(*) AS n FROM Input i "
        "GROUP BY i.k, UPPER(i.l), r.f, TumblingWindow(minute, 1)"
    )
    assert step["keys"][0] == field("k")
    assert [item["expr"] for item in step["project"]] == [
        key(0),
        key(0),
        {"e": "op", "op": "+", "args": [key(1), const("x")]},
        {"e": "member", "of": key(2), "path": ["g"]},
        aggregate(0),
    ]


def test_a_key_may_stand_twice_and_need_not_be_selected() -> None:
    step = last_step("SELECT COUNT(*) AS n FROM Input GROUP BY k, K, l, Tumbling(minute, 1)")
    assert step["keys"] == [field("k"), field("l")]


def test_an_alias_groups_if_no_column_of_its_name_is_seen() -> None:
    step = last_step("SELECT LEN(a) AS size, COUNT(*) AS n FROM Input GROUP BY size, Tumbling(minute, 1)")
    assert step["keys"] == [{"e": "call", "f": "len", "args": [field("a")]}]
    part = last_step("SELECT DATEPART(minute, t) AS minute FROM Input GROUP BY minute, Tumbling(hour, 1)")
    assert part["keys"][0]["f"] == "datepart"
    column = last_step("SELECT MAX(size) AS size FROM Input GROUP BY size, Tumbling(minute, 1)")
    assert column["keys"] == [field("size")]


def test_having_takes_keys_then_aliases_then_columns() -> None:
    step = last_step(
        "SELECT k AS card, SUM(a) AS a, COUNT(*) FROM Input GROUP BY k, Tumbling(minute, 1) "
        "HAVING k > 1 AND card > 2 AND a > 3 AND count > 4 AND MAX(a) > 5"
    )
    assert [test["args"][0] for test in step["having"]["args"]] == [
        key(), key(), aggregate(0), aggregate(1), aggregate(2)
    ]  # fmt: skip
    assert step["aggregates"][2]["args"] == [field("a")]


def test_having_without_group_by_filters_rows() -> None:
    step = last_step("SELECT a * 2 AS b FROM Input WHERE a > 1 HAVING b > 3")
    assert step["op"] == "select"
    assert [test["op"] for test in step["where"]["args"]] == [">", ">"]
    assert step["where"]["args"][1]["args"][0]["op"] == "*"


def test_time_of_a_group_is_the_end_of_its_window() -> None:
    step = last_step(
        "SELECT System.Timestamp() AS t, DATEADD(minute, -1, System.Timestamp()) AS s, MAX(System.Timestamp()) AS l "
        "FROM Input GROUP BY Tumbling(minute, 1)"
    )
    assert step["project"][0]["expr"] == {"e": "time"}
    assert step["aggregates"][0]["args"] == [{"e": "time"}]


def test_system_timestamp_is_a_window_alone_and_a_key_beside_one() -> None:
    alone = last_step("SELECT COUNT(*) AS n FROM Input GROUP BY System.Timestamp(), k")
    assert (alone["windows"], alone["keys"]) == ([{"kind": "snapshot", "id": None}], [field("k")])
    beside = last_step("SELECT COUNT(*) AS n FROM Input GROUP BY System.Timestamp(), Tumbling(minute, 1)")
    assert beside["keys"] == [{"e": "time"}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT a, COUNT(*) FROM Input GROUP BY k, Tumbling(minute, 1)",
            "1:8: The column a is neither a key of the GROUP BY nor in an aggregate. Add it to GROUP BY, or use an "
            "aggregate such as MAX(a). The keys are k.",
        ),
        ("SELECT k, COUNT(*) FROM Input GROUP BY k", "1:40: A GROUP BY needs a window"),
        ("SELECT COUNT(*) FROM Input GROUP BY DATEADD(s, 1, System.Timestamp())", "A GROUP BY needs a window"),
        ("SELECT COUNT(*) FROM Input GROUP BY Tumbling(s, 1), Sliding(s, 1)", "Use Windows(…) for several"),
        ("SELECT COUNT(*) FROM Input GROUP BY 1, Tumbling(s, 1)", "A constant groups nothing"),
        ("SELECT * FROM Input GROUP BY Tumbling(s, 1)", "A star cannot stand in the SELECT of a GROUP BY"),
        ("SELECT i FROM Input i GROUP BY k, Tumbling(s, 1)", "The whole row of a source"),
        (
            "SELECT LAG(a) OVER (LIMIT DURATION(s, 1)) FROM Input GROUP BY k, Tumbling(s, 1)",
            "of one row, not of a group",
        ),
        ("SELECT k FROM Input GROUP BY k, Tumbling(s, 1) HAVING b > 1", "The column b is neither"),
        ("SELECT COUNT(*) AS n FROM Input GROUP BY n, Tumbling(s, 1)", "A group key is computed from one row"),
        ("SELECT System.Window().Name FROM Input GROUP BY Tumbling(s, 1)", "System.Window() has the one field Id"),
        ("SELECT COUNT(*) FROM Input HAVING COUNT(*) > 1", "needs a GROUP BY with a window"),
    ],
)
def test_a_wrong_group_is_refused(query: str, message: str) -> None:
    assert message in refused(query)


# --- FROM


def test_one_read_serves_all_that_time_it_alike() -> None:
    plan = plan_of(
        "SELECT a INTO x FROM Input TIMESTAMP BY t; SELECT b INTO y FROM INPUT i TIMESTAMP BY i.T; SELECT c FROM Input"
    )
    assert [step["op"] for step in plan.to_json()["steps"]] == ["read", "select", "select", "read", "select"]


def test_timestamp_by_over() -> None:
    read = plan_of("SELECT a FROM Input TIMESTAMP BY DATEADD(ms, t, '1970-01-01') OVER k, PartitionId").to_json()[
        "steps"
    ][0]
    assert read["timestamp"]["f"] == "dateadd"
    assert [key["path"] for key in read["over"]] == [["k"], ["PartitionId"]]


def test_reference_joins_have_their_pairs() -> None:
    step = last_step("SELECT i.a, r.b FROM Input i LEFT JOIN Ref r ON r.k = i.k AND i.a > r.low AND i.l = r.l")
    source = step["from"][1]
    assert (source["kind"], source["join"], source["input"], source["name"]) == ("reference", "left", "Ref", "r")
    assert source["equal"] == [[field("k"), field("k", 1)], [field("l"), field("l", 1)]]
    assert len(source["on"]["args"]) == 3
    cross = last_step("SELECT i.a, Ref.b FROM Input i CROSS JOIN Ref")["from"][1]
    assert (cross["join"], cross["on"], cross["equal"]) == ("cross", None, [])


def test_a_reference_may_be_joined_to_another() -> None:
    step = last_step("SELECT 1 AS x FROM Input i JOIN Ref r ON i.k = r.k JOIN Cards c ON c.id = r.card")
    assert step["from"][2]["equal"] == [[field("card", 1), field("id", 2)]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT a FROM Ref", "Ref is reference data, which has no rows of its own in time"),
        ("SELECT a FROM Ref TIMESTAMP BY t", "leave out TIMESTAMP BY"),
        ("SELECT a FROM Input CROSS JOIN Other", "Other is a stream: CROSS JOIN takes reference data"),
        ("SELECT a FROM Input JOIN Ref Input ON 1 = 1", "Two sources are called Input"),
        ("SELECT a FROM Input i CROSS APPLY GetArrayElements(l) AS i", "Two sources are called i"),
        ("SELECT a FROM Input TIMESTAMP BY System.Timestamp()", "is what TIMESTAMP BY sets"),
        ("SELECT a FROM Input TIMESTAMP BY MAX(t)", "The time of an event comes from the event alone"),
        ("SELECT a FROM Input PARTITION BY k INTO 1", "PARTITION BY … INTO takes a number of shards above 1"),
        (
            "SELECT a.v FROM Input a PARTITION BY k JOIN Input b PARTITION BY k ON DATEDIFF(s, a, b) BETWEEN 1 AND 3",
            "Both sides of the join have PARTITION BY, so ON must compare their keys",
        ),
        ("SELECT i.a FROM Input i CROSS APPLY GetArrayElements(COUNT(l)) AS e", "Compute it in a step before"),
    ],
)
def test_a_wrong_source_is_refused(query: str, message: str) -> None:
    assert message in refused(query)


def test_partitions_that_are_joined_by_their_key_are_fine() -> None:
    step = last_step(
        "SELECT a.v FROM Input a PARTITION BY k JOIN Input b PARTITION BY k "
        "ON a.k = b.k AND DATEDIFF(s, a, b) BETWEEN 1 AND 3"
    )
    assert step["partition"] == [field("k"), field("k", 1)]


def test_the_partition_goes_on_to_the_next_step_without_being_selected() -> None:
    step = last_step(
        "WITH s AS (SELECT k, SUM(a) AS n FROM Input PARTITION BY PartitionId GROUP BY k, PartitionId, Tumbling(s, 1)) "
        "SELECT k, SUM(n) AS n FROM s PARTITION BY PartitionId GROUP BY k, s.PartitionId, Tumbling(s, 5)"
    )
    assert step["keys"] == [field("k"), const(None)]
    carried = "WITH s AS (SELECT k FROM Input PARTITION BY till) SELECT k FROM s PARTITION BY Till"
    assert "partition" not in last_step(carried)
    assert "s has no column till" in refused("WITH s AS (SELECT k FROM Input) SELECT k FROM s PARTITION BY till")
