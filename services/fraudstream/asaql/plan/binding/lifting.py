"""Aggregates and OVER functions: taken out of the expression that they stand in, into slots of their step."""

from __future__ import annotations

from typing import cast

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import AGGREGATE, ANALYTIC, Binder, Place
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.functions import Function, spelled, wrong_arity
from fraudstream.asaql.plan.nodes import Const, Expr, TypeText
from fraudstream.asaql.plan.types import type_of
from fraudstream.asaql.plan.units import TICKS, unit
from fraudstream.asaql.plan.walks import every_part
from fraudstream.asaql.text import tree

_ORDERED = ("percentile_cont", "percentile_disc", "collecttop", "topone")
_WHOLE_ROW = ("collect", "collecttop", "topone")
MOST_ROWS = 2**31 - 1
"""What counts of rows go up to: those of the engine's lists."""
_DISTINCT = ("count", "sum", "avg", "min", "max", "stdev", "stdevp", "var", "varp")
_MODES = ("spikes", "dips", "spikesanddips")


def is_analytic(called: Function, call: tree.Call) -> bool:
    """Whether a call is an OVER function: some functions are aggregates without LIMIT DURATION."""
    if called.place == "analytic":
        return True
    over = call.over
    return called.place == "aggregate" and over is not None and (over.limit is not None or not over.order)


# --- Aggregates


def lifted_aggregate(called: Function, call: tree.Call, place: Place, bind: Binder) -> nodes.Slot:
    """The slot of an aggregate. Raises :class:`~fraudstream.asaql.errors.QueryError` where none may stand."""
    name = called.name
    _refuse_aggregate(spelled(name), call, place)
    inner = place.within(AGGREGATE)
    arguments = _without_star(called, call)
    if fault := wrong_arity(called, len(arguments)):
        raise refusal(fault, call.position)
    if call.quantifier == "distinct" and (name not in _DISTINCT or not arguments):
        raise refusal(f"{spelled(name)} takes no DISTINCT. Use COUNT(DISTINCT value).", call.position)
    parameter, arguments = _parameter(name, arguments, inner, bind)
    args = _arguments(called, arguments, inner, bind)
    order = _order(name, call, inner, bind)
    if name.startswith("percentile"):
        args = (order[0].by,)
    _check_numbers(called, args, call)
    is_distinct = call.quantifier == "distinct"
    node = nodes.Aggregate(name, is_distinct, args, order, parameter, static=_result(called, args), pos=call.position)
    return place.lifted.aggregate(node)


def lifted_user_aggregate(call: tree.Call, place: Place, bind: Binder) -> nodes.Slot:
    """The slot of ``uda.f(…)``."""
    name = call.name[-1].text
    _refuse_aggregate(f"uda.{name}", call, place)
    if call.over is not None:
        raise refusal(f"uda.{name} takes no OVER: group by a window.", call.over.position)
    inner = place.within(AGGREGATE)
    args = tuple(whole_row_or(bind, argument, inner) for argument in call.arguments)
    return place.lifted.aggregate(nodes.Aggregate("uda", False, args, name=name, pos=call.position))


def _refuse_aggregate(name: str, call: tree.Call, place: Place) -> None:
    if place.clause.no_aggregate:
        reason = f"The aggregate {name} stands in {place.clause.name}. {place.clause.no_aggregate}"
        raise refusal(reason, call.position)


def _without_star(called: Function, call: tree.Call) -> tuple[tree.Expression, ...]:
    if not any(isinstance(argument, tree.Star) for argument in call.arguments):
        return call.arguments
    star = call.arguments[0]
    if called.name == "count" and len(call.arguments) == 1 and isinstance(star, tree.Star) and star.of is None:
        if call.quantifier:
            raise refusal("COUNT(DISTINCT *) is not in the language. Use COUNT(DISTINCT value).", call.position)
        return ()
    if called.name in _WHOLE_ROW:
        return tuple(each for each in call.arguments if not isinstance(each, tree.Star))
    raise refusal(f"{called.spelling} takes no star. Name a column: {called.signature}.", call.position)


def _parameter(
    name: str, arguments: tuple[tree.Expression, ...], place: Place, bind: Binder
) -> tuple[int | float | None, tuple[tree.Expression, ...]]:
    """The constant that a function takes first, and its other arguments."""
    if name.startswith("percentile"):
        value = _constant(bind(arguments[0], place))
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise refusal(f"{spelled(name)} takes a constant from 0 to 1, such as 0.5.", arguments[0].position)
        return float(value), ()
    if name == "collecttop":
        value = _constant(bind(arguments[0], place))
        if not isinstance(value, int) or not 1 <= value <= MOST_ROWS:
            raise refusal(f"CollectTop takes a constant number of rows, 1 to {MOST_ROWS}.", arguments[0].position)
        return value, arguments[1:]
    return None, arguments


def _order(name: str, call: tree.Call, place: Place, bind: Binder) -> tuple[nodes.Order, ...]:
    over = call.over
    if name not in _ORDERED:
        if over is not None and over.order:
            raise refusal(f"{spelled(name)} takes no ORDER BY: the order of rows does not change it.", over.position)
        return ()
    if over is None or not over.order:
        raise refusal(f"{spelled(name)} needs OVER (ORDER BY column).", call.position)
    if over.limit is None and (over.partition or over.when):
        raise refusal(
            f"{spelled(name)} OVER (PARTITION BY … or WHEN …) needs LIMIT DURATION(unit, n) too. As an aggregate it "
            "takes ORDER BY alone: the keys are those of GROUP BY.",
            over.position,
        )
    if name.startswith("percentile") and len(over.order) > 1:
        raise refusal(f"{spelled(name)} orders by one expression.", over.order[1].position)
    return tuple(nodes.Order(bind(each.expression, place), each.descending) for each in over.order)


def _result(called: Function, args: tuple[Expr, ...]) -> TypeText | None:
    if called.result == "same" or called.name in ("percentile_disc", "topone"):
        if not args:
            return "record" if called.name == "topone" else None
        return type_of(args[0])
    return None if called.result == "any" else called.result


def _check_numbers(called: Function, args: tuple[Expr, ...], call: tree.Call) -> None:
    """Refuse a sum or a mean of what cannot be a number."""
    takes_numbers = called.parameters[0].kind == "number" and called.name != "collecttop"
    for argument in args if takes_numbers else ():
        if type_of(argument) in ("nvarchar", "datetime", "record", "array"):
            reason = f"{called.spelling} takes bigint or float, not {type_of(argument)}."
            raise refusal(f"{reason} Use CAST(… AS float).", call.position)


# --- OVER functions


def lifted_analytic(called: Function, call: tree.Call, place: Place, bind: Binder) -> nodes.Slot:
    """The slot of an OVER function. Raises :class:`~fraudstream.asaql.errors.QueryError` where none may stand."""
    name = called.name
    if place.clause.no_analytic:
        reason = f"{spelled(name)} OVER stands in {place.clause.name}. {place.clause.no_analytic}"
        raise refusal(reason, call.position)
    if not called.with_limit and name != "isfirst":
        raise refusal(f"{spelled(name)} takes no OVER with LIMIT DURATION. Group by a window.", call.position)
    if call.quantifier == "distinct":
        raise refusal(f"{spelled(name)}(DISTINCT …) takes no OVER. Group by a window.", call.position)
    _check_over(name, call)
    inner = place.within_first(ANALYTIC)
    node = _isfirst(call, inner, bind) if name == "isfirst" else _with_limit(called, call, inner, bind)
    for expression in (*node.args, *([node.default] if node.default else [])):
        if any(isinstance(part, nodes.UserCall) for part in every_part(expression)):
            raise refusal(f"{spelled(name)} takes no function of the user's. Call it in a step before.", call.position)
    return place.lifted.analytic(node)


def _check_over(name: str, call: tree.Call) -> None:
    over = call.over
    if name == "isfirst":
        if over is not None and (over.limit or over.order):
            raise refusal(
                "ISFIRST takes PARTITION BY and WHEN in its OVER: its interval is its argument.", over.position
            )
        return
    if over is None or over.limit is None:
        example = f"{spelled(name)}(…) OVER (PARTITION BY key LIMIT DURATION(minute, 5))"
        raise refusal(f"{spelled(name)} needs OVER with LIMIT DURATION: {example}.", call.position)


def _with_limit(called: Function, call: tree.Call, place: Place, bind: Binder) -> nodes.Analytic:
    over = call.over
    if over is None or over.limit is None:
        raise refusal(f"{called.spelling} needs OVER with LIMIT DURATION.", call.position)
    arguments = call.arguments if called.place == "analytic" else _without_star(called, call)
    if fault := wrong_arity(called, len(arguments)):
        raise refusal(fault, call.position)
    parameter, arguments = _parameter(called.name, arguments, place, bind)
    offset, default = 1, None
    if called.name in ("lag", "last"):
        offset, default, arguments = _lag(called.name, arguments, place, bind)
    args = _arguments(called, arguments, place, bind)
    if called.name.startswith("anomaly"):
        _check_anomaly(args, call)
    else:
        _check_numbers(called, args, call)
    return nodes.Analytic(
        called.name,
        args,
        _order(called.name, call, place, bind),
        parameter,
        offset,
        default,
        tuple(bind(each, place) for each in over.partition),
        span_ticks(over.limit),
        None if over.when is None else bind(over.when, place),
        static=_result(called, args),
        pos=call.position,
    )


def _lag(
    name: str, arguments: tuple[tree.Expression, ...], place: Place, bind: Binder
) -> tuple[int, Expr | None, tuple[tree.Expression, ...]]:
    offset, rest = (0, arguments[1:]) if name == "last" else (1, arguments[1:])
    if name == "lag" and rest:
        value = _constant(bind(rest[0], place))
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_ROWS:
            raise refusal(f"The offset of LAG is a constant, 1 to {MOST_ROWS}.", rest[0].position)
        offset, rest = value, rest[1:]
    return offset, bind(rest[0], place) if rest else None, arguments[:1]


def _isfirst(call: tree.Call, place: Place, bind: Binder) -> nodes.Analytic:
    if len(call.arguments) != 2:
        raise refusal("ISFIRST takes a unit and a number: ISFIRST(minute, 10).", call.position)
    part, amount = call.arguments
    name = part.parts[0].text if isinstance(part, tree.Path) else getattr(part, "value", getattr(part, "text", ""))
    count = _constant(bind(amount, place))
    if unit(str(name)) is None or not isinstance(count, int) or count < 1:
        raise refusal("ISFIRST takes a unit from microsecond to day, and a constant of 1 or more.", part.position)
    over = call.over
    return nodes.Analytic(
        "isfirst",
        (),
        partition=tuple(bind(each, place) for each in over.partition) if over else (),
        when=bind(over.when, place) if over and over.when else None,
        interval=count * TICKS[cast("str", unit(str(name)))],
        static="bigint",
        pos=call.position,
    )


def _check_anomaly(args: tuple[Expr, ...], call: tree.Call) -> None:
    confidence, history = _constant(args[1]), _constant(args[2])
    if isinstance(args[1], Const) and not (isinstance(confidence, int | float) and 1 <= confidence <= 100):
        raise refusal("The confidence of an anomaly function is a number from 1 to 100.", call.position)
    if isinstance(args[2], Const) and not (isinstance(history, int) and history >= 1):
        raise refusal("The history of an anomaly function is a number of events, 1 or more.", call.position)
    if len(args) == 4 and isinstance(args[3], Const) and str(args[3].value).lower() not in _MODES:
        raise refusal(f"The mode is one of {', '.join(map(repr, _MODES))}.", call.position)


def _arguments(
    called: Function, arguments: tuple[tree.Expression, ...], place: Place, bind: Binder
) -> tuple[Expr, ...]:
    kinds = {parameter.kind for parameter in called.parameters}
    if kinds & {"row", "event"}:
        return tuple(whole_row_or(bind, each, place, by_alias="row" not in kinds) for each in arguments)
    return tuple(bind(each, place) for each in arguments)


def whole_row_or(bind: Binder, argument: tree.Expression, place: Place, by_alias: bool = False) -> Expr:
    """An argument that may be the name of a source, or the alias of one, which means its whole row."""
    if isinstance(argument, tree.Star):
        source = argument.of
        if source is None and len(place.scope.sources) == 1:
            return nodes.Row(0)
        if isinstance(source, tree.Path) and len(source.parts) == 1 and (row := place.scope.row(source.parts[0].text)):
            return row
        raise refusal("A star as an argument means one row: give the name of the source.", argument.position)
    if isinstance(argument, tree.Path) and len(argument.parts) == 1:
        return place.scope.row(argument.parts[0].text, by_alias) or bind(argument, place)
    return bind(argument, place)


def span_ticks(span: tree.Span) -> int:
    """The length of a limit in ticks. Raises :class:`~fraudstream.asaql.errors.QueryError` if it is none."""
    name = unit(span.unit.text)
    if name is None:
        units = "day, hour, minute, second, millisecond, microsecond"
        raise refusal(f"{span.unit.text} is no unit of time here. Use one of {units}.", span.unit.position)
    ticks = span.amount * TICKS[name]
    if ticks <= 0:
        raise refusal(f"A length of {span.amount} {span.unit.text} is not positive.", span.position)
    if ticks != int(ticks):
        raise refusal(f"{span.amount} {span.unit.text} is no whole number of ticks (100 ns).", span.position)
    return int(ticks)


def _constant(expr: Expr) -> object:
    return expr.value if isinstance(expr, Const) else None
