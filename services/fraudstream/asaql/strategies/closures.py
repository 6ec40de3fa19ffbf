"""What an output is made of, without what does not count: positions, aliases, names of steps, and other outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.split import steps_behind

_NOWHERE = (1, 1)

Closure = tuple[nodes.Step, ...]


def closure(plan: nodes.Plan, step: int, topic_of: Callable[[str], str]) -> Closure | None:
    """The steps behind one, renumbered; two are equal if they compute the same in the same way.

    Inputs are named by their topics. None where there is more than reads of undeclared inputs, filters and projections.
    """
    behind = steps_behind(plan, step)
    places = {number: place for place, number in enumerate(behind)}
    steps: list[nodes.Step] = []
    for number in behind:
        read = plan.steps[number]
        if isinstance(read, nodes.Read) and not _is_declared(plan, read.input):
            steps.append(replace(read, name=None, pos=_NOWHERE, input=topic_of(read.input)))
        elif isinstance(read, nodes.Select) and all(isinstance(each, nodes.StepSource) for each in read.sources):
            sources = tuple(
                replace(source, step=places[source.step], name="")
                for source in read.sources
                if isinstance(source, nodes.StepSource)
            )
            steps.append(replace(read, name=None, pos=_NOWHERE, sources=sources))
        else:
            return None
    return tuple(steps)


def _is_declared(plan: nodes.Plan, name: str) -> bool:
    return any(source.name.lower() == name.lower() and source.columns for source in plan.inputs)
