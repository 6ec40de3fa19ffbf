"""Files: inputs, steps of WITH, UNION, outputs."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.asaql.plan.explaining import explain
from tests.unit.asaql.plan.compiled import field, plan_of, refused, without_places

pytestmark = pytest.mark.timeless


def steps(query: str, **options: Any) -> list[tuple[str, Any]]:
    """The kind of each step and what it reads."""
    operations = []
    for step in plan_of(query, **options).to_json()["steps"]:
        reads = step.get("input") or step.get("steps") or [source.get("step") for source in step.get("from", [])]
        operations.append((step["op"], reads))
    return operations


def test_a_step_is_bound_once_and_may_stand_below_its_reader() -> None:
    query = "WITH s AS (SELECT a FROM t), t AS (SELECT a FROM Input) SELECT a INTO x FROM s; SELECT a INTO y FROM S"
    assert steps(query) == [("read", "Input"), ("select", [0]), ("select", [1]), ("select", [2]), ("select", [2])]
    assert [step["name"] for step in plan_of(query).to_json()["steps"]] == [None, "t", "s", None, None]


def test_a_step_that_no_output_needs_is_checked_and_left_out() -> None:
    assert steps("WITH s AS (SELECT a FROM Other) SELECT a FROM Input") == [("read", "Input"), ("select", [0])]
    assert "needs a GROUP BY" in refused("WITH s AS (SELECT COUNT(*) FROM Other) SELECT a FROM Input")


def test_outputs_have_a_default_name_and_may_be_written_twice() -> None:
    plan = plan_of("SELECT a FROM Input; SELECT b INTO Alerts FROM Input; SELECT c INTO ALERTS FROM Input").to_json()
    assert plan["outputs"] == [{"name": "output", "step": 1}, {"name": "Alerts", "step": 4}]
    assert plan["steps"][4]["steps"] == [2, 3]


def test_names_are_streams_unless_the_inputs_are_known() -> None:
    assert plan_of("SELECT a FROM Inputt").inputs[0].kind == "stream"
    known: dict[str, Any] = {"inputs": {"Input": "stream", "Rules": "reference"}}
    message = refused("SELECT a FROM Inputt", **known)
    assert message == "1:15: Inputt is neither an input nor a step. Did you mean Input?"
    plan = plan_of("SELECT i.a FROM INPUT i JOIN rules r ON i.k = r.k", **known).to_json()
    assert [(each["name"], each["kind"]) for each in plan["inputs"]] == [("Input", "stream"), ("Rules", "reference")]


def test_create_table_declares_columns() -> None:
    plan = plan_of("CREATE TABLE input (a bigint, T datetime); CREATE TABLE Ref (k nvarchar(max)); "
                   "SELECT a, t, z FROM Input JOIN Ref ON Input.b = Ref.k")  # fmt: skip
    declared = {each["name"]: each["columns"] for each in plan.to_json()["inputs"]}
    assert declared["input"] == [{"name": "a", "type": "bigint"}, {"name": "T", "type": "datetime"}]
    assert declared["Ref"] == [{"name": "k", "type": "nvarchar"}]
    assert "takes bigint or bit, not float" in refused("CREATE TABLE Input (a float); SELECT a & 1 FROM Input")


def test_a_step_that_only_hands_an_input_on_stands_for_it() -> None:
    timed = "WITH s AS (SELECT * FROM Input PARTITION BY k INTO 2) SELECT a FROM s TIMESTAMP BY t"
    read, select = plan_of(timed).to_json()["steps"]
    assert read["timestamp"]["path"] == ["t"]
    assert select["partition"][0]["path"] == ["k"]
    joined = plan_of("WITH r AS (SELECT * FROM Ref) SELECT a FROM Input JOIN r ON Input.k = r.k").to_json()
    assert joined["steps"][1]["from"][1]["input"] == "Ref"


def test_union_takes_columns_by_their_place() -> None:
    query = "SELECT a, b FROM Input UNION ALL SELECT c, b FROM Other UNION (SELECT A, B FROM Third)"
    plan = plan_of(query).to_json()
    assert [step["op"] for step in plan["steps"]].count("select") == 4
    union = plan["steps"][-1]
    renaming = plan["steps"][union["steps"][1]]
    assert [item["name"] for item in renaming["project"]] == ["a", "b"]
    assert [item["expr"]["path"] for item in renaming["project"]] == [["c"], ["b"]]


def test_the_first_select_of_a_union_names_its_output() -> None:
    plan = plan_of("SELECT a INTO o FROM Input UNION SELECT a FROM Other").to_json()
    assert [output["name"] for output in plan["outputs"]] == ["o"]


def test_a_query_in_from_is_a_step() -> None:
    plan = plan_of("SELECT q.a FROM (SELECT a FROM Input WHERE a > 1) q").to_json()
    assert [step["op"] for step in plan["steps"]] == ["read", "select", "select"]
    assert plan["steps"][2]["project"][0]["expr"] == {**field("a"), "pos": [1, 8]}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("WITH s AS (SELECT a FROM t), t AS (SELECT a FROM s) SELECT a FROM s", "in a circle: s → t → s"),
        ("WITH s AS (SELECT a FROM I), S AS (SELECT a FROM I) SELECT a FROM s", "Two steps are called S"),
        ("WITH s AS (SELECT a INTO o FROM I) SELECT a FROM s", "INTO o stands in WITH"),
        ("SELECT a FROM (SELECT a INTO o FROM I) q", "INTO o stands in a query in parentheses"),
        ("SELECT a FROM I UNION SELECT a INTO o FROM J", "The INTO of a UNION stands in its first SELECT"),
        ("SELECT a, b FROM I UNION SELECT a FROM J", "have 2 and 1 columns: a, b; a"),
        ("SELECT 'x' AS a FROM I UNION SELECT 1 AS a FROM J", "nvarchar in the first half of the UNION and bigint"),
        ("WITH s AS (SELECT a FROM I) SELECT a FROM s TIMESTAMP BY t", "TIMESTAMP BY stands at an input; s is a step"),
        ("CREATE TABLE I (a bigint); CREATE TABLE i (a bigint); SELECT a FROM I", "i is declared twice"),
        ("CREATE TABLE I (a bigint, A float); SELECT a FROM I", "The column A is declared twice"),
    ],
)
def test_a_wrong_file_is_refused(query: str, message: str) -> None:
    assert message in refused(query)


def test_a_step_may_have_the_name_of_a_known_input() -> None:
    query = "WITH Input AS (SELECT a FROM Input) SELECT a FROM Input"
    assert steps(query, inputs={"Input": "stream"}) == [("read", "Input"), ("select", [0]), ("select", [1])]
    assert "in a circle" in refused(query)


def test_a_step_may_make_reference_data_of_others() -> None:
    query = (
        "WITH r AS (SELECT id AS k, udf.f(c.x) AS m FROM Cards c WHERE c.on = 1) "
        "SELECT i.a, r.m FROM Input i JOIN r ON i.k = r.k"
    )
    plan = without_places(plan_of(query).to_json())
    source = plan["steps"][1]["from"][1]
    assert (source["kind"], source["input"], source["name"]) == ("reference", "Cards", "r")
    assert source["where"]["args"][0] == field("on")
    assert [(item["name"], item["expr"]["e"]) for item in source["project"]] == [("k", "field"), ("m", "udf")]
    assert source["equal"] == [[field("k"), field("k", 1)]]
    assert "r: id AS k, udf.f(x) AS m where on = 1" in explain(plan_of(query))
    assert "r has no column z" in refused(query.replace("r.m FROM", "r.z FROM"))
    timed = query.replace("c.on = 1", "System.Timestamp() > 1")
    assert "r selects from reference data, whose rows have no time" in refused(timed)
    assert "r is reference data" in refused("WITH r AS (SELECT id FROM Ref WHERE id > 1) SELECT id FROM r")


def test_a_long_chain_of_steps_is_bound_and_a_longer_one_refused() -> None:
    def chain(count: int) -> str:
        steps = ", ".join(f"s{n} AS (SELECT a FROM {f's{n - 1}' if n else 'Input'})" for n in range(count))
        return f"WITH {steps} SELECT a FROM s{count - 1}"

    assert len(plan_of(chain(150)).steps) == 152
    assert explain(plan_of(chain(150)))
    assert "More than 200 steps read one another in a row" in refused(chain(500))
