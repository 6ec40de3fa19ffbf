"""What a live query's names stand for: topics, and files of reference data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudstream.asaql.live.plans import LivePlan
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.asaql.running.bindings import CSV, JSON, PARQUET, bound, found, listed
from fraudstream.asaql.strategies.project_query import input_topic, output_key, output_topic
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.outputs import service_entries

# An output of this topic is shown, whatever the project's files say.
SHOWN = "-"
_DATE_FORMAT, _TIME_FORMAT = "yyyy/MM/dd", "HH"
_PATTERNS = ("{date}", "{time}")


@dataclass(frozen=True, slots=True)
class LiveInput:
    """A stream and its topic; ``delimiter`` None: the one that a message's first row shows."""

    name: str
    topic: str
    format: str = JSON
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class LiveOutput:
    """An output: its topic, None where its rows are shown, and the column that is its records' key."""

    name: str
    topic: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class LiveReference:
    """Reference data: files, or a path with ``{date}`` and ``{time}``, in UTC."""

    name: str
    path: str
    format: str = JSON
    delimiter: str | None = None
    date_format: str = _DATE_FORMAT
    time_format: str = _TIME_FORMAT
    files: tuple[Path, ...] = ()

    def described(self) -> dict[str, Any]:
        """The same as ``Snapshots.java`` reads it."""
        return {
            "name": self.name,
            "path": str(Path(self.path).absolute()),
            "files": [str(file.absolute()) for file in self.files] or None,
            "format": self.format,
            "delimiter": self.delimiter,
            "date_format": self.date_format,
            "time_format": self.time_format,
        }


@dataclass(frozen=True, slots=True)
class LiveBinding:
    """All that a live query reads and writes."""

    inputs: Sequence[LiveInput]
    outputs: Sequence[LiveOutput]
    references: Sequence[LiveReference] = ()

    @property
    def topics(self) -> dict[str, str]:
        """The topic of each input, by its name."""
        return {source.name: source.topic for source in self.inputs}


def live_binding(
    project: QueryProject,
    plan: LivePlan,
    *,
    inputs: Iterable[str] = (),
    outputs: Iterable[str] = (),
    references: Mapping[str, Sequence[str]] | None = None,
) -> LiveBinding:
    """The binding by the project's files, and by ``NAME=TOPIC`` of the options before them.

    An input without either is the topic of its name; an output without either is shown. Raises
    :class:`ConfigurationError` for a name that the query does not have, and for reference data without a file.
    """
    given = _given(inputs, plan.streams, "--input")
    targets = _given(outputs, plan.outputs, "--output")
    return LiveBinding(
        [_input(project, name, given.get(name)) for name in plan.streams],
        [_output(project, name, targets.get(name)) for name in plan.outputs],
        [_reference(project, name, references or {}, plan) for name in plan.references],
    )


def _given(texts: Iterable[str], names: Sequence[str], option: str) -> dict[str, str]:
    known = {name.casefold(): name for name in names}
    given: dict[str, str] = {}
    for text in texts:
        written, sign, topic = text.partition("=")
        if not sign and len(names) == 1:
            written, topic = names[0], text
        if not topic:
            raise ConfigurationError(f"{option} {text!r}: NAME=TOPIC is wanted, such as {option} {names[0]}=my-topic.")
        if (name := known.get(written.strip().casefold())) is None:
            raise ConfigurationError(f"{option} {text}: the query has no {written}; it has {listed(names)}.")
        given[name] = topic.strip()
    return given


def _input(project: QueryProject, name: str, topic: str | None) -> LiveInput:
    place = project.live_input(name)
    entries = place.entries if place is not None else InputFile()
    if entries.format not in ("", JSON, CSV):
        raise ConfigurationError(
            f"The input {name} has the format {entries.format}, which is not read from topics here. Send its events as "
            "JSON."
        )
    delimiter = entries.delimiter if entries.format == CSV else ""
    return LiveInput(name, topic or input_topic(project, name), entries.format or JSON, delimiter or None)


def _output(project: QueryProject, name: str, topic: str | None) -> LiveOutput:
    key = output_key(project, name)
    if topic is not None:
        return LiveOutput(name, None if topic == SHOWN else topic, key)
    described = any(
        place.alias.casefold() == name.casefold() and _has_hub(place.entries.further) for place in project.outputs
    )
    return LiveOutput(name, output_topic(project, name) if described else None, key)


def _has_hub(entries: Mapping[str, Any]) -> bool:
    return any("eventhub" in name.casefold() for name in entries)


def _reference(project: QueryProject, name: str, given: Mapping[str, Sequence[str]], plan: LivePlan) -> LiveReference:
    folded = {written.casefold(): paths for written, paths in given.items()}
    paths = folded.get(name.casefold()) or (folded.get("") if len(plan.references) == 1 else None)
    return live_reference(project, name, paths[0] if paths else None)


def live_reference(project: QueryProject, name: str, given: str | None = None) -> LiveReference:
    """The reference data of a name: at a path that an option gives, else in the project's local input.

    Raises :class:`ConfigurationError` where there is no file, or one that is not read on topics.
    """
    place = project.local_input(name)
    entries = place.entries if place is not None else InputFile()
    if given is None and (place is None or place.records is None):
        raise ConfigurationError(
            f"{project.query_file}: the reference data {name} have no local file. Add a local input for them with a "
            f"file of JSON or CSV, as Inputs/Local_NAME.json; a live run also takes --reference {name}=FILE."
        )
    path, what = (given, "--reference ") if given is not None else (str(place and place.records), "the reference data ")
    dates = _dates(project, name)
    if any(pattern in path for pattern in _PATTERNS):
        format = entries.format or (CSV if path.lower().endswith(".csv") else JSON)
        return LiveReference(name, path, format, entries.delimiter or None, *dates)
    files = tuple(found(path, f"{what}{name}"))
    known = bound(name, files, entries)
    if known.format == PARQUET:
        raise ConfigurationError(f"{path}: reference data of a live run are JSON or CSV, and this is Parquet.")
    return LiveReference(name, path, known.format, known.delimiter, *dates, files)


def _dates(project: QueryProject, name: str) -> tuple[str, str]:
    """The date's and the time's format, as the project's file of the live input has them."""
    place = project.live_input(name)
    entries = service_entries(place.entries.further) if place is not None else {}
    known = {key: value for key, value in entries.items() if isinstance(value, str) and value}
    return known.get("dateformat", _DATE_FORMAT), known.get("timeformat", _TIME_FORMAT)
