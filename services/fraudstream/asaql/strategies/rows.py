"""What the row engine reads of a query: the plan of the outputs that are computed row by row, and what they call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fraudstream.asaql.compiling import called_functions
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.asaql.plan.walks import every_part, expressions_of
from fraudstream.asaql.project_files.models import REFERENCE
from fraudstream.asaql.running.bindings import PARQUET, project_binding
from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.asaql.strategies.outputs import ROWS, OutputRun
from fraudstream.asaql.strategies.project_query import input_topic
from fraudstream.asaql.strategies.pruning import ModelCalls, part_of, without_overwritten
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.json_text import read_bytes, read_text

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

    Raises :class:`QueryError` for a call of a function without a script, :class:`ConfigurationError` for reference data
    without a file.
    """
    runs = [output for output in query.outputs if output.strategy == ROWS]
    if not runs or query.plan is None:
        return None
    plan = _plan_of(query, query.plan, runs)
    late = query.files.job.late_seconds
    return {
        "plan": plan.to_json(),
        "inputs": [source.name for source in plan.inputs if input_topic(query.files, source.name) == TRANSACTIONS],
        "models": sorted(query.models),
        "functions": _scripts(query, plan.to_json()),
        "targets": [
            {"output": output.name, "topic": output.topic, "stamp": _stamp(output), "key": output.key}
            for output in runs
        ],
        "references": [_reference(query, source.name) for source in plan.inputs if source.kind == REFERENCE],
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


def _scripts(query: JobQuery, plan: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    scripts: dict[str, dict[str, str]] = {}
    for called in called_functions(plan):
        if called.kind == "udf" and called.name.lower() in query.models:
            continue
        place = query.files.function(called.name)
        if place is None or place.script is None:
            known = place is not None and place.python is not None
            reason = "is in Python, which this job does not run" if known else "is no function of the project"
            raise QueryError(
                f"{called.kind}.{called.name} {reason}. Add a script in JavaScript to Functions and to asaproj.json.",
                called.line,
                called.column,
                str(query.files.query_file),
            )
        scripts.setdefault(called.kind, {})[called.name] = read_text(place.script)
    return scripts


def _reference(query: JobQuery, name: str) -> dict[str, Any]:
    """The files of reference data, and a digest of them: others make another file of the job."""
    binding = project_binding(name, query.files)
    if binding is None or binding.format == PARQUET:
        there = "no local file" if binding is None else "a Parquet file"
        raise ConfigurationError(
            f"{query.files.query_file}: the reference data {name} have {there}. Add a local input for them with a file "
            "of JSON or CSV, as Inputs/Local_NAME.json."
        )
    digest = hashlib.sha256()
    for file in binding.files:
        digest.update(read_bytes(file))
    return {
        "name": name,
        "format": binding.format,
        "delimiter": binding.delimiter,
        "files": [str(file.absolute()) for file in binding.files],
        "digest": digest.hexdigest(),
    }


def _reads_metadata(step: nodes.Step) -> bool:
    parts = (part for expr in expressions_of(step) for part in every_part(expr))
    return any(isinstance(part, nodes.Call) and part.f == "getmetadatapropertyvalue" for part in parts)
