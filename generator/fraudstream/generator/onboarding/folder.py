"""A project's folder, written from a plan and read back."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fraudstream.asaql.template import case_texts, project_texts
from fraudstream.core.contract.field_rules import leaves, value_at
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError, EventError
from fraudstream.core.project import definition, event_schema
from fraudstream.core.project.places import bundled_names
from fraudstream.core.project.project import Project, read_project
from fraudstream.core.project.reserved import RESERVED_FIELDS
from fraudstream.generator.files.events import Row
from fraudstream.generator.files.source import first_events
from fraudstream.generator.onboarding.definition_text import definition_text
from fraudstream.generator.onboarding.plan import Plan
from fraudstream.generator.onboarding.schema import schema_of

SAMPLE = "sample.jsonl"
_SAMPLES = 5
_READ_BACK = 500
_FINE = re.compile(r"[.,][0-9]{7}")


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written, and how many of the first rows keep the contract; ``refusal``: of the first one."""

    folder: Path
    files: tuple[str, ...]
    read_back: int
    accepted: int
    refusal: str


def require_free(folder: Path, is_forced: bool) -> None:
    """Raises :class:`ConfigurationError` where a folder cannot be made, or would be written over."""
    if folder.name in bundled_names():
        raise ConfigurationError(
            f"{folder.name} is the name of a bundled project, which FRAUDSTREAM_PROJECT would take. Choose another one."
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not is_forced:
        raise ConfigurationError(
            f"{folder} is there already. Choose another name, or give --force to write the project's files anew."
        )


def write_project(plan: Plan, folder: Path, title: str) -> Written:
    """Write the folder. Raises :class:`ConfigurationError` where it cannot be written, or the project not be run."""
    schema = schema_of(plan, title)
    texts = {
        definition.FILE_NAME: definition_text(plan, title, folder),
        event_schema.FILE_NAME: json.dumps(schema, ensure_ascii=False, indent=2) + "\n",
    }
    # In a folder beside it first: what cannot be read back is not left behind.
    with tempfile.TemporaryDirectory(prefix="fraudstream-init-") as parent:
        scratch = Path(parent) / folder.name
        _write(scratch, texts)
        project = read_project(scratch)
        rows = first_events(project, plan.sample.file, _READ_BACK)
        gate = Gate(project.rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
        judged = [(row, _refusal(gate, row)) for row in rows]
        refusals = [refusal for _, refusal in judged if refusal]
        samples = [row.value for row, _ in judged[:_SAMPLES]]
        texts |= {SAMPLE: "".join(f"{value.decode()}\n" for value in samples)}
        texts |= _query_texts(project, [row.value for row, refusal in judged if not refusal])
        _write(scratch, texts)
        _move(scratch, folder, texts)
    return Written(folder, tuple(texts), len(rows), len(rows) - len(refusals), refusals[0] if refusals else "")


def write_template(folder: Path, texts: dict[str, str]) -> Written:
    """Write a project that is not made from a file; raises as :func:`write_project` does."""
    with tempfile.TemporaryDirectory(prefix="fraudstream-init-") as parent:
        scratch = Path(parent) / folder.name
        _write(scratch, texts)
        project = read_project(scratch)
        texts |= _query_texts(project, [line.encode() for line in texts.get(SAMPLE, "").splitlines()])
        _write(scratch, texts)
        _move(scratch, folder, texts)
    return Written(folder, tuple(texts), 0, 0, "")


def _refusal(gate: Gate, row: Row) -> str:
    """Why the contract refuses a row; empty where it does not."""
    try:
        gate.read(row.value)
    except EventError as error:
        return str(error)
    return ""


def _query_texts(project: Project, accepted: Sequence[bytes]) -> dict[str, str]:
    """The files of the query, and of a case with the first events that keep the contract."""
    events = [event for _, event in zip(range(_SAMPLES), _comparable(project, accepted), strict=False)]
    return project_texts(project) | case_texts(project, events)


def _comparable(project: Project, values: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """The events whose time has no more digits than microseconds have: the query's datetimes have one more."""
    time = next(rule for rule in leaves(project.rules) if rule.name == project.definition.event.time)
    for value in values:
        event = orjson.loads(value)
        if _FINE.search(str(value_at(event, time.path))) is None:
            yield event


def _write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", errors="replace")


def _move(scratch: Path, folder: Path, texts: dict[str, str]) -> None:
    try:
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scratch / name, folder / name)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written ({error.strerror or error}). Name a folder that can."
        ) from None
