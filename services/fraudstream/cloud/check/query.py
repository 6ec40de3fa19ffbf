"""Checks of the project's query as a Stream Analytics job, each by its file, line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fraudstream.asaql.compiling import called_functions, findings_of, plan_of
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.lint.findings import RULES
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.strategies.project_query import models_of, output_key, output_topic
from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.project.event_schema import FILE_NAME as SCHEMA_NAME

# The linter's rules about expressions that stop the job, and about functions that are not there.
_STOPS = ("QL005", "QL027")
_UNKNOWN_FUNCTION = "QL028"


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything about the query, and about the event as the query sees it."""
    yield from _names(subject.project.rules)
    query = subject.query
    try:
        plan = plan_of(query)
    except QueryError as error:
        yield Finding(rules()["SA001"], f"{error.file}:{error.line}:{error.column}", error.reason)
        return
    for found in findings_of(query, plan):
        place = f"{query.query_file}:{found.line}:{found.column}"
        is_stop, is_unknown = found.rule in _STOPS, found.rule == _UNKNOWN_FUNCTION
        rule = "SA002" if is_stop else "SA003" if is_unknown else "SA007"
        yield Finding(rules()[rule], place, f"{found.message} ({found.rule}: {RULES[found.rule].partition('.')[0]})")
    if query.project_file is None:
        # The canonical query of a project without files: there is nothing of its own to look at.
        return
    yield from _functions(query, plan)
    yield from _outputs(subject, plan)


def _names(fields: Sequence[FieldRule]) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for rule in fields:
        other = known.setdefault(rule.path[-1].casefold(), rule.name)
        if other != rule.name:
            yield Finding(rules()["SA006"], SCHEMA_NAME, f"{rule.name!r} and {other!r}")
        yield from _names(rule.fields)


def _functions(query: QueryProject, plan: nodes.Plan) -> Iterator[Finding]:
    """Calls of what Azure cannot run: a model without a file that says so, and functions in Python."""
    models = models_of(query)
    for called in sorted(set(called_functions(plan.to_json()))):
        place = query.function(called.name)
        where, name = f"{query.query_file}:{called.line}:{called.column}", f"{called.kind}.{called.name}"
        if place is None or place.script is not None:
            continue
        if place.python is not None:
            yield Finding(rules()["SA003"], where, f"{name} is written in Python, which Azure does not run")
        elif called.name.casefold() in models and not place.entries.script_type.lower().startswith("azureml"):
            shown = place.entries.script_type or "nothing"
            yield Finding(
                rules()["SA003"], where, f"{name} is the model, and {place.file.name} says ScriptType {shown}"
            )


def _outputs(subject: Subject, plan: nodes.Plan) -> Iterator[Finding]:
    query = subject.query
    described = {place.alias.casefold(): place for place in query.outputs}
    hubs = {hub["name"].casefold() for hub in subject.definitions["hubs"]}
    for output in plan.outputs:
        place = described.get(output.name.casefold())
        if place is None:
            line, column = plan.steps[output.step].pos or (1, 1)
            where = f"{query.query_file}:{line}:{column}"
            yield Finding(rules()["SA004"], where, f"no file of Outputs says where {output.name} goes")
            continue
        is_hub = place.entries.source.lower().replace(" ", "") == "eventhub"
        topic = output_topic(query, output.name)
        if is_hub and topic.casefold() not in hubs:
            yield Finding(rules()["SA004"], str(place.file), f"there is no hub {topic}")
        key, columns = output_key(query, output.name), _columns(plan, output.step)
        if key is not None and columns is not None and key.casefold() not in columns:
            yield Finding(
                rules()["SA005"], str(place.file), f"PartitionKey is {key}, and {output.name} has no such column"
            )


def _columns(plan: nodes.Plan, step: int) -> frozenset[str] | None:
    """The columns of a step in small letters; None where they are not known before it runs."""
    projected = plan.steps[step]
    if not isinstance(projected, nodes.Select | nodes.Aggregation):
        return None
    if not all(isinstance(item, nodes.ExprItem) for item in projected.project):
        return None
    return frozenset(item.name.casefold() for item in projected.project if isinstance(item, nodes.ExprItem))
