"""Walks over the expressions of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, cast

from fraudstream.asaql.plan.nodes import (
    Aggregation,
    Expr,
    JoinSource,
    Match,
    Node,
    Read,
    ReferenceSource,
    Select,
    Step,
    StepSource,
    Union,
)


def parts_of(expr: Expr) -> Iterator[Expr]:
    """The expressions directly below one."""
    for attribute in fields(expr):
        yield from _expressions(getattr(expr, attribute.name))


def _expressions(value: object) -> Iterator[Expr]:
    if isinstance(value, Expr):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _expressions(each)


def every_part(expr: Expr) -> Iterator[Expr]:
    """The expression and all below it."""
    yield expr
    for part in parts_of(expr):
        yield from every_part(part)


def rebuilt(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of the expressions directly below it changed."""
    new = {}
    for attribute in fields(expr):
        value = getattr(expr, attribute.name)
        if attribute.init and isinstance(value, Expr | tuple):
            new[attribute.name] = _changed(value, change)
    return replace(expr, **new) if new else expr


def _changed(value: Any, change: Callable[[Expr], Expr]) -> Any:
    if isinstance(value, Expr):
        return change(value)
    return tuple(_changed(each, change) for each in value) if isinstance(value, tuple) else value


def expressions_of(step: Step) -> Iterator[Expr]:
    """The expressions that a step holds, those of its sources, analytics, aggregates and windows included.

    What reference data are made of is left out: its source 0 is another one.
    """
    yield from _held(step)


def _held(value: object) -> Iterator[Expr]:
    if isinstance(value, Expr):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _held(each)
    elif isinstance(value, ReferenceSource):
        yield from _held((value.on, value.equal))
    elif isinstance(value, Node):
        for attribute in fields(cast("Any", value)):
            yield from _held(getattr(value, attribute.name))


def steps_read_by(step: Step) -> tuple[int, ...]:
    """The steps whose rows a step takes, in the order of its sources."""
    if isinstance(step, Read):
        return ()
    if isinstance(step, Union):
        return step.steps
    if isinstance(step, Match):
        return (step.step,)
    return tuple(source.step for source in step.sources if isinstance(source, StepSource | JoinSource))


def renumbered(step: Step, numbers: Mapping[int, int]) -> Step:
    """The step with new numbers for the steps that it reads, given by their old ones."""
    if isinstance(step, Union):
        return replace(step, steps=tuple(numbers[each] for each in step.steps))
    if isinstance(step, Match):
        return replace(step, step=numbers[step.step])
    if isinstance(step, Select | Aggregation):
        sources = tuple(
            replace(each, step=numbers[each.step]) if isinstance(each, StepSource | JoinSource) else each
            for each in step.sources
        )
        return replace(step, sources=sources)
    return step


def inputs_read_by(step: Step) -> tuple[str, ...]:
    """The inputs that a step reads itself: a stream, or reference data that it joins."""
    if isinstance(step, Read):
        return (step.input,)
    if isinstance(step, Select | Aggregation):
        return tuple(source.input for source in step.sources if isinstance(source, ReferenceSource))
    return ()
