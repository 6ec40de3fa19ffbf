"""Expressions of the tree, bound: names resolved, functions checked, aggregates and OVER functions lifted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.clauses import Place
from fraudstream.asaql.plan.binding.lifting import (
    is_analytic,
    lifted_aggregate,
    lifted_analytic,
    lifted_user_aggregate,
    whole_row_or,
)
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.functions import (
    IMPOSSIBLE,
    IMPOSSIBLE_CONSTANT,
    Function,
    Parameter,
    function,
    unknown_function,
    wrong_arity,
)
from fraudstream.asaql.plan.nodes import Const, Expr, TypeText
from fraudstream.asaql.plan.types import BITS, common_type, type_of
from fraudstream.asaql.plan.units import date_part
from fraudstream.asaql.text import tree

_WANTED = {
    "moment": "a datetime or an ISO 8601 text",
    "number": "a number",
    "text": "a text",
    "record": "a record",
    "array": "an array",
}
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def bind(expression: tree.Expression, place: Place) -> Expr:
    """The bound expression. Raises :class:`~fraudstream.asaql.errors.QueryError` for what is not in the language."""
    return _BINDERS[type(expression)](expression, place)


# --- Names and constants


def _path(path: tree.Path, place: Place) -> Expr:
    parts = tuple(name.text for name in path.parts)
    alias = place.aliases.get(parts[0].lower())
    if alias is not None and (len(parts) == 1 or place.scope.source(parts[0]) is None):
        return alias if len(parts) == 1 else nodes.Member(alias, path=parts[1:], pos=path.position)
    _refuse_hidden(path, parts[0], place)
    if _is_lost_partition(parts, place):
        return Const("null", None, pos=path.position)
    try:
        return place.scope.path(parts, path.position)
    except QueryError:
        if parts[0].lower() not in place.siblings:
            raise
        reason = f"{parts[0]} is an alias of the same SELECT, and no column. Compute it in a step before, in WITH."
        raise refusal(reason, path.position) from None


def _is_lost_partition(parts: tuple[str, ...], place: Place) -> bool:
    """Whether a name is the number of the partition in a step whose source did not select it.

    Azure carries it on with the partition. Here a file has one partition, so it is NULL, as it is in the file's rows.
    """
    source = place.scope.source(parts[0]) if len(parts) == 2 else None
    is_closed = not (source.shape.is_open if source else place.scope.is_open)
    is_known = source.shape.column(parts[-1]) if source else place.scope.knows(parts[-1])
    is_alone = len(parts) == 1 or source is not None
    return is_alone and len(parts) <= 2 and parts[-1].lower() == "partitionid" and is_closed and not is_known


def _refuse_hidden(path: tree.Path, name: str, place: Place) -> None:
    """Refuse a column of a source that an OVER function does not see, in place of taking it for another's."""
    for source in place.hidden:
        if (len(path.parts) > 1 and source.is_called(name)) or (
            source.shape.column(name) and not place.scope.knows(name)
        ):
            raise refusal(
                f"An OVER function sees the rows of {place.scope.sources[0].name}, the first source, before "
                f"{source.name} is joined. Join in a step before, in WITH.",
                path.position,
            )


def _double_quoted(word: tree.DoubleQuoted, place: Place) -> Expr:
    return _quoted(word, place, place.clause.quoted_is_column)


def _quoted(word: tree.DoubleQuoted, place: Place, is_column: bool) -> Expr:
    """A column, if one is known by this name or the context wants one; else a text."""
    folded = word.text.lower()
    if folded in place.aliases:
        return place.aliases[folded]
    if place.scope.knows(word.text) or ((is_column or folded in place.mentions) and place.scope.is_open):
        return place.scope.field((word.text,), word.position)
    return Const("nvarchar", word.text, pos=word.position)


def _text(text: tree.Text, _: Place) -> Expr:
    return Const("nvarchar", text.value, pos=text.position)


def _number(number: tree.Number, _: Place, sign: int = 1) -> Expr:
    value = sign * number.value
    if isinstance(value, float):
        return Const("float", value, pos=number.position)
    if not _SMALLEST <= value <= _LARGEST:
        raise refusal(f"{value} is no bigint. Write it with a point to make it a float.", number.position)
    return Const("bigint", value, pos=number.position)


def _null(null: tree.Null, _: Place) -> Expr:
    return Const("null", None, pos=null.position)


def _star(star: tree.Star, _: Place) -> Expr:
    raise refusal("A star stands in the list of SELECT, in COUNT(*) and in LAG(*).", star.position)


def _timestamp(_: tree.SystemTimestamp, place: Place) -> Expr:
    if place.clause.name == "TIMESTAMP BY":
        raise refusal("System.Timestamp() is what TIMESTAMP BY sets. Name a field of the event.", _.position)
    return nodes.Time()


def _window(window: tree.SystemWindow, place: Place) -> Expr:
    if not place.clause.has_window:
        raise refusal("System.Window() stands in the SELECT of a GROUP BY alone.", window.position)
    return nodes.WindowRecord()


def _member(member: tree.Member, place: Place) -> Expr:
    of = bind(member.of, place)
    if isinstance(of, nodes.WindowRecord) and member.name.text.lower() != "id":
        raise refusal("System.Window() has the one field Id.", member.name.position)
    if isinstance(of, nodes.Member):
        return nodes.Member(of.of, path=(*of.path, member.name.text), pos=member.position)
    return nodes.Member(of, path=(member.name.text,), pos=member.position)


# --- Operators


def _unary(unary: tree.Unary, place: Place) -> Expr:
    if unary.operator == "-" and isinstance(unary.operand, tree.Number):
        return _number(unary.operand, place, -1)
    operand = bind(unary.operand, place)
    if unary.operator == "+":
        return operand
    if unary.operator == "not":
        return nodes.Op("not", (operand,), pos=unary.position)
    return _checked(nodes.Op("neg" if unary.operator == "-" else "~", (operand,), pos=unary.position))


def _binary(binary: tree.Binary, place: Place) -> Expr:
    left = _operand(binary.left, place, [binary.right])
    right = _operand(binary.right, place, [binary.left])
    return _checked(nodes.Op(binary.operator, (left, right), pos=binary.position))


def _operand(
    operand: tree.Expression, place: Place, others: list[tree.Expression] | tuple[tree.Expression, ...]
) -> Expr:
    """One side of a comparison: a double-quoted word beside a constant is a column."""
    if isinstance(operand, tree.DoubleQuoted):
        return _quoted(operand, place, all(isinstance(other, tree.Text | tree.Number) for other in others))
    return bind(operand, place)


def _checked(op: nodes.Op) -> nodes.Op:
    """The operation, refused if one of its operands can never be one."""
    for argument in op.args:
        kind = type_of(argument)
        if op.op in ("-", "*", "/", "%", "neg") and kind in ("datetime", "record", "array"):
            advice = " Use DATEADD and DATEDIFF." if kind == "datetime" else ""
            raise refusal(f"{_told(op.op)} takes numbers, not {kind}.{advice}", op.pos)
        if op.op in ("-", "*", "/", "%", "neg") and isinstance(argument, Const) and kind == "nvarchar":
            raise refusal(f"{_told(op.op)} takes numbers, not the text {argument.value!r}. Use CAST.", op.pos)
        if op.op in (*BITS, "~") and kind in ("float", "nvarchar", "datetime", "record", "array"):
            raise refusal(f"{_told(op.op)} takes bigint or bit, not {kind}. Use CAST(… AS bigint).", op.pos)
    return op


def _told(op: str) -> str:
    return f"The operator {'-' if op == 'neg' else op}"


def _logical(logical: tree.Logical, place: Place) -> Expr:
    return nodes.Op(logical.operator, tuple(bind(each, place) for each in logical.operands), pos=logical.position)


def _is_null(test: tree.IsNull, place: Place) -> Expr:
    operand = _operand(test.operand, place, [])
    return nodes.Op("isnotnull" if test.negated else "isnull", (operand,), pos=test.position)


def _like(like: tree.Like, place: Place) -> Expr:
    args = (_operand(like.operand, place, []), bind(like.pattern, place))
    escape = None
    if like.escape is not None:
        bound = bind(like.escape, place)
        if not isinstance(bound, Const) or not isinstance(bound.value, str) or len(bound.value) != 1:
            raise refusal("ESCAPE takes one character, such as '!'.", like.escape.position)
        escape = bound.value
    return nodes.Like(like.negated, args, escape, pos=like.position)


def _in(test: tree.In, place: Place) -> Expr:
    operand = _operand(test.operand, place, [])
    return nodes.In(test.negated, (operand, *(bind(each, place) for each in test.values)), pos=test.position)


def _between(test: tree.Between, place: Place) -> Expr:
    operand = _operand(test.operand, place, [])
    return nodes.Between(test.negated, (operand, bind(test.low, place), bind(test.high, place)), pos=test.position)


def _case(case: tree.Case, place: Place) -> Expr:
    operand = None if case.operand is None else _operand(case.operand, place, [])
    whens = []
    for when in case.whens:
        condition = bind(when.condition, place)
        if operand is not None:
            condition = nodes.Op("=", (operand, condition), pos=when.position)
        whens.append((condition, bind(when.result, place)))
    otherwise = None if case.otherwise is None else bind(case.otherwise, place)
    return nodes.Case(tuple(whens), otherwise, pos=case.position)


def _cast(cast_: tree.Cast, place: Place) -> Expr:
    if cast_.to.name == "bit" and place.level < "1.2":
        raise refusal(f"bit is a type since level 1.2; this is level {place.level}. Use bigint.", cast_.to.position)
    operand = bind(cast_.operand, place)
    return nodes.Cast(cast("TypeText", cast_.to.name), cast_.tries, operand, pos=cast_.position)


# --- Calls


def _call(call: tree.Call, place: Place) -> Expr:
    if len(call.name) > 1:
        return _user_call(call, place)
    called = function(call.name[0].text)
    if called is None:
        return _unknown(call, place)
    if called.place == "apply":
        name = call.name[0].text
        raise refusal(f"{name} gives rows: it stands after CROSS APPLY or OUTER APPLY alone.", call.position)
    if is_analytic(called, call):
        return lifted_analytic(called, call, place, bind)
    if called.place == "aggregate":
        return lifted_aggregate(called, call, place, bind)
    return _scalar(called, call, place)


def _unknown(call: tree.Call, place: Place) -> Expr:
    name = call.name[0].text
    reason = unknown_function(name)
    if place.level < "1.2" and "prefix" in reason:
        # Before level 1.2 functions of Azure ML were called without a prefix.
        return _user_function(call, place)
    raise refusal(reason, call.position)


def _user_call(call: tree.Call, place: Place) -> Expr:
    prefix = call.name[0].text
    if prefix.lower() == "uda":
        return lifted_user_aggregate(call, place, bind)
    if prefix.lower() != "udf":
        spelling = ".".join(name.text for name in call.name)
        raise refusal(
            f"{spelling} is no function. Functions of your own are called udf.f(…), aggregates uda.f(…).", call.position
        )
    return _user_function(call, place)


def _user_function(call: tree.Call, place: Place) -> Expr:
    name = call.name[-1].text
    if call.over is not None or call.quantifier is not None:
        raise refusal(f"udf.{name} takes neither OVER nor DISTINCT.", call.position)
    if place.clause.no_user:
        raise refusal(f"udf.{name} stands in {place.clause.name}. {place.clause.no_user}", call.position)
    args = tuple(whole_row_or(bind, argument, place) for argument in call.arguments)
    return nodes.UserCall("udf", name, args, pos=call.position)


def _scalar(called: Function, call: tree.Call, place: Place) -> Expr:
    name = called.name
    if call.over is not None:
        raise refusal(f"{called.spelling} takes no OVER: it is a function of one row.", call.over.position)
    if call.quantifier is not None:
        raise refusal(f"{called.spelling} takes no {call.quantifier.upper()}: it is no aggregate.", call.position)
    if fault := wrong_arity(called, len(call.arguments)):
        raise refusal(fault, call.position)
    if name == "datediff" and place.clause.has_join_times and (times := _join_times(call, place)):
        return times
    parameters = [called.parameter(index) for index in range(len(call.arguments))]
    args = tuple(
        _argument(called, parameter, argument, place)
        for parameter, argument in zip(parameters, call.arguments, strict=True)
    )
    return nodes.Call(name, args, static=_result(called, args), pos=call.position)


def _result(called: Function, args: tuple[Expr, ...]) -> TypeText | None:
    if called.result == "same":
        return type_of(args[0])
    if called.name == "coalesce":
        return common_type(type_of(argument) for argument in args)
    return None if called.result == "any" else called.result


def _argument(called: Function, parameter: Parameter, argument: tree.Expression, place: Place) -> Expr:
    if parameter.kind == "part":
        return _date_part(called, argument)
    if parameter.kind == "input":
        return _input(called, argument, place)
    if parameter.kind == "row" or parameter.kind == "event":
        return whole_row_or(bind, argument, place, by_alias=parameter.kind == "event")
    bound = bind(argument, place)
    kind = type_of(bound)
    impossible = IMPOSSIBLE.get(parameter.kind, ())
    if isinstance(bound, Const):
        impossible += IMPOSSIBLE_CONSTANT.get(parameter.kind, ())
    if kind in impossible:
        wanted = _WANTED[parameter.kind]
        reason = f"{called.spelling} takes {wanted} as {parameter.name}, not {kind}: {called.signature}."
        raise refusal(reason, argument.position)
    if parameter.kind == "moment" and isinstance(argument, tree.Path) and len(argument.parts) == 1:
        _refuse_source_as_moment(called, argument.parts[0], place)
    return bound


def _refuse_source_as_moment(called: Function, name: tree.Name, place: Place) -> None:
    source = place.scope.source(name.text)
    if source is not None and source.has_alias and not place.scope.knows(name.text):
        raise refusal(
            f"{called.spelling} takes datetimes here; {name.text} is a source. Only the DATEDIFF in ON takes "
            "sources: carry System.Timestamp() AS t out of a step before, in WITH.",
            name.position,
        )


def _date_part(called: Function, argument: tree.Expression) -> Expr:
    if isinstance(argument, tree.Path) and len(argument.parts) == 1:
        text = argument.parts[0].text
    elif isinstance(argument, tree.DoubleQuoted | tree.Text):
        text = argument.text if isinstance(argument, tree.DoubleQuoted) else argument.value
    else:
        text = ""
    part = date_part(text)
    if part is None:
        parts = "year, quarter, month, dayofyear, day, week, weekday, hour, minute, second, millisecond, microsecond"
        reason = f"{text or 'This'} is no date part: {called.spelling} takes one of {parts}."
        raise refusal(reason, argument.position)
    return Const("nvarchar", part, pos=argument.position)


def _input(called: Function, argument: tree.Expression, place: Place) -> Expr:
    parts = argument.parts if isinstance(argument, tree.Path) else ()
    name = parts[0].text if len(parts) == 1 else getattr(argument, "text", "")
    source = place.scope.source(name) if name else None
    if source is None:
        raise refusal(f"{called.spelling} takes the name of an input in FROM: {called.signature}.", argument.position)
    if source.input is None:
        raise refusal(
            f"{source.name} is no input: its rows have no metadata. Select {called.spelling}(…) where the input is "
            "read, and carry it on as a column.",
            argument.position,
        )
    return nodes.Row(source.index)


def _join_times(call: tree.Call, place: Place) -> Expr | None:
    """``DATEDIFF(unit, a, b)`` of ON, with sources in place of datetimes: their rows' times."""
    part, *moments = call.arguments
    times = []
    for argument in moments:
        name = argument.parts[0].text if isinstance(argument, tree.Path) and len(argument.parts) == 1 else ""
        name = argument.text if isinstance(argument, tree.DoubleQuoted) else name
        source = place.scope.source(name) if name else None
        if source is None:
            return None
        if source.kind == "reference":
            raise refusal(f"{source.name} is reference data: its rows have no time.", argument.position)
        times.append(nodes.Time(source.index))
    called = function("datediff")
    return (
        None
        if called is None
        else nodes.Call("datediff", (_date_part(called, part), *times), static="bigint", pos=call.position)
    )


_BINDERS: dict[type, Callable[[Any, Place], Expr]] = {
    tree.Path: _path,
    tree.DoubleQuoted: _double_quoted,
    tree.Text: _text,
    tree.Number: _number,
    tree.Null: _null,
    tree.Star: _star,
    tree.SystemTimestamp: _timestamp,
    tree.SystemWindow: _window,
    tree.Member: _member,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Logical: _logical,
    tree.IsNull: _is_null,
    tree.Like: _like,
    tree.In: _in,
    tree.Between: _between,
    tree.Case: _case,
    tree.Cast: _cast,
    tree.Call: _call,
}
