"""Which steps keep state, and the key that they share."""

from __future__ import annotations

import pytest

from fraudstream.asaql.plan.split import split
from tests.unit.asaql.plan.compiled import plan_of

pytestmark = pytest.mark.timeless

WINDOW = "Tumbling(minute, 1)"
BOUNDS = "DATEDIFF(second, a, b) BETWEEN 0 AND 5"


def keys(query: str) -> dict[str, list[str]] | None:
    """The keys, each as its path."""
    by_input = split(plan_of(query)).keys
    if by_input is None:
        return None
    return {name: [".".join(getattr(key, "path", [repr(key)])) for key in parts] for name, parts in by_input.items()}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a, udf.f(a) AS b FROM Input TIMESTAMP BY t WHERE a > 1",
        "SELECT i.a, r.b FROM Input i JOIN Ref r ON i.k = r.k",
        "SELECT i.a, e.ArrayValue FROM Input i CROSS APPLY GetArrayElements(i.l) AS e",
        "SELECT a FROM Input UNION SELECT a FROM Other",
    ],
)
def test_rows_that_are_computed_by_themselves_may_be_anywhere(query: str) -> None:
    partitioning = split(plan_of(query))
    assert partitioning.stateless
    assert set((partitioning.keys or {}).values()) == {()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"SELECT k, COUNT(*) FROM Input GROUP BY k, {WINDOW}", ["k"]),
        (f"SELECT k, l, COUNT(*) FROM Input GROUP BY k, l, {WINDOW}", ["k", "l"]),
        ("SELECT LAG(a) OVER (PARTITION BY k LIMIT DURATION(s, 1)) FROM Input", ["k"]),
        ("SELECT COUNT(*) FROM Input GROUP BY k, Session(s, 1, 9) OVER (PARTITION BY k)", ["k"]),
        (
            "WITH s AS (SELECT r.k AS card, a FROM Input) SELECT card, l, COUNT(*) FROM (SELECT *, "
            f"LAG(a) OVER (PARTITION BY card LIMIT DURATION(s, 1)) AS l FROM s) q GROUP BY card, l, {WINDOW}",
            ["r.k"],
        ),
        (
            f"WITH s AS (SELECT k, l, COUNT(*) AS n FROM Input GROUP BY k, l, {WINDOW}) "
            "SELECT l, SUM(n) FROM s GROUP BY l, Tumbling(hour, 1)",
            ["l"],
        ),
    ],
)
def test_a_common_key_is_traced_to_the_input(query: str, expected: list[str]) -> None:
    assert keys(query) == {"Input": expected}


def test_joined_streams_meet_by_their_equation() -> None:
    assert keys(f"SELECT a.v FROM Input a JOIN Other b ON {BOUNDS} AND a.k = b.card") == {
        "Input": ["k"],
        "Other": ["card"],
    }
    three = (
        f"SELECT a.v FROM Input a JOIN Other b ON {BOUNDS} AND a.k = b.card "
        "JOIN Third c ON DATEDIFF(second, b, c) BETWEEN 0 AND 5 AND b.card = c.id"
    )
    assert keys(three) == {"Input": ["k"], "Other": ["card"], "Third": ["id"]}


def test_the_halves_of_a_union_may_name_the_key_differently() -> None:
    query = (
        "WITH u AS (SELECT k, a FROM Input UNION SELECT card AS k, a FROM Other) "
        f"SELECT k, COUNT(*) FROM u GROUP BY k, {WINDOW}"
    )
    assert keys(query) == {"Input": ["k"], "Other": ["card"]}


def test_inputs_of_stateless_steps_need_no_key() -> None:
    query = f"SELECT k, COUNT(*) INTO x FROM Input GROUP BY k, {WINDOW}; SELECT a INTO y FROM Other"
    assert keys(query) == {"Input": ["k"], "Other": []}


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT COUNT(*) FROM Input GROUP BY {WINDOW}",
        "SELECT COUNT(*) FROM Input GROUP BY k, Session(s, 1, 9)",
        "SELECT COUNT(*) FROM Input GROUP BY l, Windows(Tumbling(s, 1), Session(s, 1, 9) OVER (PARTITION BY k))",
        "SELECT LAG(a) OVER (LIMIT DURATION(s, 1)) FROM Input",
        "SELECT DISTINCT k FROM Input",
        f"SELECT a.v FROM Input a JOIN Other b ON {BOUNDS}",
        f"SELECT MAX(a) INTO x FROM Input GROUP BY k, {WINDOW}; SELECT MAX(a) INTO y FROM Input GROUP BY l, {WINDOW}",
        f"SELECT r.z, COUNT(*) FROM Input i JOIN Ref r ON i.k = r.k GROUP BY r.z, {WINDOW}",
        f"SELECT CAST(k AS bigint) AS c, COUNT(*) FROM Input GROUP BY CAST(k AS bigint), {WINDOW}",
        f"SELECT udf.f(k) AS c, COUNT(*) FROM Input GROUP BY udf.f(k), {WINDOW}",
        f"SELECT a.v FROM Input a JOIN Input b ON {BOUNDS} AND a.k = b.l",
    ],
)
def test_without_a_common_key_all_rows_meet_in_one_place(query: str) -> None:
    partitioning = split(plan_of(query))
    assert not partitioning.stateless
    assert partitioning.keys is None


def test_each_output_has_its_chain() -> None:
    query = (
        f"WITH s AS (SELECT k, COUNT(*) AS n FROM Input GROUP BY k, {WINDOW}) "
        "SELECT s.n, r.v INTO x FROM s JOIN Ref r ON s.k = r.k; SELECT a INTO y FROM Other"
    )
    first, second = split(plan_of(query)).outputs
    assert (first.name, first.streams, first.references) == ("x", ("Input",), ("Ref",))
    assert (first.steps, first.stateful) == ((0, 1, 2), (1,))
    assert (second.streams, second.stateful) == (("Other",), ())
