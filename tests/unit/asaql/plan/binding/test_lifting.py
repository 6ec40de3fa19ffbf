"""Aggregates and OVER functions, lifted into slots."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.asaql.plan.compiled import JOINED, columns, const, field, last_step, refused

pytestmark = pytest.mark.timeless

MINUTE = 600_000_000


def aggregates(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = last_step(f"SELECT {text} FROM Input i GROUP BY Tumbling(minute, 1)")["aggregates"]
    return entries


def analytic(text: str) -> dict[str, Any]:
    entry: dict[str, Any] = last_step(f"SELECT {text} AS x FROM Input i")["analytics"][0]
    return entry


@pytest.mark.parametrize(
    ("text", "function", "distinct", "args"),
    [
        ("COUNT(*)", "count", False, []),
        ("COUNT()", "count", False, []),
        ("COUNT(ALL a)", "count", False, [field("a")]),
        ("COUNT(DISTINCT a)", "count", True, [field("a")]),
        ("COUNT(i)", "count", False, [{"e": "row", "source": 0}]),
        ("SUM(a)", "sum", False, [field("a")]),
        ("Collect()", "collect", False, []),
        ("Collect(a)", "collect", False, [field("a")]),
        ("uda.f(a)", "uda", False, [field("a")]),
    ],
)
def test_aggregates(text: str, function: str, distinct: bool, args: list[dict[str, Any]]) -> None:
    (aggregate,) = aggregates(text)
    assert (aggregate["f"], aggregate["distinct"], aggregate["args"]) == (function, distinct, args)


def test_aggregates_with_an_order() -> None:
    by = [{"by": field("a"), "descending": True}]
    (cont,) = aggregates("Percentile_Cont(0.5) OVER (ORDER BY a DESC)")
    assert (cont["parameter"], cont["args"], cont["order"]) == (0.5, [field("a")], by)
    (top,) = aggregates("CollectTop(3, b) OVER (ORDER BY a DESC)")
    assert (top["parameter"], top["args"], top["order"]) == (3, [field("b")], by)
    (aggregate,) = aggregates("TopOne() OVER (ORDER BY a DESC, b)")
    assert aggregate["order"] == [*by, {"by": field("b"), "descending": False}]


def test_an_aggregate_used_twice_has_one_slot() -> None:
    step = last_step(
        "SELECT SUM(a) / COUNT(*) AS m, CASE WHEN COUNT(*) > 1 THEN CAST(sum(A) AS float) ELSE 0 END AS n "
        "FROM I GROUP BY Tumbling(minute, 1) HAVING COUNT(*) > 3"
    )
    assert [each["f"] for each in step["aggregates"]] == ["sum", "count"]
    slots = [{"e": "slot", "kind": "aggregate", "index": index} for index in (0, 1)]
    assert step["project"][0]["expr"]["args"] == slots
    assert step["having"]["args"][0] == slots[1]


def test_unnamed_aggregates_have_the_functions_name() -> None:
    query = (
        "SELECT COUNT(*), AVG(a), Max(a), COUNT(DISTINCT a), SUM(a) * 2, uda.f(a) FROM I GROUP BY Tumbling(minute, 1)"
    )
    assert columns(query) == ["count", "avg", "max", "count2", "expr1", "expr2"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT COUNT(*) FROM Input", "1:8: The aggregate COUNT needs a GROUP BY with a window"),
        ("SELECT uda.f(a) FROM Input", "The aggregate uda.f needs a GROUP BY"),
        ("SELECT a FROM Input WHERE COUNT(*) > 1", "COUNT stands in WHERE. WHERE filters rows before they are grouped"),
        ("SELECT SUM(COUNT(*)) FROM Input GROUP BY Tumbling(minute, 1)", "Aggregates are not nested"),
        ("SELECT 1 AS x FROM Input GROUP BY SUM(a), Tumbling(minute, 1)", "A group key is computed from one row"),
        ("SELECT SUM(*) FROM Input GROUP BY Tumbling(minute, 1)", "SUM takes no star"),
        (
            "SELECT COUNT(DISTINCT *) FROM Input GROUP BY Tumbling(minute, 1)",
            "COUNT(DISTINCT *) is not in the language",
        ),
        ("SELECT COLLECT(DISTINCT a) FROM Input GROUP BY Tumbling(minute, 1)", "Collect takes no DISTINCT"),
        ("SELECT SUM('a') FROM Input GROUP BY Tumbling(minute, 1)", "SUM takes bigint or float, not nvarchar"),
        ("SELECT TopOne() FROM Input GROUP BY Tumbling(minute, 1)", "TopOne needs OVER (ORDER BY column)"),
        ("SELECT CollectTop(a) OVER (ORDER BY a) FROM Input GROUP BY Tumbling(minute, 1)", "constant number of rows"),
        ("SELECT Percentile_Cont(2) OVER (ORDER BY a) FROM Input GROUP BY Tumbling(minute, 1)", "constant from 0 to 1"),
        ("SELECT Percentile_Cont(0.5) OVER (ORDER BY a, b) FROM Input GROUP BY Tumbling(minute, 1)", "one expression"),
        ("SELECT SUM(a) OVER (ORDER BY a) FROM Input GROUP BY Tumbling(minute, 1)", "SUM takes no ORDER BY"),
        ("SELECT TopOne() OVER (PARTITION BY k ORDER BY a) FROM Input", "needs LIMIT DURATION(unit, n) too"),
    ],
)
def test_an_aggregate_in_a_wrong_place_or_form_is_refused(query: str, message: str) -> None:
    assert message in refused(query)


def test_lag() -> None:
    call = analytic("LAG(a, 2, 0) OVER (PARTITION BY k, l LIMIT DURATION(minute, 1) WHEN a > 0)")
    assert call["f"] == "lag"
    assert (call["args"], call["offset"], call["default"]) == ([field("a")], 2, const(0))
    assert (call["partition"], call["limit"]) == ([field("k"), field("l")], MINUTE)
    assert call["when"] == {"e": "op", "op": ">", "args": [field("a"), const(0)]}
    assert analytic("LAG(*) OVER (LIMIT DURATION(hh, 1))")["args"] == [{"e": "row", "source": 0}]


def test_other_functions_with_a_limit() -> None:
    assert analytic("LAST(a) OVER (LIMIT DURATION(s, 60))")["offset"] == 0
    assert analytic("AVG(a) OVER (LIMIT DURATION(s, 60))")["limit"] == MINUTE
    top = analytic("TopOne() OVER (PARTITION BY k ORDER BY a LIMIT DURATION(s, 60))")
    assert (top["order"], top["partition"]) == ([{"by": field("a"), "descending": False}], [field("k")])
    odd = analytic("AnomalyDetection_SpikeAndDip(a, 95, 120, 'spikes') OVER (LIMIT DURATION(s, 60))")
    assert odd["args"] == [field("a"), const(95), const(120), const("spikes")]


def test_isfirst_takes_its_interval_as_arguments() -> None:
    assert analytic("ISFIRST(mi, 10)")["interval"] == 10 * MINUTE
    call = analytic("ISFIRST(mi, 10) OVER (PARTITION BY k WHEN a > 0)")
    assert (call["partition"], call["when"]["op"]) == ([field("k")], ">")


def test_an_aggregate_of_an_over_function_is_of_the_rows() -> None:
    step = last_step("SELECT SUM(LAG(a) OVER (LIMIT DURATION(s, 1))) AS x FROM Input GROUP BY Tumbling(minute, 1)")
    assert step["aggregates"][0]["args"] == [{"e": "slot", "kind": "analytic", "index": 0}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LAG(a)", "LAG needs OVER with LIMIT DURATION"),
        ("LAG(a) OVER (PARTITION BY k)", "LAG needs OVER with LIMIT DURATION"),
        ("SUM(a) OVER (PARTITION BY k)", "SUM needs OVER with LIMIT DURATION"),
        ("LAG(a, 0) OVER (LIMIT DURATION(s, 1))", "The offset of LAG is a constant, 1 to 2147483647"),
        ("LAG(LAG(a) OVER (LIMIT DURATION(s, 1))) OVER (LIMIT DURATION(s, 1))", "OVER functions are not nested"),
        ("LAG(AVG(a)) OVER (LIMIT DURATION(s, 1))", "sees the rows before they are grouped"),
        ("LAG(udf.f(a)) OVER (LIMIT DURATION(s, 1))", "takes no function of the user's"),
        ("STDEV(a) OVER (LIMIT DURATION(s, 1))", "STDEV takes no OVER with LIMIT DURATION"),
        ("COUNT(DISTINCT a) OVER (LIMIT DURATION(s, 1))", "COUNT(DISTINCT …) takes no OVER"),
        ("LAG(a) OVER (LIMIT DURATION(month, 1))", "month is no unit of time here"),
        ("LAG(a) OVER (LIMIT DURATION(s, 0))", "is not positive"),
        ("ISFIRST(month, 1)", "ISFIRST takes a unit"),
        ("ISFIRST(s, 1) OVER (LIMIT DURATION(s, 1))", "ISFIRST takes PARTITION BY and WHEN"),
        ("AnomalyDetection_ChangePoint(a, 0, 10) OVER (LIMIT DURATION(s, 1))", "a number from 1 to 100"),
        ("AnomalyDetection_SpikeAndDip(a, 9, 9, 'up') OVER (LIMIT DURATION(s, 1))", "'spikesanddips'"),
    ],
)
def test_an_over_function_in_a_wrong_form_is_refused(text: str, message: str) -> None:
    assert message in refused(f"SELECT {text} AS x FROM Input")


def test_an_over_function_sees_the_first_source_alone() -> None:
    step = last_step(f"SELECT LAG(v) OVER (LIMIT DURATION(s, 1)) AS x {JOINED}")
    assert step["analytics"][0]["args"] == [field("v", 0)]
    hidden = refused(f"SELECT LAG(b.v) OVER (LIMIT DURATION(s, 1)) AS x {JOINED}")
    assert "sees the rows of a, the first source, before b is joined" in hidden
    known = (
        "WITH s AS (SELECT v FROM Other) SELECT LAG(v) OVER (LIMIT DURATION(s, 1)) AS x FROM Input a "
        "JOIN s b ON DATEDIFF(second, a, b) BETWEEN 0 AND 5"
    )
    assert "before b is joined" in refused(known)
