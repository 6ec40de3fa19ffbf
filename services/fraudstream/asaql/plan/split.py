"""The split of a plan: which steps keep state, and the key by which all of them can be run in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.nodes import Expr
from fraudstream.asaql.plan.walks import every_part, inputs_read_by, rebuilt, steps_read_by

# A part of a key: for each stream input an expression over its row as source 0.
_Component: TypeAlias = dict[str, Expr]

# Functions that take any value, so that the key of a row can always be computed.
_SAFE_CALLS = ("coalesce", "concat")


@dataclass(frozen=True, slots=True)
class OutputSplit:
    """What an output is made of: the inputs, and the steps, of which some keep state."""

    name: str
    streams: tuple[str, ...]
    references: tuple[str, ...]
    steps: tuple[int, ...]
    stateful: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """How a plan can be run in parallel.

    ``keys`` gives for each stream input expressions over its row as source 0, in one order for all inputs: rows of one
    key must meet. An input that only stateless steps read has none: its rows may be anywhere. None: the stateful
    steps have no key in common, and all rows must meet in one place.
    """

    stateful: tuple[int, ...]
    keys: dict[str, tuple[Expr, ...]] | None
    outputs: tuple[OutputSplit, ...]

    @property
    def stateless(self) -> bool:
        """Whether each row is computed by itself."""
        return not self.stateful


def split(plan: nodes.Plan) -> Split:
    """The split of a plan."""
    stateful = tuple(number for number, step in enumerate(plan.steps) if keeps_state(step))
    outputs = tuple(_output(plan, output) for output in plan.outputs)
    streams = {step.input for step in plan.steps if isinstance(step, nodes.Read)}
    shared_keys = _common_keys(plan, stateful)
    keys = None if shared_keys is None else {name: tuple(shared_keys.get(name, ())) for name in sorted(streams)}
    return Split(stateful, keys, outputs)


def keeps_state(step: nodes.Step) -> bool:
    """Whether a row of the step's result depends on other rows of a stream."""
    if isinstance(step, nodes.Aggregation | nodes.Match):
        return True
    if not isinstance(step, nodes.Select):
        return False
    return step.distinct or bool(step.analytics) or any(isinstance(each, nodes.JoinSource) for each in step.sources)


def steps_behind(plan: nodes.Plan, last: int) -> tuple[int, ...]:
    """A step and all that its rows come from, in the plan's order."""
    needed: set[int] = set()
    waiting = [last]
    while waiting:
        step = waiting.pop()
        if step not in needed:
            needed.add(step)
            waiting += steps_read_by(plan.steps[step])
    return tuple(sorted(needed))


def _output(plan: nodes.Plan, output: nodes.Output) -> OutputSplit:
    steps = steps_behind(plan, output.step)
    streams = _streams_behind(plan, output.step)
    read = {name for each in steps for name in inputs_read_by(plan.steps[each])}
    stateful = tuple(each for each in steps if keeps_state(plan.steps[each]))
    return OutputSplit(output.name, tuple(sorted(streams)), tuple(sorted(read - streams)), steps, stateful)


# --- Keys


def _common_keys(plan: nodes.Plan, stateful: tuple[int, ...]) -> Mapping[str, list[Expr]] | None:
    """For each input the parts of the key that all stateful steps share; None if they share nothing."""
    if not stateful:
        return {}
    candidates = [list(_components(plan, number)) for number in stateful]
    components = [merged for first in candidates[0] if (merged := _extended(first, candidates[1:])) is not None]
    wanted = set().union(*(_streams_behind(plan, number) for number in stateful))
    whole = [component for component in components if set(component) == wanted]
    return {name: [component[name] for component in whole] for name in wanted} if whole else None


def _extended(component: _Component, others: list[list[_Component]]) -> _Component | None:
    """The part of a key, with the inputs of the other steps added; None if one of them cannot have it."""
    if not others:
        return component
    for candidate in others[0]:
        if all(component.get(name, expr) == expr for name, expr in candidate.items()):
            merged = _extended({**component, **candidate}, others[1:])
            if merged is not None:
                return merged
    return None


def _streams_behind(plan: nodes.Plan, number: int) -> set[str]:
    steps = (plan.steps[each] for each in steps_behind(plan, number))
    return {step.input for step in steps if isinstance(step, nodes.Read)}


def _components(plan: nodes.Plan, number: int) -> Iterator[_Component]:
    """What a step's state may be split by, each part as far as it can be traced to all inputs behind the step."""
    step = plan.steps[number]
    wanted = _streams_behind(plan, number)
    for exprs in _step_keys(step):
        component: _Component = {}
        for expr in exprs:
            traced = _traced(plan, number, expr)
            component = _merged(component, traced) if traced is not None else {}
            if not component:
                break
        if set(component) == wanted:
            yield component


def _merged(first: _Component, second: _Component) -> _Component:
    """Both parts together; empty if they give one input different expressions."""
    agree = all(first.get(name, expr) == expr for name, expr in second.items())
    return {**first, **second} if agree else {}


def _step_keys(step: nodes.Step) -> list[tuple[Expr, ...]]:
    """The parts of a key of a step: each is one expression, or the sides of equations of its joins."""
    if isinstance(step, nodes.Match):
        return [(each,) for each in step.partition]
    if isinstance(step, nodes.Read | nodes.Union) or step.distinct:
        return []
    choices: list[tuple[Expr, ...]] = [analytic.partition for analytic in step.analytics]
    if isinstance(step, nodes.Aggregation):
        # One time line of sessions serves all keys, unless the window has keys of its own.
        choices += [window.partition if isinstance(window, nodes.Session) else step.keys for window in step.windows]
    joins = [source for source in step.sources if isinstance(source, nodes.JoinSource)]
    if not joins:
        first, *others = choices
        return [(key,) for key in first if all(key in other for other in others)]
    shared = _joined_keys(joins)
    return [keys for keys in shared if all(any(key in choice for key in keys) for choice in choices)]


def _joined_keys(joins: list[nodes.JoinSource]) -> list[tuple[Expr, ...]]:
    """The equations that tie all joined streams: ``a.k = b.k AND b.k = c.k`` gives (a.k, b.k, c.k)."""
    equations = []
    for left, right in joins[0].equal:
        keys = [left, right]
        for join in joins[1:]:
            keys += [other for tied, other in join.equal if tied in keys][:1]
        if len(keys) == len(joins) + 1:
            equations.append(tuple(keys))
    return equations


# --- Tracing an expression over a step's sources back to the inputs


def _traced(plan: nodes.Plan, number: int, expr: Expr) -> _Component | None:
    """For each input that an expression over a step's sources comes from, the expression over the input's row."""
    step = plan.steps[number]
    fields = [part for part in every_part(expr) if isinstance(part, nodes.Field)]
    sources = {source for each in fields for source in each.sources}
    if len(sources) != 1 or not all(_is_safe(part) for part in every_part(expr)):
        return None
    if isinstance(step, nodes.Match):
        return _traced_row(plan, step.step, expr)
    if isinstance(step, nodes.Read | nodes.Union):
        return None
    source = step.sources[sources.pop()]
    return _traced_row(plan, source.step, expr) if isinstance(source, nodes.StepSource | nodes.JoinSource) else None


def _is_safe(part: Expr) -> bool:
    """Whether a part of a key cannot fail on any row, and is the same for equal rows."""
    if isinstance(part, nodes.Cast):
        return part.tries
    if isinstance(part, nodes.Call):
        return part.f in _SAFE_CALLS
    return isinstance(part, nodes.Field | nodes.Const | nodes.Member)


def _traced_row(plan: nodes.Plan, number: int, expr: Expr) -> _Component | None:
    """The expression over the rows that a step gives, traced on to the inputs."""
    step = plan.steps[number]
    if isinstance(step, nodes.Read):
        return {step.input: _over_first(expr)}
    if isinstance(step, nodes.Union):
        component: _Component = {}
        for half in step.steps:
            traced = _traced_row(plan, half, expr)
            component = _merged(component, traced) if traced is not None else {}
            if not component:
                return None
        return component
    if isinstance(step, nodes.Match):
        return None
    replaced = _with_columns_replaced(step, expr)
    return None if replaced is None else _traced(plan, number, replaced)


def _over_first(expr: Expr) -> Expr:
    """The expression with its fields taken from source 0."""
    if isinstance(expr, nodes.Field):
        return nodes.Field((0,), path=expr.path, pos=expr.pos)
    return rebuilt(expr, _over_first)


def _with_columns_replaced(step: nodes.Select | nodes.Aggregation, expr: Expr) -> Expr | None:
    """The expression with the step's columns replaced by what they are computed from; None if one is not known."""
    if not isinstance(expr, nodes.Field):
        missing = False

        def change(part: Expr) -> Expr:
            nonlocal missing
            replaced = _with_columns_replaced(step, part)
            missing = missing or replaced is None
            return part if replaced is None else replaced

        changed = rebuilt(expr, change)
        return None if missing else changed
    column = _column(step, expr.path[0])
    if isinstance(column, nodes.Slot):
        if not isinstance(step, nodes.Aggregation) or column.kind != "key":
            return None
        column = step.keys[column.index]
    if column is None or len(expr.path) == 1:
        return column
    if isinstance(column, nodes.Field):
        return nodes.Field(column.sources, path=(*column.path, *expr.path[1:]), pos=expr.pos)
    return nodes.Member(column, path=expr.path[1:], pos=expr.pos)


def _column(step: nodes.Select | nodes.Aggregation, name: str) -> Expr | None:
    """What a step computes a column from: by an item of its own, else by a star over one source."""
    folded = name.lower()
    for item in step.project:
        if isinstance(item, nodes.ExprItem) and item.name.lower() == folded:
            return item.expr
        if not isinstance(item, nodes.ExprItem):
            break
    if any(isinstance(item, nodes.SpreadItem) for item in step.project):
        return None
    named = [item for item in step.project if isinstance(item, nodes.ExprItem) and item.name.lower() == folded]
    stars = [item for item in step.project if isinstance(item, nodes.StarItem)]
    if named or len(stars) != 1:
        return None
    sources = stars[0].sources if stars[0].sources is not None else tuple(range(len(step.sources)))
    streams = [each for each in sources if isinstance(step.sources[each], nodes.StepSource | nodes.JoinSource)]
    # Of several sources the first that has the column wins; only the first source's own columns are certain.
    return nodes.Field((streams[0],), path=(name,)) if streams == [0] else None
