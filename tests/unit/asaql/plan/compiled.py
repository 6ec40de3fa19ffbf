"""Plans of short queries, as the tests look at them."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.plan.nodes import Plan

REFERENCES = ("Ref", "Cards")


def plan_of(query: str, **options: Any) -> Plan:
    """The plan of a query in which `Ref` and `Cards` are reference data."""
    return compile_text(query, references=REFERENCES, **options)


def last_step(query: str, **options: Any) -> dict[str, Any]:
    """The JSON of the step that feeds the first output."""
    plan = plan_of(query, **options).to_json()
    step: dict[str, Any] = without_places(plan["steps"][plan["outputs"][0]["step"]])
    return step


def columns(query: str, **options: Any) -> list[str]:
    """The names of the last step's columns; a star is `*`, a spread `.*`."""
    signs = {"star": "*", "spread": ".*"}
    return [item.get("name") or signs[item["kind"]] for item in last_step(query, **options)["project"]]


def expression(text: str, source: str = "Input", **options: Any) -> dict[str, Any]:
    """The JSON of an expression over the rows of an input."""
    step = last_step(f"SELECT {text} AS x FROM {source}", **options)
    tree: dict[str, Any] = step["project"][0]["expr"]
    return tree


def without_places(node: Any) -> Any:
    """JSON without the positions."""
    if isinstance(node, dict):
        return {key: without_places(value) for key, value in node.items() if key != "pos"}
    return [without_places(each) for each in node] if isinstance(node, list) else node


def refused(query: str, **options: Any) -> str:
    """The message of a query that does not compile, from its line on."""
    with pytest.raises(QueryError) as error:
        plan_of(query, **options)
    return str(error.value).removeprefix("query:")


JOINED = "FROM Input a JOIN Other b ON DATEDIFF(second, a, b) BETWEEN 0 AND 5"


def field(name: str, *sources: int) -> dict[str, Any]:
    """The JSON of a column."""
    return {"e": "field", "sources": list(sources or (0,)), "path": name.split(".")}


def const(value: object) -> dict[str, Any]:
    """The JSON of a constant."""
    kinds = {int: "bigint", float: "float", str: "nvarchar", type(None): "null"}
    return {"e": "const", "type": kinds[type(value)], "value": value}
