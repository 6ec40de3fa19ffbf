"""A query's plan as it runs on topics: outputs computed row by row, and outputs with state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fraudstream.asaql.compiling import called_functions, plan_of
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.plan.split import split
from fraudstream.asaql.plan.walks import every_part, expressions_of
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.project_files.models import REFERENCE, JobConfig
from fraudstream.asaql.strategies.pruning import part_of
from fraudstream.core.project.json_text import read_text

_METADATA = "getmetadatapropertyvalue"


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What of a query runs on topics.

    ``each``: the outputs whose rows are computed each by itself, which wait for no watermark; ``windows``: those with
    state. Either may be missing. ``scripts``: the JavaScript functions that they call; ``answered``: the names of those
    that the caller answers, as the query spells them; ``python``: of those in Python what tells one from another.
    """

    file: str
    job: JobConfig
    whole: nodes.Plan
    each: nodes.Plan | None
    windows: nodes.Plan | None
    scripts: Mapping[str, Mapping[str, str]]
    answered: tuple[str, ...] = ()
    python: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def streams(self) -> tuple[str, ...]:
        """The inputs that are streams."""
        return tuple(source.name for source in self.whole.inputs if source.kind != REFERENCE)

    @property
    def references(self) -> tuple[str, ...]:
        """The inputs that are reference data."""
        return tuple(source.name for source in self.whole.inputs if source.kind == REFERENCE)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names after INTO, each once."""
        known: dict[str, str] = {}
        for output in self.whole.outputs:
            known.setdefault(output.name.casefold(), output.name)
        return tuple(known.values())

    @property
    def reads_metadata(self) -> bool:
        """Whether an expression asks for an event's metadata."""
        return any(
            isinstance(part, nodes.Call) and part.f == _METADATA
            for step in self.whole.steps
            for expr in expressions_of(step)
            for part in every_part(expr)
        )

    def is_timed(self, stream: str) -> bool:
        """Whether TIMESTAMP BY gives the stream's rows their times; otherwise their arrival does."""
        return any(read.timestamp is not None for read in self._reads(stream))

    def has_over(self, stream: str) -> bool:
        """Whether the stream's keys have times of their own."""
        return any(read.over for read in self._reads(stream))

    def _reads(self, stream: str) -> list[nodes.Read]:
        return [step for step in self.whole.steps if isinstance(step, nodes.Read) and step.input == stream]

    def keys(self) -> dict[str, list[Any]] | None:
        """By a stream's name the expressions that rows have in common where they meet; None: all meet in one place."""
        if self.windows is None:
            return {}
        keys = split(self.windows).keys
        return None if keys is None else {name: [part.to_json() for part in key] for name, key in keys.items()}

    def fingerprint(self, topics: Mapping[str, str]) -> str:
        """What has to stay the same while a state is in use: what the query means, and what its streams are."""
        content: dict[str, Any] = {
            "windows": None if self.windows is None else _placeless(self.windows.to_json()),
            "scripts": {kind: dict(scripts) for kind, scripts in self.scripts.items()},
            "topics": dict(topics),
            # Those that wait in the state have their times by it.
            "reads": [_placeless(step.to_json()) for step in self.whole.steps if isinstance(step, nodes.Read)],
        }
        if self.python:
            # A project may be moved to another folder.
            content["python"] = {name: dict(place) | {"file": ""} for name, place in self.python.items()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def live_plan(
    project: QueryProject,
    *,
    outputs: Collection[str] | None = None,
    references: Collection[str] = (),
    dialect: Dialect = "asa",
    answered: Collection[str] = (),
) -> LivePlan:
    """The plan of a project's query, or of some of its ``outputs`` alone, for a run on topics.

    ``references`` are further names of reference data, ``answered`` functions behind ``udf.`` that have no script and
    that the caller answers. Raises :class:`QueryError` for what is not in the language, and for a query of which no
    result could ever leave.
    """
    whole = plan_of(project, references=references, dialect=dialect)
    if outputs is not None:
        wanted = {name.casefold() for name in outputs}
        whole = part_of(whole, {output.name for output in whole.outputs if output.name.casefold() in wanted})
    stateful = {output.name.casefold() for output in split(whole).outputs if output.stateful}
    names = {output.name for output in whole.outputs}
    windows = {name for name in names if name.casefold() in stateful}
    known = {name.casefold() for name in answered}
    called = [called.name for called in called_functions(whole.to_json())]
    plan = LivePlan(
        file=str(project.query_file),
        job=project.job,
        whole=whole,
        each=part_of(whole, names - windows) if names - windows else None,
        windows=part_of(whole, windows) if windows else None,
        scripts=_scripts(project, whole, known),
        answered=tuple(dict.fromkeys(name for name in called if name.casefold() in known)),
    )
    _require_end(plan)
    return plan


def _scripts(project: QueryProject, plan: nodes.Plan, answered: Collection[str]) -> dict[str, dict[str, str]]:
    """The scripts of the functions that the plan calls. Raises :class:`QueryError` for one without a script."""
    scripts: dict[str, dict[str, str]] = {}
    for called in called_functions(plan.to_json()):
        if called.name.casefold() in answered:
            continue
        place = project.function(called.name)
        if place is None or place.script is None:
            raise QueryError(
                f"{called.kind}.{called.name} has no script in the project, and a live run has the champion and "
                "functions in JavaScript alone. Add its script to Functions and to asaproj.json.",
                called.line,
                called.column,
                str(project.query_file),
            )
        scripts.setdefault(called.kind, {})[called.name] = read_text(place.script)
    return scripts


def _require_end(plan: LivePlan) -> None:
    if plan.windows is None or plan.job.late_seconds >= 0:
        return
    for step in plan.windows.steps:
        if isinstance(step, nodes.Read) and step.over:
            line, column = step.pos
            raise QueryError(
                "With TIMESTAMP BY … OVER and no limit for late events no result can ever leave: an event of a new key "
                "may have any time. Set EventsLateArrivalMaxDelayInSeconds in JobConfig.json.",
                line,
                column,
                plan.file,
            )


def _placeless(value: Any) -> Any:
    """A plan's JSON without the places in the text."""
    if isinstance(value, Mapping):
        return {key: _placeless(part) for key, part in value.items() if key != "pos"}
    return [_placeless(part) for part in value] if isinstance(value, list) else value
