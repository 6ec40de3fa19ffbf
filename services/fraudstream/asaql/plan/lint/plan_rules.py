"""Rules that the plan decides: what names mean, which types are known, what the times are."""

from __future__ import annotations

from collections.abc import Iterator

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.binding.joins import conjuncts, sources_of
from fraudstream.asaql.plan.lint.findings import Finding
from fraudstream.asaql.plan.nodes import Expr, Pos
from fraudstream.asaql.plan.split import keeps_state, steps_behind
from fraudstream.asaql.plan.telling import Teller
from fraudstream.asaql.plan.types import COMPARISONS, type_of
from fraudstream.asaql.plan.units import TICKS, told_ticks
from fraudstream.asaql.plan.walks import every_part, expressions_of

_NUMBERS = ("bigint", "float")


def plan_findings(plan: nodes.Plan, late_seconds: float) -> Iterator[Finding]:
    """What the plan shows, for a job whose late tolerance is ``late_seconds``."""
    yield from _arrival_times(plan)
    yield from _two_times(plan)
    yield from _timelines(plan)
    yield from _undeclared(plan)
    for step in plan.steps:
        teller = Teller.of(step)
        yield from _left_join_filter(step, teller)
        if late_seconds == 0:
            yield from _long_without_tolerance(step)
        for expression in expressions_of(step):
            for part in every_part(expression):
                yield from _comparison(part, teller)
                yield from _division(part)


def _found(rule: str, position: Pos | None, message: str) -> Finding:
    line, column = position or (1, 1)
    return Finding(line, column, rule, message)


# --- Times


def _reads(plan: nodes.Plan) -> Iterator[nodes.Read]:
    yield from (step for step in plan.steps if isinstance(step, nodes.Read))


def _arrival_times(plan: nodes.Plan) -> Iterator[Finding]:
    timed: set[int] = set()
    for number, step in enumerate(plan.steps):
        if keeps_state(step) and not (isinstance(step, nodes.Select) and step.distinct and not step.analytics):
            timed |= set(steps_behind(plan, number))
    for number in sorted(timed):
        step = plan.steps[number]
        if isinstance(step, nodes.Read) and step.timestamp is None:
            message = f"{step.input} has no TIMESTAMP BY, so that windows, joins and OVER go by arrival time."
            yield _found("QL001", step.pos, message)


def _two_times(plan: nodes.Plan) -> Iterator[Finding]:
    first: dict[str, nodes.Read] = {}
    for read in _reads(plan):
        other = first.setdefault(read.input, read)
        if other.timestamp != read.timestamp:
            yield _found("QL020", read.pos, f"{read.input} has another TIMESTAMP BY here than in line {other.pos[0]}.")


def _timelines(plan: nodes.Plan) -> Iterator[Finding]:
    if not any(read.over for read in _reads(plan)):
        return
    for read in _reads(plan):
        if not read.over:
            yield _found("QL017", read.pos, f"{read.input} has no TIMESTAMP BY … OVER key, but another input has.")
    for step in plan.steps:
        if not isinstance(step, nodes.Aggregation) or not isinstance(step.sources[0], nodes.StepSource):
            continue
        source = plan.steps[step.sources[0].step]
        missing = [key for key in source.over if key not in step.keys] if isinstance(source, nodes.Read) else []
        if missing:
            keys = Teller(("",)).listed(missing)
            yield _found("QL017", step.pos, f"GROUP BY lacks {keys}, the key of TIMESTAMP BY … OVER.")


def _long_without_tolerance(step: nodes.Step) -> Iterator[Finding]:
    lengths = [
        window.size
        for window in (step.windows if isinstance(step, nodes.Aggregation) else ())
        if isinstance(window, nodes.Tumbling | nodes.Hopping | nodes.Sliding)
    ]
    lengths += [
        source.upper
        for source in (step.sources if isinstance(step, nodes.Select | nodes.Aggregation) else ())
        if isinstance(source, nodes.JoinSource)
    ]
    longest = max(lengths, default=0)
    if longest > TICKS["hour"]:
        message = f"It waits {told_ticks(longest)}, but with a late tolerance of 0 no event may be late."
        yield _found("QL013", step.pos, message)


# --- Names and joins


def _undeclared(plan: nodes.Plan) -> Iterator[Finding]:
    declared = {each.name: each.columns for each in plan.inputs if each.columns is not None}
    for step in plan.steps:
        columns: dict[int, tuple[str, tuple[nodes.Column, ...]]] = {}
        if isinstance(step, nodes.Read) and step.input in declared:
            columns[0] = (step.input, declared[step.input] or ())
        for index, source in enumerate(step.sources if isinstance(step, nodes.Select | nodes.Aggregation) else ()):
            name = _input_of(plan, source)
            if name in declared:
                columns[index] = (name, declared[name] or ())
        for part in (part for expression in expressions_of(step) for part in every_part(expression)):
            if not isinstance(part, nodes.Field) or len(part.sources) != 1 or part.sources[0] not in columns:
                continue
            name, known = columns[part.sources[0]]
            if part.folded[0] not in (column.name.lower() for column in known):
                yield _found("QL018", part.pos, f"CREATE TABLE {name} declares no column {part.path[0]}.")


def _input_of(plan: nodes.Plan, source: nodes.Source) -> str:
    """The input whose rows a source gives unchanged; empty if there is none."""
    if isinstance(source, nodes.ReferenceSource):
        return source.input
    step = plan.steps[source.step] if isinstance(source, nodes.StepSource | nodes.JoinSource) else None
    return step.input if isinstance(step, nodes.Read) else ""


def _left_join_filter(step: nodes.Step, teller: Teller) -> Iterator[Finding]:
    if not isinstance(step, nodes.Select | nodes.Aggregation):
        return
    optional = {
        index
        for index, source in enumerate(step.sources)
        if isinstance(source, nodes.JoinSource | nodes.ReferenceSource) and source.join == "left"
    }
    for condition in conjuncts(step.where):
        compares = isinstance(condition, nodes.Like | nodes.In | nodes.Between) or (
            isinstance(condition, nodes.Op) and condition.op in COMPARISONS
        )
        sources = sources_of([condition])
        if compares and not isinstance(condition, nodes.Slot) and len(sources) == 1 and sources <= optional:
            name = teller.sources[sources.pop()]
            message = f"The condition is never true where {name} has no match, so the join is like an inner one."
            yield _found("QL024", getattr(condition, "pos", None) or step.pos, message)


# --- Types


def _comparison(part: Expr, teller: Teller) -> Iterator[Finding]:
    if isinstance(part, nodes.Op) and part.op in COMPARISONS:
        left, right = part.args
        others = [right]
    elif isinstance(part, nodes.In | nodes.Between):
        left, *others = part.args
    else:
        return
    for other in others:
        kinds = (type_of(left), type_of(other))
        if "nvarchar" in kinds and any(kind in _NUMBERS for kind in kinds):
            yield _found("QL002", part.pos, f"{teller.told(part)} compares a text with a number, which is never true.")
        elif None in kinds and any(_is_number_text(each) for each in (left, other)):
            message = f"{teller.told(part)} compares with a text: where the column holds a number, it is never true."
            yield _found("QL002", part.pos, message)


def _is_number_text(expr: Expr) -> bool:
    if not isinstance(expr, nodes.Const) or not isinstance(expr.value, str):
        return False
    try:
        float(expr.value)
    except ValueError:
        return False
    return True


def _division(part: Expr) -> Iterator[Finding]:
    if isinstance(part, nodes.Op) and part.op == "/" and all(type_of(each) == "bigint" for each in part.args):
        yield _found("QL022", part.pos, "Both sides are bigint, so the fraction is cut off: CAST one of them AS float.")
