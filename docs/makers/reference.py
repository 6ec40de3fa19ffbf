"""Reference pages made from the code: settings, topics, and the event's JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from docs.makers.files import table
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from fraudstream.core.configuration.settings import ENV_PREFIX, Profile, Settings, profile_values
from fraudstream.core.configuration.variables import READ_ELSEWHERE
from fraudstream.core.contract.patterns import FORMATS
from fraudstream.core.contract.times import DIRECTIVES
from fraudstream.core.contract.topics import DAY_MS, TOPICS
from fraudstream.core.project import definition, event_schema
from fraudstream.core.project.places import bundled_names
from fraudstream.core.project.project import bundled
from fraudstream.core.project.reserved import RESERVED_FIELDS

NOTE = "<!-- Made from the code by `python -m docs.makers --write`; change it there. -->"
KIB = 1024
DEFAULT_PROJECT = Settings.model_fields["project"].default


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

The table is `fraudstream.core.contract.topics.TOPICS`; the topics are created from it, and beside them those that the
outputs of the project's query name (`stream-analytics/Outputs/`: an output's event hub, else its own name). Each has
`{ENV_PREFIX}TOPIC_PARTITIONS` partitions ([settings](settings.md)). What the values look like is in
[contracts](contracts.md).

{table(("topic", "holds", "retention", "largest message"), rows)}

All topics share these broker settings:

{table(("setting", "value"), configs)}
"""


def project_page() -> str:
    """Every key of a project's definition, and what its schema may hold."""
    rows = [
        (f"`{section}.{name}`" if section else f"`{name}`", _kind(field), _default(field), field.description or "")
        for section, name, field in definition.all_keys()
    ]
    keywords = [
        (f"`{kind}`", ", ".join(f"`{name}`" for name in sorted(names - {"type"})) or "none")
        for kind, names in event_schema.KEYWORDS.items()
    ]
    formats = ", ".join(f"`{name}`" for name in FORMATS)
    directives = " ".join(f"`%{name}`" for name in DIRECTIVES)
    reserved = ", ".join(f"`{name}`" for name in RESERVED_FIELDS)
    return f"""{NOTE}

# Project

A project is a folder with what is particular to one stream of transactions; [Projects](../explanation/projects.md) says
why, and how one is made. `{ENV_PREFIX}PROJECT` chooses it: the name of one that the distribution brings
({", ".join(f"`{name}`" for name in bundled_names())}), or a folder. A project holds two files:

- `{definition.FILE_NAME}`: what each field is for.
- `{event_schema.FILE_NAME}`: the event's fields.

A project that cannot be run is refused with the file, the key or the place, and what to correct.

## {definition.FILE_NAME}

A field inside an object is named by its path, with dots: `merchant.mcc`.

{table(("key", "value", "default", "meaning"), rows)}

A strptime form has the directives {directives}, each at most once. `%m %d %H %I %M %S` are two digits, `%f` is one to
nine; what stands between them is itself. A year of two digits from 69 on is of the 20th century.

## {event_schema.FILE_NAME}

JSON Schema, draft 2020-12. These keywords are enforced, by the `type` of the field. `[type, "null"]` lets it be null as
well. A field that is not `required` may be absent.

{table(("type", "keywords"), keywords)}

- A keyword that is not listed is refused by its place when the project is read. So is `additionalProperties: false`:
  unknown fields are kept. `title`, `description`, `$comment`, `examples`, `default`, `deprecated`, `readOnly` and
  `writeOnly` say nothing about what is valid.
- An integer has 64 bits. A number is a double for the model and the rollups; `scored` and documents keep its digits.
- A text's `format` is one of {formats}. A `pattern` is one that ECMA-262, Python and Java read alike: no
  look-behind, no back-reference, no named group, no `\\b`, `\\u` or `\\p`, and no `\\D`, `\\S` or `\\W` within a class.
- The event's time is required, in the form that `event.time_format` names, whatever `pattern`, `format`, `minimum` and
  `maximum` stand beside it.
- No field may have one of these names, which the system writes beside the event's own: {reserved}.
"""


def schema_file() -> str:
    """The JSON Schema of the default project's event."""
    return (bundled(DEFAULT_PROJECT).folder / event_schema.FILE_NAME).read_text("utf-8")


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


_NOUNS = {str: "text", int: "integer", float: "number", bool: "`true` or `false`", datetime: "a date with a time"}


def _kind(field: FieldInfo) -> str:
    """What a key of a definition holds, in words."""
    return _kind_in_words(field.annotation)


def _kind_in_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind_in_words(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        return f"list: {_kind_in_words(arguments[0])}"
    if origin is dict:
        return f"table: {_kind_in_words(arguments[1])}"
    if origin in (Union, UnionType):
        return " or ".join(_kind_in_words(kind) for kind in arguments if kind is not NoneType)
    return _NOUNS[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if default is None or default == () or default == {} or default == "":
        return ""
    return f"`{default.isoformat()}`" if isinstance(default, datetime) else f"`{json.dumps(default)}`"


def _code(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "" if value in (None, "") else f"`{value}`"
