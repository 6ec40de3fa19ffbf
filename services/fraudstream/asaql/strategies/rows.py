"""What the row engine reads of a query: the plan of the outputs that are computed row by row, and what they call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fraudstream.asaql.compiling import called_functions
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.live.binding import live_reference
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.walks import every_part, expressions_of
from fraudstream.asaql.project_files.models import REFERENCE
from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.asaql.strategies.outputs import ROWS, OutputRun
from fraudstream.asaql.strategies.project_query import input_topic
from fraudstream.asaql.strategies.pruning import ModelCalls, part_of, without_overwritten
from fraudstream.asaql.strategies.python_functions import described_python, python_functions
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.project.json_text import read_text

_TICKS_PER_SECOND = 10_000_000
# What the job adds to the records of a topic; see services/jvm/fraudstream/query/job/RowText.java.
_STAMPS = {SCORED: "scored", ALERTS: "scored", REJECTED: "rejected"}
_OVERWRITTEN = {
    "scored": frozenset(("source", "scored_at")),
    "rejected": frozenset(("source", "rejected_at", "raw_base64", "raw_bytes", "raw_sha256", "key")),
    "none": frozenset[str](),
}


def rows_json(query: JobQuery) -> dict[str, Any] | None:
    """The rows' part of the job; None where no output is computed row by row.

    Raises :class:`QueryError` for a call of a function that the project does not have, :class:`ConfigurationError` for
    reference data without a file, and for a function in Python whose file cannot be read.
    """
    runs = [output for output in query.outputs if output.strategy == ROWS]
    if not runs or query.plan is None:
        return None
    plan = _plan_of(query, query.plan, runs)
    written = plan.to_json()
    python = python_functions(query, written)
    late = query.files.job.late_seconds
    return {
        "plan": written,
        "inputs": [source.name for source in plan.inputs if input_topic(query.files, source.name) == TRANSACTIONS],
        "models": sorted(query.models),
        "functions": _scripts(query, written, python),
        "python": described_python(query, python),
        "targets": [
            {"output": output.name, "topic": output.topic, "stamp": _stamp(output), "key": output.key}
            for output in runs
        ],
        "references": [
            live_reference(query.files, source.name).described() for source in plan.inputs if source.kind == REFERENCE
        ],
        "reads_metadata": any(_reads_metadata(step) for step in plan.steps),
        "late_ticks": late * _TICKS_PER_SECOND if late >= 0 else -1,
        "drops_late": query.files.job.disorder_policy == "Drop",
    }


def _stamp(output: OutputRun) -> str:
    return _STAMPS.get(output.topic, "none")


def _plan_of(query: JobQuery, plan: nodes.Plan, runs: list[OutputRun]) -> nodes.Plan:
    by_name = {output.name.casefold(): output for output in runs}
    names = {output.name for output in plan.outputs if output.name.casefold() in by_name}
    inputs = query.project.definition.model.inputs
    read = frozenset(name.lower() for whole in inputs for name in (whole, whole.partition(".")[0]))
    return without_overwritten(
        part_of(plan, names),
        {name: _OVERWRITTEN[_stamp(by_name[name.casefold()])] for name in names},
        ModelCalls(query.models, read),
    )


def _scripts(query: JobQuery, plan: Mapping[str, Any], python: Collection[str]) -> dict[str, dict[str, str]]:
    scripts: dict[str, dict[str, str]] = {}
    for called in called_functions(plan):
        if called.kind == "udf" and (called.name.lower() in query.models or called.name in python):
            continue
        place = query.files.function(called.name)
        if place is None or place.script is None:
            raise QueryError(
                f"{called.kind}.{called.name} is no function of the project. Add a script in JavaScript to Functions "
                "and to asaproj.json.",
                called.line,
                called.column,
                str(query.files.query_file),
            )
        scripts.setdefault(called.kind, {})[called.name] = read_text(place.script)
    return scripts


def _reads_metadata(step: nodes.Step) -> bool:
    parts = (part for expr in expressions_of(step) for part in every_part(expr))
    return any(isinstance(part, nodes.Call) and part.f == "getmetadatapropertyvalue" for part in parts)
