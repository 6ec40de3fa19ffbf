"""``fraudstream query run --live``."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from fraudstream.asaql.commands.showing import show_notes
from fraudstream.asaql.live.binding import LiveBinding, live_binding
from fraudstream.asaql.live.job import LiveOptions
from fraudstream.asaql.live.plans import LivePlan, live_plan
from fraudstream.asaql.live.progress import LiveProgress
from fraudstream.asaql.live.running import LiveRun, start_live
from fraudstream.asaql.live.session import live_hooks, live_session
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.project_files.folder import QueryProject, read_project
from fraudstream.asaql.running.bindings import parse_pairs
from fraudstream.asaql.strategies.project_query import models_of
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.output.terminal import say_json, styled, terminal
from fraudstream.core.output.text import printable
from fraudstream.runtime.interrupts import call_at_end

_LOOK_SECONDS = 0.3
# For so long a batch that has begun may go on after Ctrl-C; one that is cut off is repeated at the next start.
_LAST_BATCH_SECONDS = 15.0
_MOST_TOLD = 20
_LONGEST_RECORD = 200
_NO_FILE_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the options of the command say."""

    place: Path
    inputs: Sequence[str]
    outputs: Sequence[str]
    references: Sequence[str]
    starts: Literal["earliest", "latest"]
    rows: int
    as_json: bool
    dialect: Dialect


@dataclass(slots=True)
class _Shown:
    """What was shown, or is to be in the report."""

    rows: dict[str, list[Any]] = field(default_factory=dict)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    last: LiveProgress | None = None


def live_command(request: LiveRequest) -> None:
    """Run a query on topics until Ctrl-C, and show what comes out. Raises :class:`FraudstreamError`."""
    began = time.monotonic()
    project = read_project(request.place)
    show_notes(project)
    tables = parse_pairs(request.references, "--reference")
    plan = live_plan(
        project,
        references=[name for name in tables if name],
        dialect=request.dialect,
        answered=models_of(project),
    )
    binding = live_binding(project, plan, inputs=request.inputs, outputs=request.outputs, references=tables)
    settings = load_settings()
    checkpoint = checkpoint_folder(settings, project)
    is_new = not checkpoint.exists()
    console = terminal(stderr=True)
    with console.status("starting Spark") as line:
        with live_session(settings, has_scripts=bool(plan.scripts)) as session:
            stop = threading.Event()
            # Spark's context takes Ctrl-C for itself when it starts.
            call_at_end(stop.set)
            hooks = live_hooks(session, plan, project.folder)
            options = LiveOptions(starts=request.starts, shown_rows=request.rows, hooks=hooks)
            run = start_live(session.sql(), settings, plan, binding, checkpoint, options)
            _announce(plan, binding, checkpoint, request.starts if is_new else None)
            shown = _Shown()
            try:
                _watch(run, stop, shown, line, request)
            finally:
                run.stop()
        line.stop()
        if request.as_json:
            say_json(_report(binding, checkpoint, shown) | {"seconds": round(time.monotonic() - began, 3)})
        else:
            _say_end(shown, checkpoint)


def checkpoint_folder(settings: Settings, project: QueryProject) -> Path:
    """Where the query goes on: one folder for each query's file."""
    file = project.query_file.resolve()
    name = _NO_FILE_NAME.sub("_", project.name)[:60] or "query"
    return settings.data_dir.absolute() / "queries" / f"{name}-{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"


def _watch(run: LiveRun, stop: threading.Event, shown: _Shown, line: Any, request: LiveRequest) -> None:
    """Show what comes, until ``stop`` or the query's end. Raises as :meth:`LiveRun.failure` says."""
    query: Any = run.query
    until: float | None = None
    while True:
        try:
            ended = query.awaitTermination(_LOOK_SECONDS)
        except Exception as error:
            raise run.failure(error) from None
        if stop.is_set() and until is None:
            until = time.monotonic() + _LAST_BATCH_SECONDS
        is_cut_off = until is not None and time.monotonic() > until
        is_between = until is not None and not query.status["isTriggerActive"]
        shown.last = progress = run.progress()
        _show(progress, shown, request)
        line.update(_state(progress))
        if ended or is_between or is_cut_off:
            return


def _show(progress: LiveProgress, shown: _Shown, request: LiveRequest) -> None:
    out, err = terminal(), terminal(stderr=True)
    for row in progress.rows:
        rows = shown.rows.setdefault(row.output, [])
        rows.append(orjson.loads(row.text))
        if not request.as_json:
            out.print(styled((row.output, "bold"), f" {printable(row.text)}"), soft_wrap=True)
            if len(rows) == request.rows:
                err.print(f"… further rows of {row.output} are counted only: --rows shows more", soft_wrap=True)
    for dropped in progress.dropped_records:
        if len(shown.dropped) >= _MOST_TOLD:
            break
        place = f"{dropped.topic}/{dropped.partition}/{dropped.offset}"
        shown.dropped.append(
            {
                "input": dropped.input,
                "place": place,
                "error": dropped.kind,
                "message": dropped.message,
                "record": dropped.record,
            }
        )
        record = printable(dropped.record, _LONGEST_RECORD)
        err.print(
            styled((dropped.input, "bold"), f": {place} dropped ({dropped.kind}): {dropped.message} {record}"),
            soft_wrap=True,
        )


def _announce(plan: LivePlan, binding: LiveBinding, checkpoint: Path, starts: str | None) -> None:
    err = terminal(stderr=True)
    reads = ", ".join(f"{source.name} from {source.topic}" for source in binding.inputs)
    writes = ", ".join(f"{output.name} to {output.topic or 'the terminal'}" for output in binding.outputs)
    begins = f"begins at the {starts} records" if starts else "goes on where it stood (--from counts for a new one)"
    err.print(f"reads {reads}; writes {writes}", soft_wrap=True)
    err.print(f"checkpoint {checkpoint}: {begins}; Ctrl-C ends", soft_wrap=True)
    if plan.job.late_seconds < 0:
        err.print(
            "No limit for late events (EventsLateArrivalMaxDelayInSeconds): a partition without events holds results "
            "back.",
            soft_wrap=True,
        )


def _state(progress: LiveProgress) -> str:
    watermark = "" if progress.watermark is None else f"; results up to {progress.watermark:%Y-%m-%d %H:%M:%S} UTC"
    return f"{progress.records:,} records, {sum(progress.outputs.values()):,} rows{watermark}"


def _say_end(shown: _Shown, checkpoint: Path) -> None:
    err = terminal(stderr=True)
    last = shown.last
    for source in last.inputs if last is not None else ():
        dropped = sum(source.dropped.values())
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in source.dropped.items())
        told = f", {dropped:,} dropped ({kinds})" if dropped else ""
        told += f", {source.adjusted:,} with an adjusted time" if source.adjusted else ""
        err.print(styled((source.name, "bold"), f": {source.records:,} records{told}"), soft_wrap=True)
    for name, rows in last.outputs.items() if last is not None else ():
        err.print(styled((name, "bold"), f": {rows:,} rows"), soft_wrap=True)
    err.print(f"the same command goes on from {checkpoint}", soft_wrap=True)


def _report(binding: LiveBinding, checkpoint: Path, shown: _Shown) -> dict[str, Any]:
    topics = binding.topics
    counts = {} if shown.last is None else shown.last.outputs
    return {
        "inputs": [
            {
                "name": source.name,
                "topic": topics[source.name],
                "records": source.records,
                "adjusted": source.adjusted,
                "dropped": dict(source.dropped),
            }
            for source in (() if shown.last is None else shown.last.inputs)
        ],
        "outputs": [
            {
                "name": output.name,
                "topic": output.topic,
                "rows": counts.get(output.name, 0),
                "first_rows": shown.rows.get(output.name, []),
            }
            for output in binding.outputs
        ],
        "dropped_records": shown.dropped,
        "checkpoint": str(checkpoint),
    }
