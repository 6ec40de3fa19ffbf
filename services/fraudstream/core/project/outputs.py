"""The topics that a project's query writes to, as the files of its outputs name them.

``stream-analytics/Outputs/NAME.json`` is Microsoft's: an output's name, its service, and that service's properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.json_text import read_json

QUERY_FOLDER = "stream-analytics"
PROJECT_FILE = "asaproj.json"
# What the project's file stands for where it names no other.
QUERY = "fraud.asaql"
# Event Hubs' names: letters, digits, points, hyphens and underscores, the first and the last one a letter or digit
# (event-hubs-quotas: at most 256 characters; Kafka takes 249 of its topics').
_TOPIC = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,247}[A-Za-z0-9])?")


def has_own_query(folder: Path) -> bool:
    """Whether a project has a query of its own; otherwise its job is the canonical one."""
    return any((folder / QUERY_FOLDER / name).is_file() for name in (PROJECT_FILE, QUERY))


def output_topics(folder: Path) -> tuple[str, ...]:
    """The topics of a project's outputs, each once, in the order of its files; none without such files.

    An output's topic is its event hub, or has the output's name where it has none. Raises
    :class:`ConfigurationError` for a file that cannot be read, and for a name that Event Hubs or Kafka does not take.
    """
    topics: dict[str, tuple[str, Path]] = {}
    for file in _files(folder / QUERY_FOLDER):
        entries = _entries(file)
        topic = topic_of(entries, str(entries.get("outputalias") or entries.get("name") or file.stem).strip())
        if _TOPIC.fullmatch(topic) is None:
            raise ConfigurationError(
                f"{file}: the output goes to {topic!r}, which no event hub is called. A name has letters, digits, "
                "points, hyphens and underscores, at most 249, and begins and ends with a letter or digit."
            )
        known, other = topics.setdefault(topic.casefold(), (topic, file))
        if known != topic:
            raise ConfigurationError(
                f"{file}: the output goes to {topic}, and {other} to {known}. Event Hubs does not tell them apart: "
                "write both in the same case, or rename one."
            )
    return tuple(topic for topic, _ in topics.values())


def _files(folder: Path) -> Iterator[Path]:
    """The files of outputs: those that `asaproj.json` lists, else all of the folder."""
    project = folder / PROJECT_FILE
    listed = _entries(project).get("configurations") if project.is_file() else None
    if not listed:
        yield from sorted((folder / "Outputs").glob("*.json"))
        return
    for part in listed if isinstance(listed, list) else ():
        entries = _folded(part) if isinstance(part, Mapping) else {}
        if str(entries.get("subtype", "")).lower() == "output":
            file = folder / PurePosixPath(str(entries.get("filepath", "")).strip().replace("\\", "/"))
            if file.is_file():
                yield file


def _entries(file: Path) -> dict[str, Any]:
    """The object that a file holds, its keys folded: Microsoft's tools find them in any case."""
    content = read_json(file)
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: a JSON object is wanted.")
    return _folded(content)


def service_entries(entries: Mapping[Any, Any]) -> dict[str, Any]:
    """The entries of an input's or output's file and of its service's properties, which count more; keys are folded."""
    folded = _folded(entries)
    for name, properties in tuple(folded.items()):
        if name.endswith("properties") and isinstance(properties, Mapping):
            folded |= _folded(properties)
    return folded


def topic_of(entries: Mapping[Any, Any], alias: str) -> str:
    """The topic of an output, by the entries of its file: its event hub's, else its own name.

    A hub's name of spaces alone gives an empty topic: it is a mistake, and no output without a hub.
    """
    hub = service_entries(entries).get("eventhubname")
    return hub.strip() if isinstance(hub, str) and hub else alias


def hub_entry(entries: Mapping[Any, Any], key: str) -> str:
    """What a file says of its event hub: its `EventHubName`, its `PartitionKey`; empty where it says nothing."""
    value = service_entries(entries).get(key.casefold())
    return value.strip() if isinstance(value, str) else ""


def _folded(entries: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).casefold(): value for key, value in entries.items()}
