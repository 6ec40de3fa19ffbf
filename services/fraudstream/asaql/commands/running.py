"""``fraudstream query run``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudstream.asaql.commands.showing import show_notes, show_printed, show_report
from fraudstream.asaql.compiling import Compiled, compiled
from fraudstream.asaql.plan.compiling import Dialect
from fraudstream.asaql.project_files.folder import QueryProject, read_project
from fraudstream.asaql.running.bindings import Binding, given_bindings, listed, parse_pairs, project_binding
from fraudstream.asaql.running.functions import require_allowed
from fraudstream.asaql.running.job import run_query
from fraudstream.asaql.running.session import query_session
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.terminal import say_json, terminal


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What ``query run`` is asked for, on files."""

    place: Path
    inputs: Sequence[str]
    references: Sequence[str]
    output_dir: Path | None
    rows: int
    as_json: bool
    dialect: Dialect
    allows_python: bool = False


def run_command(request: RunRequest) -> None:
    """Run a query and show or write what comes out. Raises :class:`FraudstreamError`."""
    began = time.monotonic()
    project = read_project(request.place)
    show_notes(project)
    streams, tables = parse_pairs(request.inputs, "--input"), parse_pairs(request.references, "--reference")
    query = compiled(project, references=[name for name in tables if name], dialect=request.dialect)
    require_allowed(query, request.allows_python)
    bindings = all_bindings(project, query, streams, tables)
    kept = None if request.output_dir is None else _folder(request.output_dir)
    console, rows = terminal(stderr=True), request.rows
    starting = query_session(
        has_scripts=bool(query.scripts), has_models=bool(query.models), allows_python=request.allows_python
    )
    with console.status("starting Spark") as line, starting as session:
        line.update("running")
        try:
            report = run_query(session, query, bindings, kept or session.new_folder("outputs"))
        finally:
            show_printed(session.scratch)
        if request.as_json:
            answer = report.to_json() | {"seconds": round(time.monotonic() - began, 3)}
            if kept is None:
                # The files go with the session.
                for output, shown in zip(report.outputs, answer["outputs"], strict=True):
                    shown["file"], shown["first_rows"] = None, output.first(rows)
            say_json(answer)
        else:
            line.stop()
            show_report(report, kept, rows)


def all_bindings(
    project: QueryProject,
    query: Compiled,
    streams: dict[str, list[str]],
    tables: dict[str, list[str]],
) -> Mapping[str, Binding]:
    """The files of each input of the query: those that are given, else the project's own.

    Raises :class:`ConfigurationError` where an input has none.
    """
    # Whoever names reference data --input means the same input.
    known = {name.casefold() for name in query.references}
    misplaced = {name: paths for name, paths in streams.items() if name.casefold() in known}
    streams = {name: paths for name, paths in streams.items() if name not in misplaced}
    bindings = given_bindings(streams, query.streams, "--input", project)
    bindings |= given_bindings({**misplaced, **tables}, query.references, "--reference", project)
    for names, option in ((query.streams, "--input"), (query.references, "--reference")):
        for name in names:
            if name in bindings:
                continue
            if (own := project_binding(name, project)) is None:
                raise ConfigurationError(
                    f"The input {name} has no records: give {option} {name}=FILE"
                    f"{_local_advice(project)}. The query reads {listed((*query.streams, *query.references))}."
                )
            bindings[name] = own
    return bindings


def _local_advice(project: QueryProject) -> str:
    return "" if project.project_file is None else ", or add a local input to the project"


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"--output-dir {folder}: the folder cannot be made ({error.strerror or error}). Name another one."
        ) from error
    return folder
