"""The type of an expression's value where it is known before any row is: other values carry their types themselves."""

from __future__ import annotations

from collections.abc import Iterable

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.nodes import Expr, TypeText

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/", "%")
BITS = ("&", "|", "^")
_TRUTHS = (*COMPARISONS, "and", "or", "not", "isnull", "isnotnull")


def type_of(expr: Expr) -> TypeText | None:
    """The type of every value of the expression that is not NULL; None if it depends on the row."""
    if isinstance(expr, nodes.Const):
        return expr.type
    if isinstance(expr, nodes.Field | nodes.Call | nodes.Slot):
        return expr.static
    if isinstance(expr, nodes.Cast):
        return expr.to
    if isinstance(expr, nodes.Time):
        return "datetime"
    if isinstance(expr, nodes.Row | nodes.WindowRecord):
        return "record"
    if isinstance(expr, nodes.Like | nodes.In | nodes.Between):
        return "bit"
    if isinstance(expr, nodes.Case):
        results = [result for _, result in expr.whens] + ([expr.otherwise] if expr.otherwise else [])
        return common_type(type_of(result) for result in results)
    return _of_operation(expr) if isinstance(expr, nodes.Op) else None


def _of_operation(expr: nodes.Op) -> TypeText | None:
    if expr.op in _TRUTHS:
        return "bit"
    types = [type_of(argument) for argument in expr.args]
    if expr.op in ARITHMETIC or expr.op == "neg":
        if all(each == "bigint" for each in types):
            return "bigint"
        if "float" in types and all(each in ("bigint", "float") for each in types):
            return "float"
    return "nvarchar" if expr.op == "+" and all(each == "nvarchar" for each in types) else None


def common_type(types: Iterable[TypeText | None]) -> TypeText | None:
    """The one type that all have, NULL aside; None if they differ or one is unknown."""
    kinds = set(types) - {"null"}
    return kinds.pop() if len(kinds) == 1 else None
