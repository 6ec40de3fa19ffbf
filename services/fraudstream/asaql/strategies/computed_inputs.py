"""The model's inputs that a query computes: whether it does, and the query of them alone, for a training."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.walks import steps_read_by
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.strategies.model_calls import model_calls
from fraudstream.asaql.strategies.pruning import part_of
from fraudstream.core.project.project import Project

# The output of the query of the inputs alone.
FEATURES_OUTPUT = "features"


def require_computed(project: Project, files: QueryProject, plan: nodes.Plan, models: frozenset[str]) -> None:
    """Raise :class:`QueryError` where the record that is given to the model lacks a column that it is to have."""
    for number, call in model_calls(plan, models):
        given = _given_step(plan, number, call)
        if given is None:
            continue
        for rule in project.computed:
            if not _may_have(plan, given, rule.name):
                raise _error(files, call, f"is given a record without {rule.name}, {_WANTED}")


def features_plan(project: Project, files: QueryProject, plan: nodes.Plan, models: frozenset[str]) -> nodes.Plan:
    """The part of a project's plan that computes what the model is given: the output :data:`FEATURES_OUTPUT`.

    Its columns are the event's id and the inputs that the query computes. Raises :class:`QueryError` where the query
    does not give one step's record to the model, in every place that calls it.
    """
    calls = list(model_calls(plan, models))
    if not calls:
        raise QueryError(f"The query does not call the model, {_WANTED}", 1, 1, str(files.query_file))
    steps = {_given_step(plan, number, call) for number, call in calls}
    given = steps.pop()
    if given is None or steps:
        raise _error(files, calls[-1][1], "is not given the record of the one step that has the model's inputs")
    names = (project.definition.event.id, *(rule.name for rule in project.computed))
    columns = tuple(nodes.ExprItem(name, nodes.Field(path=(name,), sources=(0,))) for name in names)
    source = nodes.StepSource(given, FEATURES_OUTPUT)
    step = nodes.Select(None, (1, 1), (source,), (), None, columns, False)
    whole = replace(plan, steps=(*plan.steps, step), outputs=(nodes.Output(FEATURES_OUTPUT, len(plan.steps)),))
    return part_of(whole, (FEATURES_OUTPUT,))


_WANTED = "which fraudstream.toml has among the model's inputs, and which is no field of the event"


def _error(files: QueryProject, call: nodes.UserCall, problem: str) -> QueryError:
    line, column = call.pos or (1, 1)
    advice = f"Give it a step that computes the column: udf.{call.name}(step)."
    return QueryError(f"udf.{call.name} {problem}. {advice}", line, column, str(files.query_file))


def _given_step(plan: nodes.Plan, number: int, call: nodes.UserCall) -> int | None:
    """The step whose rows are given to a call; None where that is not one step's whole row."""
    step = plan.steps[number]
    if len(call.args) != 1 or not isinstance(call.args[0], nodes.Row) or not isinstance(step, nodes.Select):
        return None
    source = step.sources[call.args[0].source]
    return source.step if isinstance(source, nodes.StepSource) else None


def _may_have(plan: nodes.Plan, number: int, name: str) -> bool:
    """Whether a step's rows may have a column of this name that is no field of the event."""
    step = plan.steps[number]
    if isinstance(step, nodes.Read):
        return False
    if isinstance(step, nodes.Union):
        return all(_may_have(plan, half, name) for half in step.steps)
    items: Collection[nodes.Item] = step.measures if isinstance(step, nodes.Match) else step.project
    return any(_gives(plan, step, item, name) for item in items)


def _gives(plan: nodes.Plan, step: nodes.Step, item: nodes.Item, name: str) -> bool:
    if isinstance(item, nodes.ExprItem):
        return item.name.casefold() == name.casefold()
    # The fields of a record, of an element or of reference data are not known before the run.
    return isinstance(item, nodes.SpreadItem) or any(
        source is None or _may_have(plan, source, name) for source in _sources_of(step, item)
    )


def _sources_of(step: nodes.Step, item: nodes.StarItem) -> Iterator[int | None]:
    """The steps whose columns a star takes over; None for a source that is no step."""
    if isinstance(step, nodes.Select | nodes.Aggregation):
        for place, source in enumerate(step.sources):
            if item.sources is None or place in item.sources:
                yield source.step if isinstance(source, nodes.StepSource | nodes.JoinSource) else None
    else:
        yield from steps_read_by(step)
