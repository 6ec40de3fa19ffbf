"""The tree of a query file, as its text says it: no name is resolved, no type is known.

A node's position is where its first own word or sign stands: of an operation between two operands, the operator's.
Keywords and operators are normalised (lower case, one spelling); names and texts keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias


class Position(NamedTuple):
    """A place in the text. Lines and columns count from 1; columns are characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written, without its quotes; ``quote`` is the sign that opened them: `[`, `"`, `'` (aliases) or none.

    A doubled closing sign inside the quotes is one sign of the name.
    """

    text: str
    position: Position
    quote: Literal["", "[", '"', "'"] = ""


# --- Expressions


@dataclass(frozen=True, slots=True)
class Path:
    """``a`` or ``a.b.c``: a column, a field of a record in it, or the name of a source, perhaps with fields.

    A single part in double quotes is :class:`DoubleQuoted` instead.
    """

    parts: tuple[Name, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class DoubleQuoted:
    """``"x"`` alone where an expression stands: a column or an alias if one has this name, else a text."""

    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class Text:
    """``'…'`` or ``N'…'``."""

    value: str
    position: Position


@dataclass(frozen=True, slots=True)
class Number:
    """A number without sign: an ``int`` if it is written with digits alone (at most 2^63), else a finite ``float``."""

    value: int | float
    position: Position


@dataclass(frozen=True, slots=True)
class Null:
    """``NULL``."""

    position: Position


@dataclass(frozen=True, slots=True)
class Star:
    """``*``, ``a.*``, ``a.b.*``, or ``call(…).*``: an item of a SELECT list, or the argument of a call.

    ``of`` is what stands before the star: all sources if it is None.
    """

    of: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class SystemTimestamp:
    """``System.Timestamp()``, or the same without parentheses: the time of the row."""

    position: Position


@dataclass(frozen=True, slots=True)
class SystemWindow:
    """``System.Window()``, or the same without parentheses; its ``.Id`` is a :class:`Member` of it."""

    position: Position


@dataclass(frozen=True, slots=True)
class Member:
    """A field of what an expression other than a path gives: ``GetArrayElement(a, 0).name``."""

    of: Expression
    name: Name
    position: Position


UnaryOperator: TypeAlias = Literal["-", "+", "~", "not"]
Quantifier: TypeAlias = Literal["distinct", "all"]
BinaryOperator: TypeAlias = Literal["+", "-", "*", "/", "%", "&", "|", "^", "=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign, ``~`` or NOT before an operand."""

    operator: UnaryOperator
    operand: Expression
    position: Position


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, bits, or a comparison; ``!=`` is ``<>``, ``!<`` is ``>=``, ``!>`` is ``<=``."""

    operator: BinaryOperator
    left: Expression
    right: Expression
    position: Position


@dataclass(frozen=True, slots=True)
class Logical:
    """A chain of AND or of OR, two operands or more: ``a AND b AND c`` is one node."""

    operator: Literal["and", "or"]
    operands: tuple[Expression, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class IsNull:
    """``x IS NULL``, negated: ``x IS NOT NULL``."""

    operand: Expression
    negated: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Like:
    """``x [NOT] LIKE pattern [ESCAPE escape]``."""

    operand: Expression
    pattern: Expression
    escape: Expression | None
    negated: bool
    position: Position


@dataclass(frozen=True, slots=True)
class In:
    """``x [NOT] IN (a, b, …)``, one value or more."""

    operand: Expression
    values: tuple[Expression, ...]
    negated: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Between:
    """``x [NOT] BETWEEN low AND high``."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool
    position: Position


@dataclass(frozen=True, slots=True)
class When:
    """``WHEN condition THEN result`` of a CASE; with an operand after CASE, a value in place of the condition."""

    condition: Expression
    result: Expression
    position: Position


@dataclass(frozen=True, slots=True)
class Case:
    """``CASE [operand] WHEN … THEN … [ELSE otherwise] END``, one WHEN or more; Azure itself asks for the ELSE."""

    operand: Expression | None
    whens: tuple[When, ...]
    otherwise: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type's name in lower case: one of `bigint`, `float`, `nvarchar`, `datetime`, `bit`, `record`, `array`."""

    name: str
    position: Position


@dataclass(frozen=True, slots=True)
class Cast:
    """``CAST(operand AS to)``, or TRY_CAST with ``tries``."""

    operand: Expression
    to: TypeName
    tries: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Order:
    """One expression of an ORDER BY inside OVER."""

    expression: Expression
    descending: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Over:
    """``OVER ([PARTITION BY …] [ORDER BY …] [LIMIT DURATION(unit, n)] [WHEN condition])``."""

    partition: tuple[Expression, ...]
    order: tuple[Order, ...]
    limit: Span | None
    when: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class Call:
    """``f(…)`` or ``udf.f(…)``, perhaps with OVER: ``name`` has one part, or the prefix and one part.

    ``quantifier`` stands before the first argument, as in ``COUNT(DISTINCT x)``. A :class:`Star` may be an argument.
    A date part is an argument like another: a path of one name, or a text.
    """

    name: tuple[Name, ...]
    arguments: tuple[Expression, ...]
    quantifier: Quantifier | None
    over: Over | None
    position: Position


Expression: TypeAlias = (
    Path
    | DoubleQuoted
    | Text
    | Number
    | Null
    | Star
    | SystemTimestamp
    | SystemWindow
    | Member
    | Unary
    | Binary
    | Logical
    | IsNull
    | Like
    | In
    | Between
    | Case
    | Cast
    | Call
)


# --- Windows: items of a GROUP BY


@dataclass(frozen=True, slots=True)
class Span:
    """A unit, as written, and its amount, perhaps negative: of windows, offsets and LIMIT DURATION."""

    unit: Name
    amount: int | float
    position: Position


@dataclass(frozen=True, slots=True)
class TumblingWindow:
    """``TumblingWindow(unit, size [, offset])`` or ``(Duration(…) [, Offset(…)])``."""

    size: Span
    offset: Span | None
    position: Position


@dataclass(frozen=True, slots=True)
class HoppingWindow:
    """``HoppingWindow(unit, size, hop [, offset])`` or ``(Duration(…), Hop(…) [, Offset(…)])``."""

    size: Span
    hop: Span
    offset: Span | None
    position: Position


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """``SlidingWindow(unit, size)`` or ``(Duration(…))``."""

    size: Span
    position: Position


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """``SessionWindow(unit, timeout [, maximum])`` or ``(Timeout(…) [, MaxDuration(…)])``, then OVER (…)."""

    timeout: Span
    maximum: Span | None
    partition: tuple[Expression, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class SnapshotWindow:
    """``System.Timestamp()`` as a member of Windows(…); alone in a GROUP BY it is a :class:`SystemTimestamp`."""

    position: Position


@dataclass(frozen=True, slots=True)
class LabelledWindow:
    """A member of Windows(…): ``Window('id', window)``, or the window without a label."""

    label: str | None
    window: SingleWindow
    position: Position


@dataclass(frozen=True, slots=True)
class WindowSet:
    """``Windows(…)``, one member or more."""

    members: tuple[LabelledWindow, ...]
    position: Position


SingleWindow: TypeAlias = TumblingWindow | HoppingWindow | SlidingWindow | SessionWindow | SnapshotWindow
Window: TypeAlias = TumblingWindow | HoppingWindow | SlidingWindow | SessionWindow | WindowSet


# --- MATCH_RECOGNIZE


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A variable of a PATTERN; the dot, any row, has no name."""

    name: Name | None
    position: Position


@dataclass(frozen=True, slots=True)
class PatternSequence:
    """One pattern after another, two or more."""

    parts: tuple[Pattern, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class PatternChoice:
    """``a | b``, two options or more."""

    options: tuple[Pattern, ...]
    position: Position


RepeatQuantifier: TypeAlias = Literal["*", "+", "?"]


@dataclass(frozen=True, slots=True)
class PatternRepeat:
    """``p*``, ``p+`` or ``p?``; a count such as ``p{2,}`` is written out."""

    part: Pattern
    quantifier: RepeatQuantifier
    position: Position


Pattern: TypeAlias = PatternRow | PatternSequence | PatternChoice | PatternRepeat


@dataclass(frozen=True, slots=True)
class Measure:
    """``expression AS name`` of MEASURES."""

    expression: Expression
    name: Name
    position: Position


@dataclass(frozen=True, slots=True)
class Definition:
    """``name AS condition`` of DEFINE."""

    name: Name
    condition: Expression
    position: Position


@dataclass(frozen=True, slots=True)
class Match:
    """``MATCH_RECOGNIZE (…) AS alias``; AFTER MATCH is always SKIP TO NEXT ROW."""

    limit: Span
    partition: tuple[Expression, ...]
    measures: tuple[Measure, ...]
    pattern: Pattern
    definitions: tuple[Definition, ...]
    alias: Name | None
    position: Position


# --- Sources and queries


@dataclass(frozen=True, slots=True)
class NamedSource:
    """An input or a step by its name, with TIMESTAMP BY … [OVER …] and PARTITION BY … [INTO shards] in either order."""

    name: Name
    alias: Name | None
    timestamp: Expression | None
    over: tuple[Expression, ...]
    partition: tuple[Expression, ...]
    shards: int | None
    position: Position


@dataclass(frozen=True, slots=True)
class DerivedSource:
    """``( query ) [AS] alias``."""

    query: Query
    alias: Name | None
    position: Position


Source: TypeAlias = NamedSource | DerivedSource


JoinKind: TypeAlias = Literal["inner", "left", "cross"]


@dataclass(frozen=True, slots=True)
class Join:
    """A join of one more source; a cross join alone has no ``on``."""

    kind: JoinKind
    source: Source
    on: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class Apply:
    """``CROSS|OUTER APPLY GetArrayElements(x) AS alias``: of an array its elements, of a record its properties."""

    outer: bool
    function: Literal["elements", "properties"]
    argument: Expression
    alias: Name
    position: Position


@dataclass(frozen=True, slots=True)
class Item:
    """An expression of a SELECT list, with its alias in any of its forms; a :class:`Star` has none."""

    expression: Expression
    alias: Name | None
    position: Position


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT. ``joins`` keeps joins and applies in their order; ``group`` the items and windows of GROUP BY."""

    distinct: bool
    items: tuple[Item, ...]
    into: Name | None
    source: Source
    joins: tuple[Join | Apply, ...]
    match: Match | None
    where: Expression | None
    group: tuple[Expression | Window, ...]
    having: Expression | None
    position: Position


@dataclass(frozen=True, slots=True)
class Union:
    """Queries joined by UNION or UNION ALL, which mean the same here: two or more, from left to right."""

    queries: tuple[Query, ...]
    position: Position


Query: TypeAlias = Select | Union


# --- A file


@dataclass(frozen=True, slots=True)
class Step:
    """``name AS ( query )`` of a WITH list."""

    name: Name
    query: Query
    position: Position


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column of a CREATE TABLE."""

    name: Name
    type: TypeName
    position: Position


@dataclass(frozen=True, slots=True)
class Table:
    """``CREATE TABLE input (column type, …)``: what an input's payload holds."""

    name: Name
    columns: tuple[ColumnType, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Job:
    """A whole file: its tables, the steps of its WITH lists, and its queries, each in the order of the text."""

    tables: tuple[Table, ...]
    steps: tuple[Step, ...]
    queries: tuple[Query, ...]
