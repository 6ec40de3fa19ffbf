"""Rules about expressions that stop the job in Azure at the first record on which they fail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.functions import FUNCTIONS, spelled
from fraudstream.asaql.plan.lint.findings import Finding
from fraudstream.asaql.plan.nodes import Expr
from fraudstream.asaql.plan.telling import Teller
from fraudstream.asaql.plan.types import ARITHMETIC, type_of
from fraudstream.asaql.plan.walks import every_part, expressions_of

# Casts that succeed on every value of the type.
_SAFE_CASTS = {
    "bigint": ("bigint", "float", "nvarchar", "bit"),
    "float": ("float", "nvarchar", "bit"),
    "nvarchar": ("nvarchar",),
    "datetime": ("datetime", "nvarchar"),
    "bit": ("bit", "bigint", "float", "nvarchar"),
    "record": ("record",),
    "array": ("array",),
    "null": ("bigint", "float", "nvarchar", "datetime", "bit", "record", "array"),
}
_LENGTHS = {"left": 1, "right": 1, "substring": 2, "stuff": 2}
_STRUCTURES = ("getarrayelement", "getarraylength", "getrecordpropertyvalue")
_THROWS = re.compile(r"//[^\n]*|/\*.*?\*/|(?P<throw>\bthrow\b)", re.DOTALL)

# A project's functions by their names in small letters: the script of each, or None for one without.
Functions = Mapping[str, str | None]


def stop_findings(plan: nodes.Plan, functions: Functions | None = None) -> Iterator[Finding]:
    """The expressions that can stop the job; ``functions`` are the project's, None where they are not known."""
    columns: set[tuple[str, ...]] = set()
    for step in plan.steps:
        teller = Teller((step.input,)) if isinstance(step, nodes.Read) else Teller.of(step)
        for source in step.sources if isinstance(step, nodes.Select | nodes.Aggregation) else ():
            if isinstance(source, nodes.ApplySource) and type_of(source.argument) is None:
                kind = "array" if source.function == "elements" else "record"
                message = f"The APPLY stops the job where {teller.told(source.argument)} is no {kind}: TRY_CAST it."
                yield _found("QL005", source.pos, message)
        yield from _untyped_arguments(step, teller, columns)
        for part in (part for expression in expressions_of(step) for part in every_part(expression)):
            yield from _user_call(part, functions)
            message = _explicit(part, teller)
            if message:
                yield _found("QL005", getattr(part, "pos", None), message)
            yield from _untyped(part, teller, columns)


def _found(rule: str, position: nodes.Pos | None, message: str) -> Finding:
    line, column = position or (1, 1)
    return Finding(line, column, rule, message)


def _explicit(part: Expr, teller: Teller) -> str:
    """Why a conversion, a division or a call can stop the job; empty if it cannot."""
    if isinstance(part, nodes.Cast):
        return _cast(part, teller)
    if isinstance(part, nodes.Op) and part.op in ("/", "%"):
        by = part.args[1]
        if not _is_never_zero(by):
            return f"{teller.told(part)} stops the job where {teller.told(by)} is 0: divide by NULLIF(…, 0)."
    return _call(part, teller) if isinstance(part, nodes.Call) else ""


def _is_never_zero(by: Expr) -> bool:
    """Whether a divisor is a number that is not 0, or NULL in its place."""
    if isinstance(by, nodes.Call) and by.f == "nullif":
        return isinstance(by.args[1], nodes.Const) and by.args[1].value == 0
    return isinstance(by, nodes.Const) and bool(by.value)


def _user_call(part: Expr, functions: Functions | None) -> Iterator[Finding]:
    """A call of a function that the project lacks, or that throws on purpose."""
    if not isinstance(part, nodes.UserCall):
        return
    called = f"{part.kind}.{part.name}"
    if functions is None:
        yield _found("QL005", part.pos, f"An exception in {called} stops the job.")
    elif part.name.casefold() not in functions:
        yield _found("QL028", part.pos, f"{called} is not among the project's functions: add it to Functions.")
    else:
        script = functions[part.name.casefold()] or ""
        if any(match["throw"] for match in _THROWS.finditer(script)):
            yield _found("QL005", part.pos, f"{called} throws: the exception stops the job. Return null instead.")


def _cast(cast: nodes.Cast, teller: Teller) -> str:
    kind = type_of(cast.arg)
    if cast.tries or (kind is not None and cast.to in _SAFE_CASTS[kind]):
        return ""
    return f"{teller.told(cast)} stops the job at a value that does not convert: TRY_CAST gives NULL."


def _call(call: nodes.Call, teller: Teller) -> str:
    if call.f in _LENGTHS:
        length = call.args[_LENGTHS[call.f]]
        is_safe = isinstance(length, nodes.Const) and not (isinstance(length.value, int | float) and length.value < 0)
        return "" if is_safe else f"{spelled(call.f)} stops the job where {teller.told(length)} is negative."
    if call.f == "translate":
        texts = [argument.value for argument in call.args[1:] if isinstance(argument, nodes.Const)]
        is_safe = len(texts) == 2 and len(str(texts[0])) == len(str(texts[1]))
        return "" if is_safe else "TRANSLATE stops the job where its two sets differ in length."
    if call.f == "datetimefromparts":
        is_safe = all(isinstance(argument, nodes.Const) for argument in call.args)
        return "" if is_safe else "DATETIMEFROMPARTS stops the job at a date that does not exist."
    if call.f in _STRUCTURES and type_of(call.args[0]) is None:
        kind = "record" if call.f == "getrecordpropertyvalue" else "array"
        return f"{spelled(call.f)} stops the job where {teller.told(call.args[0])} is no {kind}: TRY_CAST it."
    return ""


def _untyped(part: Expr, teller: Teller, columns: set[tuple[str, ...]]) -> Iterator[Finding]:
    """A column of unknown type where only a number will do, the first time that it stands so."""
    operands: tuple[Expr, ...] = ()
    if isinstance(part, nodes.Op) and part.op in (*ARITHMETIC[1:], "neg"):
        operands = part.args
    elif isinstance(part, nodes.Call) and part.f in FUNCTIONS:
        called = FUNCTIONS[part.f]
        operands = tuple(
            each for place, each in enumerate(part.args) if called.parameter(place).kind in ("number", "moment")
        )
    for operand in operands:
        if isinstance(operand, nodes.Field) and operand.static is None and operand.folded not in columns:
            columns.add(operand.folded)
            message = f"{teller.told(part)} stops the job where {teller.told(operand)} has a value of a wrong type."
            yield _found("QL027", operand.pos, message)


def _untyped_arguments(step: nodes.Step, teller: Teller, columns: set[tuple[str, ...]]) -> Iterator[Finding]:
    """The same for sums, means and their like."""
    if not isinstance(step, nodes.Select | nodes.Aggregation):
        return
    lifted_calls: list[nodes.Aggregate | nodes.Analytic] = list(step.analytics)
    lifted_calls += step.aggregates if isinstance(step, nodes.Aggregation) else ()
    for lifted in lifted_calls:
        called = FUNCTIONS.get(lifted.f)
        if called is None or called.parameters[0].kind != "number":
            continue
        for operand in lifted.args[:1]:
            if isinstance(operand, nodes.Field) and operand.static is None and operand.folded not in columns:
                columns.add(operand.folded)
                message = f"{spelled(lifted.f)} stops the job where {teller.told(operand)} has a value of a wrong type."
                yield _found("QL027", operand.pos, message)
