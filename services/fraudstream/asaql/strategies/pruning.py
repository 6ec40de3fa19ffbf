"""The part of a plan that some outputs need, without the columns that the job writes itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.split import steps_behind
from fraudstream.asaql.plan.walks import every_part, expressions_of, inputs_read_by, parts_of, renumbered, steps_read_by


def part_of(plan: nodes.Plan, outputs: Collection[str]) -> nodes.Plan:
    """The plan with these outputs alone (by their names in the plan) and the steps and inputs that they need."""
    kept = [output for output in plan.outputs if output.name in outputs]
    needed = sorted({step for output in kept for step in steps_behind(plan, output.step)})
    places = {number: place for place, number in enumerate(needed)}
    steps = tuple(renumbered(plan.steps[number], places) for number in needed)
    read = {name.lower() for step in steps for name in inputs_read_by(step)}
    return replace(
        plan,
        inputs=tuple(source for source in plan.inputs if source.name.lower() in read),
        steps=steps,
        outputs=tuple(replace(output, step=places[output.step]) for output in kept),
    )


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """The functions that are the model, by their names in lower case, and what they read of a record."""

    names: frozenset[str]
    inputs: frozenset[str]


def without_overwritten(plan: nodes.Plan, overwritten: Mapping[str, Collection[str]], models: ModelCalls) -> nodes.Plan:
    """The plan without calls of users' functions whose results the job overwrites.

    ``overwritten``: by an output's name, its columns that the job writes itself, in lower case. Left out are only
    columns that nothing reads, and which are such a call or a plain field.
    """
    steps = list(plan.steps)
    wanted = _wanted_by_outputs(plan, overwritten)
    for number in reversed(range(len(steps))):
        step, own = steps[number], wanted.get(number, _NOTHING)
        if isinstance(step, nodes.Select) and not step.distinct:
            steps[number] = step = _without_calls(step, own)
        for other, names in _read_columns(step, own, models):
            wanted[other] = wanted.get(other, _NOTHING).joined(names)
    return replace(plan, steps=tuple(steps))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Some columns by their names in lower case, or all ``but`` these."""

    names: frozenset[str] = frozenset()
    but: frozenset[str] | None = None

    def joined(self, other: _Columns) -> _Columns:
        if self.but is None and other.but is None:
            return _Columns(self.names | other.names)
        if self.but is not None and other.but is not None:
            return _Columns(but=self.but & other.but)
        some, most = (self, other) if self.but is None else (other, self)
        return _Columns(but=(most.but or frozenset()) - some.names)

    def has(self, name: str) -> bool:
        return name.lower() in self.names if self.but is None else name.lower() not in self.but


_NOTHING = _Columns()
_ALL = _Columns(but=frozenset())


def _wanted_by_outputs(plan: nodes.Plan, overwritten: Mapping[str, Collection[str]]) -> dict[int, _Columns]:
    wanted: dict[int, _Columns] = {}
    for output in plan.outputs:
        columns = _Columns(but=frozenset(overwritten.get(output.name, ())))
        wanted[output.step] = wanted.get(output.step, _NOTHING).joined(columns)
    return wanted


def _without_calls(step: nodes.Select, wanted: _Columns) -> nodes.Select:
    project = tuple(
        item
        for item in step.project
        if not isinstance(item, nodes.ExprItem) or wanted.has(item.name) or not _is_left_out(item.expr)
    )
    return replace(step, project=project) if project else step


def _is_left_out(expr: nodes.Expr) -> bool:
    return isinstance(expr, nodes.Field) or any(isinstance(part, nodes.UserCall) for part in every_part(expr))


def _read_columns(step: nodes.Step, wanted: _Columns, models: ModelCalls) -> Iterator[tuple[int, _Columns]]:
    """The columns of other steps that a step reads, if these of its own are wanted."""
    if isinstance(step, nodes.Read):
        return
    if not isinstance(step, nodes.Select):
        yield from ((other, _ALL) for other in steps_read_by(step))
        return
    for place, source in enumerate(step.sources):
        if isinstance(source, nodes.StepSource | nodes.JoinSource):
            yield source.step, _columns_read(step, place, wanted, models)


def _columns_read(step: nodes.Select, place: int, wanted: _Columns, models: ModelCalls) -> _Columns:
    columns = _NOTHING
    for item in step.project:
        if isinstance(item, nodes.StarItem) and (item.sources is None or place in item.sources):
            columns = columns.joined(wanted)
    for expr in expressions_of(step):
        for part in _reads(expr, models):
            if isinstance(part, nodes.Row) and part.source == place:
                return _ALL
            if isinstance(part, nodes.Field) and place in part.sources:
                columns = columns.joined(_Columns(frozenset((part.folded[0],))))
    return columns


def _reads(expr: nodes.Expr, models: ModelCalls) -> Iterator[nodes.Expr]:
    """The fields and rows that an expression reads; of a row that is given to the model, the model's inputs."""
    is_model = isinstance(expr, nodes.UserCall) and expr.kind == "udf" and expr.name.lower() in models.names
    for part in parts_of(expr):
        if is_model and isinstance(part, nodes.Row):
            yield from (nodes.Field((part.source,), path=(name,)) for name in sorted(models.inputs))
        else:
            yield from _reads(part, models)
    if isinstance(expr, nodes.Row | nodes.Field):
        yield expr
