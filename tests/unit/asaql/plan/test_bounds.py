"""Texts that ask for more than anybody can compute are refused; others cost what they are long."""

from __future__ import annotations

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import compile_text

pytestmark = pytest.mark.timeless

GROUPED = "SELECT COUNT(*) AS n FROM i TIMESTAMP BY at GROUP BY"


def chain(count: int, select: str) -> str:
    """Steps that read one another: `{before}` in each is the one before it."""
    steps = ["s0 AS (SELECT x FROM i TIMESTAMP BY at)"]
    steps += [f"s{n} AS ({select.format(before=f's{n - 1}')})" for n in range(1, count)]
    return f"WITH {', '.join(steps)} SELECT x INTO o FROM s{count - 1}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{GROUPED} TumblingWindow(day, 3650)", "longer than 7 days"),
        (f"{GROUPED} HoppingWindow(Duration(day, 7), Hop(microsecond, 1))", "604,800,000,000 windows"),
        ("SELECT LAG(x, 99999999999) OVER (LIMIT DURATION(s, 1)) FROM i TIMESTAMP BY at", "1 to 2147483647"),
        ("SELECT CollectTop(99999999999) OVER (ORDER BY x) FROM i GROUP BY Tumbling(s, 1)", "1 to 2147483647"),
        (chain(10_000, "SELECT x FROM {before}"), "More than 200 steps read one another in a row"),
        (f"SELECT {'(' * 10_000}x{')' * 10_000} FROM i", "more than 100 deep"),
        (f"SELECT x FROM i WHERE {'NOT ' * 10_000}x = 1", "more than 100 deep"),
        (f"SELECT {'- ' * 10_000}x FROM i", "More than 150 operations"),
        (f"SELECT x FROM {'(SELECT x FROM ' * 1_000}i{') q' * 1_000}", "deep"),
        (f"SELECT x{'.a' * 10_000} FROM i", "more than 100 names"),
        (f"SELECT {'9' * 1_000_000} AS n FROM i", "beyond bigint"),
        ("SELECT 1e999999999 AS n FROM i", "beyond float"),
        (f"{'/*' * 100_000}*/ SELECT x FROM i", "is not closed"),
        ("WITH a AS (SELECT x FROM b), b AS (SELECT x FROM a) SELECT x FROM a", "in a circle"),
    ],
)
def test_what_has_no_bounds_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        compile_text(text)


@pytest.mark.parametrize(
    "text",
    [
        # As many ways from the first step to the last as 2^100: the plan has each step once.
        chain(100, "SELECT a.x FROM {before} a JOIN {before} b ON DATEDIFF(second, a, b) = 0"),
        chain(60, "SELECT x FROM {before} UNION SELECT x FROM {before}"),
        f"WITH {', '.join(f's{n} AS (SELECT x FROM i)' for n in range(5_000))} SELECT x FROM s4999",
        f"SELECT {', '.join(f'x AS c{n}' for n in range(10_000))} FROM i",
        f"SELECT x FROM i WHERE {' AND '.join(f'x <> {n}' for n in range(3_000))}",
        f"SELECT x FROM i WHERE x IN ({', '.join(map(str, range(10_000)))})",
        f"SELECT '{'a' * 5_000_000}' AS t, x AS [{'n' * 1_000_000}] FROM i",
        ";".join(f"SELECT x INTO o{n} FROM i" for n in range(1_000)),
        f"{GROUPED} HoppingWindow(Duration(day, 7), Hop(second, 1))",
    ],
    ids=["joins", "unions", "steps", "columns", "AND", "IN", "texts", "outputs", "windows"],
)
def test_long_texts_have_a_plan(text: str) -> None:
    assert compile_text(text).to_json()["outputs"]
