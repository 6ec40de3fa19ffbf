"""Expressions, windows and sources of a plan as text that people read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.functions import FUNCTIONS, spelled
from fraudstream.asaql.plan.nodes import Expr
from fraudstream.asaql.plan.units import told_ticks

_WORDS = {"and": "AND", "or": "OR"}


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the expressions of one step, with the names of its sources and what its slots stand for."""

    sources: tuple[str, ...] = ()
    analytics: tuple[nodes.Analytic, ...] = ()
    keys: tuple[Expr, ...] = ()
    aggregates: tuple[nodes.Aggregate, ...] = ()
    variables: tuple[nodes.Variable, ...] = ()

    @classmethod
    def of(cls, step: nodes.Step) -> Teller:
        """The teller of a step's expressions."""
        if isinstance(step, nodes.Select):
            return cls(tuple(source.name for source in step.sources), step.analytics)
        if isinstance(step, nodes.Aggregation):
            names = tuple(source.name for source in step.sources)
            return cls(names, step.analytics, step.keys, step.aggregates)
        if isinstance(step, nodes.Match):
            return cls(("row",), variables=step.variables)
        return cls()

    def told(self, expr: Expr) -> str:
        """The expression, much as a query would have it."""
        return _TELLERS[type(expr)](self, expr)

    def listed(self, exprs: Sequence[Expr]) -> str:
        """Expressions with commas between them."""
        return ", ".join(self.told(each) for each in exprs)

    def analytic(self, node: nodes.Analytic) -> str:
        """An OVER function."""
        parts = [f"PARTITION BY {self.listed(node.partition)}"] if node.partition else []
        parts += [f"ORDER BY {self._order(node.order)}"] if node.order else []
        parts += [f"LIMIT {told_ticks(node.limit)}"] if node.limit else []
        parts += [f"WHEN {self.told(node.when)}"] if node.when else []
        arguments = [self.listed(node.args)] if node.args else []
        arguments += [told_ticks(node.interval)] if node.interval else []
        arguments += [str(node.offset)] if node.f == "lag" and node.offset != 1 else []
        return f"{spelled(node.f)}({', '.join(arguments)}) OVER ({' '.join(parts)})"

    def aggregate(self, node: nodes.Aggregate) -> str:
        """An aggregate."""
        name = f"uda.{node.name}" if node.f == "uda" else spelled(node.f)
        inside = self.listed(node.args) or ("*" if node.f == "count" else "")
        if node.parameter is not None:
            inside = f"{node.parameter:g}" if node.f.startswith("percentile") else f"{node.parameter}, {inside}"
        over = f" OVER (ORDER BY {self._order(node.order)})" if node.order else ""
        return f"{name}({'DISTINCT ' if node.distinct else ''}{inside.removesuffix(', ')}){over}"

    def _order(self, order: Sequence[nodes.Order]) -> str:
        return ", ".join(self.told(each.by) + (" DESC" if each.descending else "") for each in order)

    def window(self, window: nodes.Window) -> str:
        """A window and its size."""
        label = f" '{window.id}'" if window.id is not None else ""
        if isinstance(window, nodes.Tumbling):
            text = f"tumbling {told_ticks(window.size)}" + _told_offset(window.offset)
        elif isinstance(window, nodes.Hopping):
            text = f"hopping {told_ticks(window.size)} each {told_ticks(window.hop)}" + _told_offset(window.offset)
        elif isinstance(window, nodes.Sliding):
            text = f"sliding {told_ticks(window.size)}"
        elif isinstance(window, nodes.Session):
            text = f"session with gaps up to {told_ticks(window.timeout)}"
            text += f", at most {told_ticks(window.maximum)}" if window.maximum else ""
            text += f", by {self.listed(window.partition)}" if window.partition else ""
        else:
            text = "snapshot"
        return text + label


def _told_offset(offset: int) -> str:
    return f" offset {'-' if offset < 0 else ''}{told_ticks(abs(offset))}" if offset else ""


def _const(_: Teller, const: nodes.Const) -> str:
    if const.type == "nvarchar":
        return "'" + str(const.value).replace("'", "''") + "'"
    return "NULL" if const.value is None else str(const.value)


def _field(teller: Teller, field: nodes.Field) -> str:
    path = ".".join(field.path)
    several = len(teller.sources) > 1
    return f"{teller.sources[field.sources[0]]}.{path}" if several and len(field.sources) == 1 else path


def _time(teller: Teller, time: nodes.Time) -> str:
    return "System.Timestamp()" if time.source is None else teller.sources[time.source]


def _op(teller: Teller, op: nodes.Op) -> str:
    args = [_grouped(teller, each) for each in op.args]
    if op.op in ("isnull", "isnotnull"):
        return f"{args[0]} IS {'NOT ' if op.op == 'isnotnull' else ''}NULL"
    if len(args) == 1:
        return f"{ {'neg': '-', 'not': 'NOT '}.get(op.op, op.op) }{args[0]}"
    return f" {_WORDS.get(op.op, op.op)} ".join(args)


def _grouped(teller: Teller, expr: Expr) -> str:
    text = teller.told(expr)
    return f"({text})" if isinstance(expr, nodes.Op) and len(expr.args) > 1 and expr.op not in ("isnull",) else text


def _like(teller: Teller, like: nodes.Like) -> str:
    text, pattern = like.args
    return f"{teller.told(text)} {'NOT ' if like.negated else ''}LIKE {teller.told(pattern)}"


def _in(teller: Teller, test: nodes.In) -> str:
    return f"{teller.told(test.args[0])} {'NOT ' if test.negated else ''}IN ({teller.listed(test.args[1:])})"


def _between(teller: Teller, test: nodes.Between) -> str:
    value, low, high = (teller.told(each) for each in test.args)
    return f"{value} {'NOT ' if test.negated else ''}BETWEEN {low} AND {high}"


def _case(teller: Teller, case: nodes.Case) -> str:
    whens = " ".join(f"WHEN {teller.told(test)} THEN {teller.told(result)}" for test, result in case.whens)
    otherwise = f" ELSE {teller.told(case.otherwise)}" if case.otherwise else ""
    return f"CASE {whens}{otherwise} END"


def _cast(teller: Teller, cast: nodes.Cast) -> str:
    return f"{'TRY_CAST' if cast.tries else 'CAST'}({teller.told(cast.arg)} AS {cast.to})"


def _call(teller: Teller, call: nodes.Call) -> str:
    first, *others = call.args
    if call.f in FUNCTIONS and FUNCTIONS[call.f].parameters[0].kind == "part" and isinstance(first, nodes.Const):
        return f"{spelled(call.f)}({first.value}, {teller.listed(others)})"
    return f"{spelled(call.f)}({teller.listed(call.args)})"


def _slot(teller: Teller, slot: nodes.Slot) -> str:
    if slot.kind == "analytic":
        return teller.analytic(teller.analytics[slot.index])
    if slot.kind == "key":
        return teller.told(teller.keys[slot.index])
    if teller.variables:
        variable = teller.variables[slot.index]
        path = ".".join([*([variable.name] if variable.name else []), *variable.path])
        return f"{variable.f.capitalize()}({path})"
    return teller.aggregate(teller.aggregates[slot.index])


_TELLERS: dict[type, Callable[[Teller, Any], str]] = {
    nodes.Const: _const,
    nodes.Field: _field,
    nodes.Row: lambda teller, row: teller.sources[row.source],
    nodes.Time: _time,
    nodes.WindowRecord: lambda _, __: "System.Window()",
    nodes.Member: lambda teller, member: f"{teller.told(member.of)}.{'.'.join(member.path)}",
    nodes.Op: _op,
    nodes.Like: _like,
    nodes.In: _in,
    nodes.Between: _between,
    nodes.Case: _case,
    nodes.Cast: _cast,
    nodes.Call: _call,
    nodes.UserCall: lambda teller, call: f"{call.kind}.{call.name}({teller.listed(call.args)})",
    nodes.Slot: _slot,
}
