"""A project's query as a plan that can be run, and what the run needs to know of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import Dialect, compile_text
from fraudstream.asaql.plan.lint.findings import Finding
from fraudstream.asaql.plan.lint.linting import lint
from fraudstream.asaql.plan.nodes import Plan
from fraudstream.asaql.plan.split import split
from fraudstream.asaql.project_files.folder import PythonPlace, QueryProject
from fraudstream.asaql.project_files.models import REFERENCE
from fraudstream.asaql.strategies.project_query import models_of
from fraudstream.asaql.text.parser import parse
from fraudstream.core.project.json_text import read_text


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan as JSON, the names of its inputs, and how rows may be kept apart.

    ``keys``: by the name of a stream, the expressions (over its rows) that rows have in common where they meet; None if
    all rows have to be in one place. ``stateless``: each row is computed by itself. ``scripts``: the texts of the
    JavaScript functions that it calls, by ``udf`` or ``uda`` and by name. ``models``: the names behind ``udf.`` that it
    calls the champion by; ``python``: those of functions in Python, with where each is. ``folder``: the project's.
    """

    plan: dict[str, Any]
    file: str
    streams: tuple[str, ...]
    references: tuple[str, ...]
    outputs: tuple[str, ...]
    stateless: bool
    keys: Mapping[str, list[Any]] | None
    scripts: Mapping[str, Mapping[str, str]]
    models: tuple[str, ...] = ()
    python: Mapping[str, PythonPlace] = field(default_factory=dict)
    folder: Path = Path()


class UserFunction(NamedTuple):
    """A call of a project's function: ``udf`` or ``uda``, its name, and where the call stands."""

    kind: str
    name: str
    line: int
    column: int


def references_of(project: QueryProject, named: Collection[str] = ()) -> frozenset[str]:
    """The names of reference inputs: those that the project says so of, and those ``named`` on the command line."""
    described = (place.alias for place in project.inputs if place.entries.kind == REFERENCE)
    return frozenset((*described, *named))


def compiled(project: QueryProject, *, references: Collection[str] = (), dialect: Dialect = "asa") -> Compiled:
    """A project's query. ``references`` are further names of reference data.

    Raises :class:`QueryError` for what is not in the language, at its place in the query's file.
    """
    return compiled_plan(project, plan_of(project, references=references, dialect=dialect))


def compiled_plan(project: QueryProject, plan: Plan) -> Compiled:
    """A plan that was made of a project's query. Raises :class:`QueryError` for a call of a function that it lacks."""
    inputs = [(source.name, source.kind) for source in plan.inputs]
    how = split(plan)
    written = plan.to_json()
    scripts, models, python = _functions(project, written)
    return Compiled(
        plan=written,
        file=str(project.query_file),
        streams=tuple(name for name, kind in inputs if kind != REFERENCE),
        references=tuple(name for name, kind in inputs if kind == REFERENCE),
        outputs=each_once(output.name for output in plan.outputs),
        stateless=how.stateless,
        keys=None if how.keys is None else {name: [part.to_json() for part in key] for name, key in how.keys.items()},
        scripts=scripts,
        models=models,
        python=python,
        folder=project.folder,
    )


def plan_of(project: QueryProject, *, references: Collection[str] = (), dialect: Dialect = "asa") -> Plan:
    """The bound plan of a project's query; raises as :func:`compiled` does."""
    file = str(project.query_file)
    plan = compile_text(
        project.text,
        references=references_of(project, references),
        level=project.job.level,
        dialect=dialect,
        file=file,
    )
    if dialect == "fabric":
        for called in called_functions(plan.to_json()):
            raise QueryError(
                "Eventstream's SQL operator has no functions of one's own, and the query calls "
                f"{called.kind}.{called.name}. Write what it computes in the language, or compute it where the output "
                "is read.",
                called.line,
                called.column,
                file,
            )
    return plan


def findings_of(project: QueryProject, plan: Plan) -> list[Finding]:
    """What the linter says of a project's query, whose bound plan is given, in the order of its text."""
    functions = None
    if project.project_file is not None:
        functions = {
            place.name.casefold(): None if place.script is None else read_text(place.script)
            for place in project.functions
        }
    return lint(parse(project.text, str(project.query_file)), plan, float(project.job.late_seconds), functions)


def called_functions(node: Any) -> Iterator[UserFunction]:
    """The user functions that a plan's JSON calls, each as often as it is called."""
    if isinstance(node, Mapping):
        if node.get("e") == "udf" or node.get("f") == "uda":
            line, column = node.get("pos") or (1, 1)
            yield UserFunction(str(node.get("kind", "uda")), str(node["name"]), line, column)
        for part in node.values():
            yield from called_functions(part)
    elif isinstance(node, list):
        for part in node:
            yield from called_functions(part)


def _functions(
    project: QueryProject, plan: dict[str, Any]
) -> tuple[dict[str, dict[str, str]], tuple[str, ...], dict[str, PythonPlace]]:
    """What the functions that the plan calls are: scripts, models, Python. Raises :class:`QueryError` for another."""
    scripts: dict[str, dict[str, str]] = {}
    models: dict[str, None] = {}
    python: dict[str, PythonPlace] = {}
    known_models = models_of(project)
    for called in called_functions(plan):
        place = project.function(called.name)
        if place is not None and place.script is not None:
            scripts.setdefault(called.kind, {})[called.name] = read_text(place.script)
        elif called.kind == "udf" and place is not None and place.python is not None:
            python[called.name] = place.python
        elif called.kind == "udf" and called.name.casefold() in known_models:
            models[called.name] = None
        else:
            there = ", ".join(known.name for known in project.functions if known.script is not None) or "none"
            raise QueryError(
                f"{called.kind}.{called.name} has no script in the project. Its functions in JavaScript: {there}. "
                "Add one to Functions and to asaproj.json.",
                called.line,
                called.column,
                str(project.query_file),
            )
    return scripts, tuple(models), python


def each_once(names: Iterable[str]) -> tuple[str, ...]:
    """The names that differ in more than case, each as it stands first."""
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(name.casefold(), name)
    return tuple(known.values())
