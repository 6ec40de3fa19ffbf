"""Calls of the model in a plan, and whether each is given the event's own fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.split import split
from fraudstream.asaql.plan.walks import every_part, expressions_of


def steps_of(plan: nodes.Plan, names: Collection[str]) -> frozenset[int]:
    """The steps behind some outputs."""
    folded = {name.casefold() for name in names}
    parts = [output.steps for output in split(plan).outputs if output.name.casefold() in folded]
    return frozenset(step for steps in parts for step in steps)


def model_calls(plan: nodes.Plan, models: frozenset[str]) -> Iterator[tuple[int, nodes.UserCall]]:
    """The calls with the numbers of their steps; ``models`` are names in lower case."""
    for number, step in enumerate(plan.steps):
        for expr in expressions_of(step):
            for part in every_part(expr):
                if isinstance(part, nodes.UserCall) and part.kind == "udf" and part.name.lower() in models:
                    yield number, part


def is_given_the_events_own(
    plan: nodes.Plan, number: int, call: nodes.UserCall, inputs: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether the model would get what the event itself has as its inputs, given by name with their paths."""
    if len(call.args) != 1 or not isinstance(call.args[0], nodes.Row):
        return False
    step = plan.steps[number]
    if not isinstance(step, nodes.Select):
        return False
    source = step.sources[call.args[0].source]
    if not isinstance(source, nodes.StepSource):
        return False
    return all(_folded(_input_path(plan, source.step, name, path)) == _folded(path) for name, path in inputs.items())


def _folded(path: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if path is None else tuple(part.lower() for part in path)


def _input_path(plan: nodes.Plan, number: int, name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path in the event behind an input as the model finds it: by its name, else by its path."""
    by_name = _path_of(plan, number, name)
    # No event has a field by the path of an inner one: the job leaves it out.
    is_of_a_step = by_name is not None and by_name != (name,)
    if is_of_a_step or len(path) == 1:
        return by_name
    outer = _path_of(plan, number, path[0])
    return None if outer is None else (*outer, *path[1:])


def _path_of(plan: nodes.Plan, number: int, name: str) -> tuple[str, ...] | None:
    """The path in the event behind a column of a step; None where it is computed, or not there for certain."""
    step = plan.steps[number]
    if isinstance(step, nodes.Read):
        return (name,)
    if not isinstance(step, nodes.Select) or len(step.sources) != 1:
        return None
    source = step.sources[0]
    if not isinstance(source, nodes.StepSource):
        return None
    for item in step.project:
        if isinstance(item, nodes.ExprItem) and item.name.lower() == name.lower():
            if not isinstance(item.expr, nodes.Field):
                return None
            outer = _path_of(plan, source.step, item.expr.path[0])
            return None if outer is None else (*outer, *item.expr.path[1:])
        if isinstance(item, nodes.SpreadItem):
            return None
    has_star = any(isinstance(item, nodes.StarItem) for item in step.project)
    return _path_of(plan, source.step, name) if has_star else None
