"""``fraudstream query export``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fraudstream.asaql.commands.showing import show_notes
from fraudstream.asaql.compiling import plan_of
from fraudstream.asaql.export.job import exported
from fraudstream.asaql.project_files.folder import read_project
from fraudstream.core.output.terminal import say_json, styled, terminal, write_file


def export_command(place: Path, output_dir: Path, references: Collection[str], *, as_json: bool) -> None:
    """Write the job's files. Raises :class:`FraudstreamError`."""
    project = read_project(place)
    show_notes(project)
    job = exported(project, plan_of(project, references=references))
    written = [output_dir / name for name in job.files]
    for file, text in zip(written, job.files.values(), strict=True):
        write_file(file, text)
    if as_json:
        names = {"hubs": list(job.hubs), "endpoints": list(job.endpoints), "keys": list(job.keys)}
        say_json({"files": [str(file) for file in written], "notes": list(job.notes)} | names)
        return
    for file in written:
        terminal().print(str(file), soft_wrap=True)
    for note in job.notes:
        terminal(stderr=True).print(styled(("look at", "yellow"), f" {note}"), soft_wrap=True)
