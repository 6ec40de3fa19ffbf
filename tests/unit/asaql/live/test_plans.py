"""The parts of a plan that run on topics, and what tells one query from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.live.binding import LiveBinding, LiveInput, LiveOutput
from fraudstream.asaql.live.job import LiveHooks, LiveOptions, job_text
from fraudstream.asaql.live.plans import LivePlan, live_plan
from fraudstream.asaql.project_files.folder import QueryProject

QUERY = (
    "WITH s AS (SELECT k, v FROM A TIMESTAMP BY at)"
    " SELECT k, COUNT(*) AS n INTO counts FROM s GROUP BY k, TumblingWindow(minute, 1);"
    " SELECT v INTO each FROM s; SELECT v INTO Counts FROM B"
)


def planned(text: str, *outputs: str, answered: tuple[str, ...] = ()) -> LivePlan:
    project = QueryProject("q", Path(), Path("q.asaql"), text)
    return live_plan(project, outputs=outputs or None, answered=answered)


def test_outputs_with_state_are_apart_from_those_without() -> None:
    plan = planned(QUERY)
    assert plan.windows is not None
    assert plan.each is not None
    assert [output.name.lower() for output in plan.windows.outputs] == ["counts"] * len(plan.windows.outputs)
    # What goes into an output by two ways stays together.
    assert [source.name for source in plan.windows.inputs] == ["A", "B"]
    assert [output.name for output in plan.each.outputs] == ["each"]
    assert plan.outputs == ("counts", "each")
    assert (plan.is_timed("A"), plan.is_timed("B")) == (True, False)


def test_some_outputs_need_some_inputs() -> None:
    plan = planned(QUERY, "EACH")
    assert (plan.streams, plan.windows) == (("A",), None)


def test_a_fingerprint_is_of_what_the_query_means() -> None:
    topics = {"A": "a", "B": "b"}
    same = planned(QUERY.replace(" FROM", "\n/* from */ FROM").replace("SELECT", "select"))
    assert same.fingerprint(topics) == planned(QUERY).fingerprint(topics)
    others = [
        planned(QUERY.replace("minute, 1", "minute, 2")).fingerprint(topics),
        planned(QUERY.replace("BY at", "BY t")).fingerprint(topics),
        planned(QUERY).fingerprint({"A": "x", "B": "b"}),
    ]
    assert len({planned(QUERY).fingerprint(topics), *others}) == 4


def test_a_function_needs_a_script_or_somebody_who_answers() -> None:
    text = "SELECT udf.score(A) AS s INTO o FROM A"
    with pytest.raises(QueryError, match=r"q\.asaql:1:8: udf\.score has no script"):
        planned(text)
    assert planned(text, answered=("Score",)).scripts == {}


def test_the_job_says_what_the_java_side_reads() -> None:
    import json

    plan = planned(QUERY)
    binding = LiveBinding(
        [LiveInput("A", "a"), LiveInput("B", "b")], [LiveOutput("counts", "c", "k"), LiveOutput("each")]
    )
    hooks = LiveHooks(gate="x.Gate", sets_aside=True, rejected_topic="rejected")
    job = json.loads(job_text(plan, binding, {"a": 3, "b": 1}, Path("/checkpoint"), LiveOptions(hooks=hooks)))
    assert job["folder"] == "/checkpoint/query"
    assert [(source["name"], source["timed"], source["partitions"]) for source in job["inputs"]] == [
        ("A", True, 3),
        ("B", False, 1),
    ]
    # Rows of B go into an output without a key: all meet in one place.
    assert job["parts"] == 2
    assert (job["gate"], job["sets_aside"], job["rejected_topic"]) == ("x.Gate", True, "rejected")
