"""What the ON of a join says: bounds of time between two streams, and pairs of expressions that must be equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.faults import refusal
from fraudstream.asaql.plan.nodes import Expr, Pos
from fraudstream.asaql.plan.units import DAY, LONGEST, TICKS, told_ticks
from fraudstream.asaql.plan.walks import every_part

_Choice: TypeAlias = Callable[[float, float], float]
_TICKS = {**TICKS, "week": 7 * DAY, "weekday": DAY, "dayofyear": DAY}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_HINT = (
    "Add DATEDIFF(unit, {other}, {name}) BETWEEN 0 AND n to its ON, with the names of the sources as arguments; if "
    "{name} is reference data, declare it as such."
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the distance time(joined) - time(other) lies, in ticks: strictly between ``low`` and ``high``.

    ``upper`` is the last distance of a match as DATEDIFF counts it: unmatched rows have it added to their time.
    """

    low: float = -math.inf
    high: float = math.inf
    upper: float = math.inf
    lower: float = -math.inf

    @property
    def is_closed(self) -> bool:
        """Whether both ends are known."""
        return self.low > -math.inf and self.high < math.inf

    def also(self, other: Bounds) -> Bounds:
        """The distances in both."""
        return self._with(other, max, min)

    def either(self, other: Bounds) -> Bounds:
        """The distances from the first to the last of both."""
        return self._with(other, min, max)

    def _with(self, other: Bounds, start: _Choice, end: _Choice) -> Bounds:
        ends = end(self.high, other.high), end(self.upper, other.upper)
        return Bounds(start(self.low, other.low), *ends, start(self.lower, other.lower))


_ANY = Bounds()


@dataclass(frozen=True, slots=True)
class JoinBounds:
    """The bounds of a join, and the earlier source that they count from."""

    other: int
    low: int
    high: int
    upper: int


def join_bounds(on: Expr, joined: int, names: tuple[str, ...], position: Pos) -> JoinBounds:
    """The narrowest bounds that ``on`` sets between the joined source and an earlier one.

    Raises :class:`~fraudstream.asaql.errors.QueryError` if there are none, or if they exceed 7 days.
    """
    candidates = [(bounds, other) for other in range(joined) if (bounds := _bounds(on, joined, other)) != _ANY]
    hint = _HINT.format(other=names[0], name=names[joined])
    if not candidates:
        raise refusal(f"The join with {names[joined]} has no bounds of time. {hint}", position)
    closed = [(bounds, other) for bounds, other in candidates if bounds.is_closed]
    if not closed:
        side = "after" if candidates[0][0].low > -math.inf else "before"
        reason = f"The join with {names[joined]} has a bound of time on one side only ({side}). {hint}"
        raise refusal(reason, position)
    bounds, other = min(closed, key=lambda each: each[0].high - each[0].low)
    farthest = max(abs(bounds.lower), abs(bounds.upper))
    if farthest > LONGEST:
        reason = f"The join with {names[joined]} reaches over {told_ticks(int(farthest))}; 7 days are the most."
        raise refusal(reason, position)
    if bounds.low >= bounds.high:
        raise refusal(f"The bounds of time of the join with {names[joined]} exclude each other.", position)
    return JoinBounds(other, int(bounds.low), int(bounds.high), int(bounds.upper))


def _bounds(condition: Expr, joined: int, other: int) -> Bounds:
    if isinstance(condition, nodes.Op) and condition.op in ("and", "or"):
        first, *rest = (_bounds(each, joined, other) for each in condition.args)
        for each in rest:
            first = first.also(each) if condition.op == "and" else first.either(each)
        return first
    if isinstance(condition, nodes.Between) and not condition.negated:
        counted, low, high = condition.args
        return _range(counted, _constant(low), _constant(high), joined, other)
    if isinstance(condition, nodes.In) and not condition.negated:
        values = [_constant(each) for each in condition.args[1:]]
        known = [value for value in values if value is not None]
        whole = len(known) == len(values)
        return _range(condition.args[0], min(known), max(known), joined, other) if whole else _ANY
    if isinstance(condition, nodes.Op) and condition.op in _FLIPPED:
        return _comparison(condition, joined, other)
    return _ANY


def _comparison(condition: nodes.Op, joined: int, other: int) -> Bounds:
    left, right = condition.args
    op, value, counted = condition.op, _constant(right), left
    if value is None:
        op, value, counted = _FLIPPED[op], _constant(left), right
    if value is None:
        return _ANY
    if op == "=":
        return _range(counted, value, value, joined, other)
    if op in (">", ">="):
        return _range(counted, math.floor(value) + 1 if op == ">" else value, math.inf, joined, other)
    return _range(counted, -math.inf, math.ceil(value) - 1 if op == "<" else value, joined, other)


def _range(counted: Expr, low: float | None, high: float | None, joined: int, other: int) -> Bounds:
    """The bounds that ``low <= counted <= high`` sets, if ``counted`` is a DATEDIFF between the two sources."""
    if low is None or high is None or not isinstance(counted, nodes.Call) or counted.f != "datediff":
        if isinstance(counted, nodes.Call) and counted.f == "abs" and high is not None:
            return _range(counted.args[0], -high, high, joined, other)
        if isinstance(counted, nodes.Op) and counted.op == "neg" and low is not None and high is not None:
            return _range(counted.args[0], -high, -low, joined, other)
        return _ANY
    part, start, end = counted.args
    sources = tuple(each.source if isinstance(each, nodes.Time) else None for each in (start, end))
    if sources == (joined, other):
        low, high = -high, -low
    elif sources != (other, joined):
        return _ANY
    ticks = _TICKS.get(str(part.value)) if isinstance(part, nodes.Const) else None
    if ticks is None:
        name = part.value if isinstance(part, nodes.Const) else "this unit"
        raise refusal(f"A join's bounds are counted in days or shorter units, not in {name}.", counted.pos)
    low, high = (
        each if math.isinf(each) else rounding(each) for each, rounding in ((low, math.ceil), (high, math.floor))
    )
    return Bounds((low - 1) * ticks, (high + 1) * ticks, high * ticks, low * ticks)


def _constant(expr: Expr) -> float | None:
    """The value of a number, or of arithmetic with numbers."""
    if isinstance(expr, nodes.Const):
        is_number = isinstance(expr.value, int | float) and not isinstance(expr.value, bool)
        return expr.value if is_number and isinstance(expr.value, int | float) else None
    if not isinstance(expr, nodes.Op) or expr.op not in ("neg", "+", "-", "*", "/"):
        return None
    values = [_constant(argument) for argument in expr.args]
    first, last = values[0], values[-1]
    if first is None or last is None:
        return None
    if expr.op == "/":
        return None if last == 0 else math.trunc(first / last)
    return {"neg": -first, "+": first + last, "-": first - last, "*": first * last}[expr.op]


# --- Equal pairs


def conjuncts(condition: Expr | None) -> Iterator[Expr]:
    """The conditions that must all be true."""
    if isinstance(condition, nodes.Op) and condition.op == "and":
        for each in condition.args:
            yield from conjuncts(each)
    elif condition is not None:
        yield condition


def equal_pairs(on: Expr | None, joined: int) -> tuple[tuple[Expr, Expr], ...]:
    """The equations of ``on`` between earlier sources, on the left, and the joined source, on the right."""
    pairs = []
    for condition in conjuncts(on):
        if not isinstance(condition, nodes.Op) or condition.op != "=":
            continue
        left, right = condition.args
        sides = (sources_of([left]), sources_of([right]))
        if sides[1] == {joined} and sides[0] and joined not in sides[0]:
            pairs.append((left, right))
        elif sides[0] == {joined} and sides[1] and joined not in sides[1]:
            pairs.append((right, left))
    return tuple(pairs)


def sources_of(expressions: Iterable[Expr]) -> set[int]:
    """The sources that expressions read; a lifted OVER function reads the first."""
    sources: set[int] = set()
    for part in (part for expression in expressions for part in every_part(expression)):
        if isinstance(part, nodes.Field):
            sources |= set(part.sources)
        elif isinstance(part, nodes.Row):
            sources.add(part.source)
        elif isinstance(part, nodes.Time):
            sources.add(part.source or 0)
        elif isinstance(part, nodes.Slot):
            sources.add(0)
    return sources
