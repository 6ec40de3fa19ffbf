"""Plans as people read them."""

from __future__ import annotations

import pytest

from fraudstream.asaql.plan.explaining import explain
from tests.unit.asaql.plan.compiled import plan_of

pytestmark = pytest.mark.timeless

QUERY = """
WITH s AS (
    SELECT k, COUNT(*) AS n, AVG(a) AS m FROM Input TIMESTAMP BY t WHERE a > 1 AND b IS NOT NULL
    GROUP BY k, Tumbling(minute, 5) HAVING COUNT(*) > 2
)
SELECT s.k, r.name INTO alerts FROM s JOIN Ref r ON s.k = r.k WHERE s.n > 3;
SELECT * INTO counts FROM s
"""


def test_the_tree_shows_steps_windows_keys_state_and_place() -> None:
    assert (
        explain(plan_of(QUERY))
        == """\
output alerts
└─ select [2]  (each row by itself)
   │ inner join reference Ref as r on s.k = r.k, looked up by its key
   │ where: s.n > 3
   │ columns: s.k, r.name
   └─ group s [1]  (keeps state, by key)
      │ where: (a > 1) AND b IS NOT NULL
      │ windows: tumbling 5 min
      │ keys: k
      │ state: one accumulator for each group of the last 5 min
      │ having: COUNT(*) > 2
      │ columns: k, COUNT(*) AS n, AVG(a) AS m
      └─ read Input
           time: t

output counts
└─ select [3]  (each row by itself)
   │ columns: *
   └─ group s [1], as above

runs
├─ rows are read and timed where they are
└─ then rows of one key meet in one task
     Input by k
"""
    )


def test_a_plan_without_a_common_key_says_which_steps_have_none() -> None:
    query = (
        "SELECT COUNT(*) AS n INTO x FROM Input GROUP BY Sliding(s, 5); "
        "SELECT LAG(a) OVER (LIMIT DURATION(s, 1)) FROM Input"
    )
    explanation = explain(plan_of(query))
    assert "then all rows meet in one task: the steps with state have no key in common" in explanation
    assert "group [1]: no keys" in explanation
    assert "select [2]: OVER partitioned by nothing" in explanation
    assert "state: the rows of the last 5 s" in explanation


def test_a_stateless_plan_runs_anywhere() -> None:
    assert "each row by itself, where it is read" in explain(plan_of("SELECT a FROM Input"))


def test_joins_tell_how_far_their_rows_are_kept() -> None:
    query = "SELECT a.x FROM Input a LEFT JOIN Other b ON a.k = b.k AND DATEDIFF(minute, a, b) BETWEEN -1 AND 5"
    explanation = explain(plan_of(query))
    assert "left join b on (a.k = b.k) AND DATEDIFF(minute, a, b) BETWEEN -1 AND 5" in explanation
    assert "state: rows of a and b whose times differ by -2 min to 6 min" in explanation


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("CASE WHEN a > 1 THEN 'x' ELSE NULL END", "CASE WHEN a > 1 THEN 'x' ELSE NULL END AS x"),
        ("TRY_CAST(a AS float)", "TRY_CAST(a AS float) AS x"),
        ("a NOT IN (1, 2)", "a NOT IN (1, 2) AS x"),
        ("a LIKE 'it''s%'", "a LIKE 'it''s%' AS x"),
        ("-a + b * 2", "-a + (b * 2) AS x"),
        ("NOT a = 1", "NOT (a = 1) AS x"),
        ("udf.f(a).b", "udf.f(a).b AS x"),
        ("System.Timestamp()", "System.Timestamp() AS x"),
        ("ISFIRST(mi, 5) OVER (PARTITION BY k)", "ISFIRST(5 min) OVER (PARTITION BY k) AS x"),
        ("LAG(a, 2) OVER (LIMIT DURATION(hh, 1) WHEN a > 0)", "LAG(a, 2) OVER (LIMIT 1 h WHEN a > 0) AS x"),
    ],
)
def test_expressions_read_like_the_query(text: str, wording: str) -> None:
    assert f"columns: {wording}\n" in explain(plan_of(f"SELECT {text} AS x FROM Input"))


def test_aggregates_and_windows_read_like_the_query() -> None:
    explanation = explain(plan_of(
        "SELECT COUNT(DISTINCT a) AS c, CollectTop(2) OVER (ORDER BY a DESC) AS t, uda.f(a) AS u FROM Input GROUP BY "
        "Windows(Window('h', Hopping(Duration(s, 10), Hop(s, 5), Offset(s, -1))), Window('s', Session(s, 1, 60)))"
    ))  # fmt: skip
    assert "COUNT(DISTINCT a) AS c, CollectTop(2) OVER (ORDER BY a DESC) AS t, uda.f(a) AS u" in explanation
    assert "hopping 10 s each 5 s offset -1 s 'h'; session with gaps up to 1 s, at most 1 min 's'" in explanation


def test_the_flowchart_has_a_node_for_each_step_input_and_output() -> None:
    lines = explain(plan_of(QUERY), "mermaid").splitlines()
    assert lines[0] == "flowchart TD"
    assert '    s0(["read Input"])' in lines
    assert '    s1[["group s [1]<br/>tumbling 5 min<br/>by k<br/>where (a #gt; 1) AND b IS NOT NULL"]]' in lines
    assert '    r0[("reference Ref")]' in lines
    assert [line.strip() for line in lines if "-->" in line or "-.->" in line] == [
        "s0 --> s1", "s1 --> s2", "r0 -.-> s2", "s1 --> s3", "s2 --> o0", "s3 --> o1"
    ]  # fmt: skip


def test_matches_are_told_too() -> None:
    explanation = explain(plan_of(
        "SELECT * FROM Input MATCH_RECOGNIZE (LIMIT DURATION(minute, 1) MEASURES Last(A.x) AS x AFTER MATCH SKIP TO "
        "NEXT ROW PATTERN (A+ (B | .)) DEFINE A AS A.x > Max(A.x)) AS T"
    ))  # fmt: skip
    assert "pattern: (A+ (B | .))" in explanation
    assert "A: x > Max(A.x)" in explanation
    assert "measures: Last(A.x) AS x" in explanation


def test_a_projects_job_is_said_to_run_each_output_in_its_own_way() -> None:
    runs = {"alerts": "row by row", "counts": "in micro-batches of its own"}
    explanation = explain(plan_of(QUERY), "text", runs)
    assert explanation.endswith(
        "\nruns in the stream job\n├─ alerts: row by row\n└─ counts: in micro-batches of its own\n"
    )
    assert "output counts<br/>in micro-batches of its own" in explain(plan_of(QUERY), "mermaid", runs)
