"""Reference pages made from the code: settings, topics, and the event's JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from docs.makers.files import table
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from fraudstream.core.configuration.settings import ENV_PREFIX, Profile, Settings, profile_values
from fraudstream.core.configuration.variables import READ_ELSEWHERE
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import DAY_MS, TOPICS
from fraudstream.core.project import definition, event_schema

NOTE = "<!-- Made from the code by `python -m docs.makers --write`; change it there. -->"
KIB = 1024


def settings_page() -> str:
    """Every setting: its variable, its default, the value of each profile, and its purpose."""
    profiles: tuple[str, ...] = get_args(Profile)
    rows = [
        (
            f"`{ENV_PREFIX}{name.upper()}`",
            _values(field),
            _code(field.default),
            *(_code(profile_values(profile)[name]) if name in profile_values(profile) else "" for profile in profiles),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    others = "\n".join(f"- `{name}`: {reader}" for name, reader in READ_ELSEWHERE.items())
    return f"""{NOTE}

# Settings

Each setting is read from the environment, then from `.env` in the working folder, then from the profile's own file
(`services/fraudstream/core/configuration/profiles/<profile>.toml`), then from the default. The first that has a value
wins; an empty variable counts as absent. A profile's column is empty where that profile keeps the default. A name in
braces stands for the value of that port setting.

`fraudstream config show` prints the values in force and where each came from; secrets are masked. Values are literal,
in `.env` as well. One that begins or ends with white space, stands in quotes or holds an invisible character is refused
by its variable's name; see [operations](../how-to/operations.md#secrets).

Further variables that begin with `FRAUDSTREAM_`; all but Compose's are read from the environment alone, not `.env`:

{others}

{table(("variable", "values", "default", *profiles, "description"), rows)}
"""


def topics_page() -> str:
    """The table of topics with their contents and limits."""
    rows = [
        (
            f"`{topic.name}`",
            topic.purpose,
            f"{topic.retention_ms // DAY_MS} days",
            f"{topic.max_message_bytes // KIB:,} KiB",
        )
        for topic in TOPICS
    ]
    configs = [(f"`{name}`", f"`{value}`") for name, value in _shared_configs().items()]
    return f"""{NOTE}

# Topics

The table is `fraudstream.core.contract.topics.TOPICS`; the topics are created from it. Each has
`{ENV_PREFIX}TOPIC_PARTITIONS` partitions ([settings](settings.md)). What the values look like is in
[contracts](contracts.md).

{table(("topic", "holds", "retention", "largest message"), rows)}

All topics share these broker settings:

{table(("setting", "value"), configs)}
"""


def project_page() -> str:
    """Every key of a project's definition."""
    rows = [
        (
            f"`{section}.{name}`" if section else f"`{name}`",
            "required" if field.is_required() else f"`{json.dumps(field.default)}`",
            field.description or "",
        )
        for section, name, field in definition.all_keys()
    ]
    return f"""{NOTE}

# Project

A project is a folder with what is particular to one stream of transactions. The distribution brings `payments`, in
`projects/payments/`. A project holds two files:

- `{event_schema.FILE_NAME}`: the event's fields as JSON Schema, draft 2020-12. A field is an integer, a number (each
  with `minimum` and `maximum`), or a text with an `enum`; the event's time is a text in the form that the definition
  names, whatever `pattern` and `format` stand beside it. A field that is not `required` may be null. Any other keyword
  that is not enforced is refused by its place. Unknown fields are kept.
- `{definition.FILE_NAME}`: what each field is for.

{table(("key", "default", "meaning"), rows)}

A project that cannot be run is refused with the file, the key or the place, and what to correct.
"""


def schema_file() -> str:
    """The JSON Schema of the default project's event."""
    return (PROJECT.folder / event_schema.FILE_NAME).read_text("utf-8")


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "topics.md": topics_page,
    "event.schema.json": schema_file,
    "project.md": project_page,
}


def generated(project: Path) -> dict[Path, str]:
    """The pages as they should be."""
    return {project / "docs" / "reference" / name: page() for name, page in PAGES.items()}


def _shared_configs() -> dict[str, str]:
    first, *others = (topic.broker_configs() for topic in TOPICS)
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _values(field: FieldInfo) -> str:
    """What a setting accepts, in words."""
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" if choice else "empty" for choice in get_args(annotation))
    if annotation is SecretStr:
        return "secret"
    noun = {bool: "`true` or `false`", int: "integer", float: "number", str: "text"}.get(annotation, "path")
    bounds = [
        f"{sign} {getattr(item, bound):g}"
        for item in field.metadata
        for bound, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"))
        if hasattr(item, bound)
    ]
    patterns = [f"`{item.pattern}`" for item in field.metadata if getattr(item, "pattern", None)]
    return " ".join([noun, ", ".join(bounds), *patterns]).replace("  ", " ").strip()


def _code(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "" if value in (None, "") else f"`{value}`"
