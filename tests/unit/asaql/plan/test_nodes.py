"""The nodes of the plan and their JSON."""

from __future__ import annotations

import json

import pytest

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.walks import every_part, rebuilt
from tests.unit.asaql.plan.compiled import plan_of

pytestmark = pytest.mark.timeless

A = nodes.Field((0,), path=("a",), pos=(1, 8))
ONE = nodes.Const("bigint", 1, pos=(1, 12))


def test_keys_stand_as_the_engine_reads_them() -> None:
    case = nodes.Case(((nodes.Op("isnull", (A,)), ONE),), None, pos=(2, 1))
    assert case.to_json() == {
        "e": "case",
        "whens": [[{"e": "op", "op": "isnull", "args": [A.to_json()]}, ONE.to_json()]],
        "else": None,
        "pos": [2, 1],
    }
    assert nodes.Cast("float", True, A).to_json() == {"e": "cast", "to": "float", "try": True, "arg": A.to_json()}
    assert nodes.Session(10, None).to_json() == {
        "kind": "session", "timeout": 10, "max": None, "partition": [], "id": None
    }  # fmt: skip


def test_what_is_not_set_is_left_out_where_it_may_be() -> None:
    assert nodes.Time().to_json() == {"e": "time"}
    assert nodes.Time(1).to_json() == {"e": "time", "source": 1}
    assert nodes.Field((0, 1), path=("a", "b")).to_json() == {"e": "field", "sources": [0, 1], "path": ["a", "b"]}


def test_expressions_are_equal_if_they_compute_the_same() -> None:
    assert nodes.Field((0,), path=("A",), pos=(9, 9)) == A
    assert hash(nodes.Field((0,), path=("A",), pos=(9, 9))) == hash(A)
    assert nodes.Field((1,), path=("a",)) != A
    assert nodes.Const("float", 1.0) != ONE


def test_parts_are_found_and_replaced_at_any_depth() -> None:
    expr = nodes.Case(((nodes.Op("=", (A, ONE)), A),), nodes.Call("abs", (A,)))
    assert sum(part == A for part in every_part(expr)) == 3

    def change(part: nodes.Expr) -> nodes.Expr:
        return ONE if part == A else rebuilt(part, change)

    assert A not in every_part(change(expr))


def test_a_plan_is_json() -> None:
    plan = plan_of("SELECT a INTO o FROM Input TIMESTAMP BY t WHERE a > 1.5")
    read, select = plan.to_json()["steps"]
    assert json.loads(json.dumps(plan.to_json())) == plan.to_json()
    assert plan.to_json()["version"] == 1
    assert read["op"] == "read"
    assert read["timestamp"]["path"] == ["t"]
    assert list(select) == ["op", "name", "pos", "from", "analytics", "where", "project", "distinct"]
    assert plan.to_json()["inputs"] == [{"name": "Input", "kind": "stream", "columns": None}]
    assert plan.to_json()["outputs"] == [{"name": "o", "step": 1}]
