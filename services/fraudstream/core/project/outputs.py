"""The topics that a project's query writes to, as the files of its outputs name them.

``stream-analytics/Outputs/NAME.json`` is Microsoft's: an output's name, its service, and that service's properties.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.places import read_text
from fraudstream.core.project.plain_json import plain_json

QUERY_FOLDER = "stream-analytics"
PROJECT_FILE = "asaproj.json"
# Event Hubs' names: letters, digits, points, hyphens and underscores, the first and the last one a letter or digit
# (event-hubs-quotas: at most 256 characters; Kafka takes 249 of its topics').
_TOPIC = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,247}[A-Za-z0-9])?")


def output_topics(folder: Path) -> tuple[str, ...]:
    """The topics of a project's outputs, each once, in the order of its files; none without such files.

    An output's topic is its event hub, or has the output's name where it has none. Raises
    :class:`ConfigurationError` for a file that cannot be read, and for a name that Event Hubs or Kafka does not take.
    """
    topics: dict[str, tuple[str, Path]] = {}
    for file in _files(folder / QUERY_FOLDER):
        topic = _topic(file, _entries(file))
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
        entries = _lower(part) if isinstance(part, Mapping) else {}
        if str(entries.get("subtype", "")).lower() == "output":
            file = folder / PurePosixPath(str(entries.get("filepath", "")).strip().replace("\\", "/"))
            if file.is_file():
                yield file


def _entries(file: Path) -> dict[str, Any]:
    """The object that a file holds, its keys in small letters: Microsoft's tools find them in any case."""
    try:
        content = json.loads(plain_json(read_text(file)))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{file}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}.") from None
    except RecursionError:
        raise ConfigurationError(f"{file}: the JSON is nested too deeply. Nest its values less.") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: a JSON object is wanted.")
    return _lower(content)


def _lower(entries: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in entries.items()}


def _topic(file: Path, entries: Mapping[str, Any]) -> str:
    for key, value in entries.items():
        if key.endswith("properties") and isinstance(value, Mapping) and (hub := _lower(value).get("eventhubname")):
            return str(hub).strip()
    return str(entries.get("outputalias") or entries.get("name") or file.stem).strip()
