"""The bound plan as typed nodes, and its JSON, which the engine in Java reads.

A tick is 100 ns; a time is the ticks since 1970-01-01T00:00:00Z. Two expressions are equal if they compute the same
from the same row: positions do not count, nor does the case of a path.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, cast

VERSION = 1

Pos: TypeAlias = tuple[int, int]
Json: TypeAlias = Any
TypeText: TypeAlias = Literal["null", "bigint", "float", "nvarchar", "bit", "datetime", "record", "array"]

# Fields that go into the JSON only if they are set, and fields that never do.
_OPTIONAL = {"optional": True}
_HIDDEN = ("static", "folded")


class Node:
    """A part of the plan: a frozen dataclass whose fields are the keys of its JSON object."""

    __slots__ = ()
    KEY: ClassVar[str] = ""
    KIND: ClassVar[str] = ""

    def to_json(self) -> dict[str, Json]:
        """The node as the object that the engine reads; under ``KEY`` stands what kind of node it is."""
        kind = self.KIND or type(self).__name__.lower().removesuffix("source").removesuffix("item")
        result: dict[str, Json] = {self.KEY: kind} if self.KEY else {}
        for attribute in sorted(fields(cast("Any", self)), key=lambda each: each.kw_only is True):
            value = getattr(self, attribute.name)
            optional = attribute.name == "pos" or "optional" in attribute.metadata
            if attribute.name in _HIDDEN or (optional and value in (None, ())):
                continue
            result[attribute.metadata.get("key", attribute.name)] = _json(value)
        return result


def _json(value: object) -> Json:
    if isinstance(value, Node):
        return value.to_json()
    return [_json(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Node):
    """A node with its place in the text, where an error of a run is told."""

    pos: Pos | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed(Placed):
    """A node whose values have one type, or are NULL, if ``static`` is set."""

    static: TypeText | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expr(Typed):
    """What is computed from rows."""

    KEY = "e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Placed):
    """A window, a source, or an item of a SELECT."""

    KEY = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathed(Expr):
    """A node with names of fields, one below the other; ``folded`` are they in lower case, and all that compares."""

    path: tuple[str, ...] = field(compare=False)
    folded: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", tuple(part.lower() for part in self.path))


# --- Expressions


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant; a datetime's value is its ticks."""

    type: TypeText
    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Field(Pathed):
    """The field of the first of ``sources`` that has one of this name, ignoring case; below it, fields of records."""

    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row(Expr):
    """The whole row of a source as a record."""

    source: int


@dataclass(frozen=True, slots=True)
class Time(Expr):
    """The time of the row, or of one joined source's row; after a window its end."""

    source: int | None = field(default=None, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True)
class WindowRecord(Expr):
    """The record {Id} of the window that gave the row."""

    KIND = "window"


@dataclass(frozen=True, slots=True)
class Member(Pathed):
    """A field of the record that an expression gives."""

    of: Expr


@dataclass(frozen=True, slots=True)
class Slot(Expr):
    """The value of a lifted analytic function, group key or aggregate of the same step."""

    kind: Literal["analytic", "key", "aggregate"]
    index: int


@dataclass(frozen=True, slots=True)
class UserCall(Expr):
    """A function of the user's, by its name without the prefix."""

    KIND = "udf"
    kind: Literal["udf", "uda"]
    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Case(Expr):
    """The result of the first condition that is true."""

    whens: tuple[tuple[Expr, Expr], ...]
    otherwise: Expr | None = field(metadata={"key": "else"})


@dataclass(frozen=True, slots=True)
class Op(Expr):
    """Arithmetic, bits, comparisons, logic; the operators are those of the text, and `neg`, `isnull`, `isnotnull`."""

    op: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A scalar function of the language, by its lower-case name."""

    f: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """A conversion; where it fails, NULL with ``tries``, else the run ends."""

    to: TypeText
    tries: bool = field(metadata={"key": "try"})
    arg: Expr


@dataclass(frozen=True, slots=True)
class Comparison(Expr):
    """A condition about its first argument; ``negated``: with NOT."""

    negated: bool
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Like(Comparison):
    """Text against a pattern of `%`, `_`, `[set]`, `[^set]`."""

    escape: str | None


@dataclass(frozen=True, slots=True)
class In(Comparison):
    """The first argument among the others."""


@dataclass(frozen=True, slots=True)
class Between(Comparison):
    """The first argument between the other two, both included."""


@dataclass(frozen=True, slots=True)
class Order(Node):
    """One expression of an ORDER BY inside OVER."""

    by: Expr
    descending: bool


@dataclass(frozen=True, slots=True)
class Aggregate(Typed):
    """An aggregate over the rows of a group: no argument means the whole row, or, of count, every row."""

    f: str
    distinct: bool
    args: tuple[Expr, ...]
    order: tuple[Order, ...] = ()
    parameter: int | float | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Analytic(Typed):
    """A function over the rows of the first source up to the present one; ``limit`` and ``interval`` in ticks."""

    f: str
    args: tuple[Expr, ...]
    order: tuple[Order, ...] = ()
    parameter: int | float | str | None = None
    offset: int = 1
    default: Expr | None = None
    partition: tuple[Expr, ...] = ()
    limit: int | None = None
    when: Expr | None = None
    interval: int | None = None


# --- Windows: sizes and offsets in ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Part):
    """A window with its label in Windows(…), if it has one."""

    id: str | None = None


@dataclass(frozen=True, slots=True)
class Tumbling(Labelled):
    """Windows of one size, one after another."""

    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Hopping(Labelled):
    """Windows of one size, a new one at each hop."""

    size: int
    hop: int
    offset: int


@dataclass(frozen=True, slots=True)
class Sliding(Labelled):
    """The last ``size`` ticks at each moment when what they hold changes."""

    size: int


@dataclass(frozen=True, slots=True)
class Session(Labelled):
    """Rows with gaps below the timeout; one time line for each value of ``partition``."""

    timeout: int
    maximum: int | None = field(metadata={"key": "max"})
    partition: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot(Labelled):
    """The rows of one time."""


Window: TypeAlias = Tumbling | Hopping | Sliding | Session | Snapshot


# --- Sources and items of a select


@dataclass(frozen=True, slots=True)
class JoinSource(Part):
    """A join with a stream: time(source) - time(other) lies strictly between ``low`` and ``high``, in ticks."""

    join: Literal["inner", "left"]
    step: int
    name: str
    on: Expr
    other: int
    low: int
    high: int
    upper: int
    equal: tuple[tuple[Expr, Expr], ...] = field(default=(), metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True)
class StepSource(Part):
    """The rows of a step: always the first source of a select."""

    step: int
    name: str


@dataclass(frozen=True, slots=True)
class ReferenceSource(Part):
    """A join with reference data; ``equal`` are the pairs of ``on`` that may serve a look-up, left side first.

    With ``project`` the rows are made of the reference's own, its source 0, as far as ``where`` is true of them.
    """

    join: Literal["inner", "left", "cross"]
    input: str
    name: str
    on: Expr | None
    equal: tuple[tuple[Expr, Expr], ...] = ()
    where: Expr | None = field(default=None, metadata=_OPTIONAL)
    project: tuple[Item, ...] = field(default=(), metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True)
class ApplySource(Part):
    """A row for each element of an array or property of a record."""

    outer: bool
    function: Literal["elements", "properties"]
    argument: Expr
    name: str


Source: TypeAlias = StepSource | JoinSource | ReferenceSource | ApplySource


@dataclass(frozen=True, slots=True)
class StarItem(Part):
    """All columns of some sources, or of all; an APPLY gives one column, a record with its name."""

    sources: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class SpreadItem(Part):
    """The fields of a record as columns."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class ExprItem(Part):
    """A column of the result."""

    name: str
    expr: Expr


Item: TypeAlias = ExprItem | StarItem | SpreadItem


# --- Steps


@dataclass(frozen=True, slots=True)
class Named(Node):
    """A step: the name that WITH gives it, and its place in the text."""

    KEY = "op"
    name: str | None
    pos: Pos


@dataclass(frozen=True, slots=True)
class Selection(Named):
    """What all steps of a SELECT have: ``partition`` are the keys of PARTITION BY, which change no result here."""

    sources: tuple[Source, ...] = field(metadata={"key": "from"})
    analytics: tuple[Analytic, ...]
    where: Expr | None
    project: tuple[Item, ...]
    distinct: bool
    partition: tuple[Expr, ...] = field(default=(), kw_only=True, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True)
class Read(Named):
    """The rows of a stream input with their times."""

    input: str
    timestamp: Expr | None
    over: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Select(Selection):
    """Projection, filter, joins and applies."""


@dataclass(frozen=True, slots=True)
class Aggregation(Selection):
    """Groups of rows in windows; ``having`` and ``project`` see keys, aggregates, and the window's end as the time."""

    KIND = "aggregate"
    keys: tuple[Expr, ...]
    windows: tuple[Window, ...]
    aggregates: tuple[Aggregate, ...]
    having: Expr | None


@dataclass(frozen=True, slots=True)
class Union(Named):
    """All rows of several steps."""

    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match(Named):
    """Sequences of rows that a pattern takes; one row of measures for each, at the time of its last row.

    In ``definitions`` and ``measures`` the slots of kind `aggregate` are the ``variables``; source 0 is the row under
    test, or the last row of the match.
    """

    step: int
    limit: int
    partition: tuple[Expr, ...]
    pattern: Pattern
    variables: tuple[Variable, ...]
    definitions: tuple[Definition, ...]
    measures: tuple[ExprItem, ...]


@dataclass(frozen=True, slots=True)
class Variable(Placed):
    """A value of the rows that a variable of the pattern took so far: ``path`` is a field of them.

    `classifier` has neither name nor path: the names of the variables of all rows, in their order, as an array.
    """

    f: Literal["first", "last", "min", "max", "classifier"]
    name: str | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern(Node):
    """A regular expression of variables: `row` (no name: any row), `sequence`, `choice`, or `repeat` of one part."""

    kind: Literal["row", "sequence", "choice", "repeat"]
    name: str | None = field(default=None, metadata=_OPTIONAL)
    parts: tuple[Pattern, ...] = field(default=(), metadata=_OPTIONAL)
    quantifier: Literal["*", "+", "?"] | None = field(default=None, metadata=_OPTIONAL)


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """The condition under which a row may stand for a variable."""

    name: str
    condition: Expr


Step: TypeAlias = Read | Select | Aggregation | Union | Match


@dataclass(frozen=True, slots=True)
class Output(Node):
    """An output and the step that feeds it."""

    name: str
    step: int


@dataclass(frozen=True, slots=True)
class Column(Node):
    """A column whose type is declared or known."""

    name: str
    type: TypeText | None


@dataclass(frozen=True, slots=True)
class Input(Node):
    """An input with the columns of its CREATE TABLE, if it has one."""

    name: str
    kind: Literal["stream", "reference"]
    columns: tuple[Column, ...] | None


@dataclass(frozen=True, slots=True)
class Plan(Node):
    """A whole file: steps in an order in which each reads only earlier ones."""

    version: int
    level: str
    dialect: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Output, ...]
