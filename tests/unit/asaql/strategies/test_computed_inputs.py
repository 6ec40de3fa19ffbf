"""Inputs of the model that a query computes: whether it does, and the query of them alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.strategies.computed_inputs import FEATURES_OUTPUT, features_plan
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.core.contract.event import AMOUNT, ID, PROJECT
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.project.project import Project, bundled

pytestmark = pytest.mark.timeless

COMPUTED: Project = replace(
    PROJECT,
    definition=PROJECT.definition.model_copy(
        update={
            "model": PROJECT.definition.model.model_copy(
                update={"inputs": (*PROJECT.definition.model.inputs, "paid_1h")}
            )
        }
    ),
    computed=(FieldRule("paid_1h", "float", is_nullable=True),),
)
FILES = job_query(PROJECT).files
PAID = f"SUM(TRY_CAST(t.{AMOUNT} AS float)) OVER (LIMIT DURATION(hour, 1)) AS paid_1h"
SCORED = "SELECT udf.score(s) AS decision INTO scored FROM s"


def of(text: str) -> JobQuery:
    return compiled_query(COMPUTED, replace(FILES, text=text))


def plan_of(text: str) -> nodes.Plan:
    query = of(text)
    assert query.plan is not None
    return features_plan(COMPUTED, query.files, query.plan, query.models)


@pytest.mark.parametrize(
    "step",
    [
        f"SELECT t.*, {PAID} FROM transactions t",
        "SELECT t.*, 1 AS Paid_1H FROM transactions t",
        "SELECT t.*, t.more.* FROM transactions t",
    ],
)
def test_the_record_that_the_model_is_given_has_the_column(step: str) -> None:
    assert of(f"WITH s AS ({step}) {SCORED}").scores


@pytest.mark.parametrize(
    "text",
    [
        f"WITH s AS (SELECT t.* FROM transactions t) {SCORED}",
        f"WITH p AS (SELECT t.*, {PAID} FROM transactions t), s AS (SELECT p.{ID} FROM p) {SCORED}",
        "SELECT udf.score(t) AS decision INTO scored FROM transactions t",
    ],
)
def test_a_record_without_the_column_is_refused_with_the_place_of_the_call(text: str) -> None:
    with pytest.raises(QueryError, match=r"asaql:1:\d+: udf\.score is given a record without paid_1h, which fraudstr"):
        of(text)


def test_the_contract_function_cannot_score_what_a_query_computes() -> None:
    with pytest.raises(QueryError, match=r"without paid_1h"):
        of(FILES.text)
    query = of(f"WITH s AS (SELECT t.*, 1 AS paid_1h FROM transactions t) {SCORED}")
    assert [output.strategy for output in query.outputs] == ["rows"]
    with pytest.raises(QueryError, match="is given something else than the event's own fields"):
        query.require_remote()


def test_the_inputs_are_computed_without_the_model() -> None:
    plan = plan_of(f"WITH s AS (SELECT t.*, {PAID} FROM transactions t) {SCORED}")
    assert [output.name for output in plan.outputs] == [FEATURES_OUTPUT]
    assert '"udf"' not in json.dumps(plan.to_json())
    last = plan.steps[plan.outputs[0].step]
    assert isinstance(last, nodes.Select)
    assert [item.name for item in last.project if isinstance(item, nodes.ExprItem)] == [ID, "paid_1h"]


def test_a_model_that_is_asked_about_two_steps_has_no_one_query_of_its_inputs() -> None:
    step = f"SELECT t.*, {PAID} FROM transactions t"
    other = "SELECT udf.score(r) AS decision INTO alerts FROM r"
    with pytest.raises(QueryError, match="is not given the record of the one step"):
        plan_of(f"WITH s AS ({step}), r AS ({step}) {SCORED}; {other}")


def test_a_query_that_asks_no_model_computes_no_inputs() -> None:
    with pytest.raises(QueryError, match="The query does not call the model"):
        plan_of(f"SELECT t.{ID} INTO scored FROM transactions t")


def test_what_cards_scores_keeps_state() -> None:
    query = job_query(bundled("cards"))
    strategies = {output.name: output.strategy for output in query.outputs}
    assert strategies == {"scored": "windows", "alerts": "windows", "rejected": "rows"}
    assert query.is_scored_with_state
    assert not job_query(bundled("payments")).is_scored_with_state
