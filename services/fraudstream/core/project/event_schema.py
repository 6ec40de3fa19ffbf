"""``event.schema.json``: an event's fields, as rules of the contract.

The file is JSON Schema, draft 2020-12. A keyword that the engine does not enforce is refused by its name and place.
Two are read and not enforced: the ``pattern`` and ``format`` of the event's time, whose form the definition names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.places import read_text

FILE_NAME = "event.schema.json"

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Annotations: they say nothing of what is valid (JSON Schema Validation 2020-12, section 9).
_ANNOTATIONS = frozenset(
    {"title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly"}
)
_OF_THE_EVENT = _ANNOTATIONS | {"$schema", "$id", "type", "properties", "required", "additionalProperties"}
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "integer": frozenset({"type", "minimum", "maximum"}),
    "number": frozenset({"type", "minimum", "maximum"}),
    "string": frozenset({"type", "enum"}),
}


def read_rules(folder: Path, time: str) -> tuple[FieldRule, ...]:
    """The rules of the event's fields in the order of the schema; ``time`` names the field of the event's time.

    Raises :class:`ConfigurationError`, which names the file, the place in it (JSON Pointer) and what is wrong there.
    """
    file = folder / FILE_NAME
    try:
        schema = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not JSON: {error}.") from None
    try:
        return _rules(schema, time)
    except _Unsupported as problem:
        raise ConfigurationError(f"{file}, at {problem.place or 'its root'}: {problem}.") from None


class _Unsupported(Exception):
    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place = place


def _rules(schema: Any, time: str) -> tuple[FieldRule, ...]:
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _Unsupported("", 'an event is a JSON object: "type": "object"')
    _require_known("", schema, _OF_THE_EVENT)
    if schema.get("$schema", _DRAFT) != _DRAFT:
        raise _Unsupported("/$schema", f"only the draft {_DRAFT} is read, got {schema['$schema']!r}")
    if schema.get("additionalProperties", True) is not True:
        raise _Unsupported("/additionalProperties", "unknown fields are kept, so that it can only be true")
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise _Unsupported("/properties", "the event has no fields")
    required = schema.get("required", [])
    if not isinstance(required, list):
        raise _Unsupported("/required", f"expected a list of names, got {json.dumps(required)}")
    for number, name in enumerate(required):
        if not isinstance(name, str) or name not in properties:
            raise _Unsupported(f"/required/{number}", f"{name!r} is not among the properties")
    return tuple(_rule(name, field, name in required, name == time) for name, field in properties.items())


def _rule(name: str, field: Any, is_required: bool, is_time: bool) -> FieldRule:
    place = f"/properties/{name.replace('~', '~0').replace('/', '~1')}"
    if not isinstance(field, dict):
        raise _Unsupported(place, "a field is described by an object")
    kind, is_nullable = _type(place, field.get("type"))
    if is_required and is_nullable:
        raise _Unsupported(f"{place}/type", "a required field that may be null is not supported")
    if is_time:
        _require_known(place, field, _ANNOTATIONS | {"type", "pattern", "format"})
        if kind != "string":
            raise _Unsupported(f"{place}/type", f"the event's time is a string, got {kind!r}")
        return FieldRule(name, "date", is_required)
    _require_known(place, field, _ANNOTATIONS | _KEYWORDS[kind])
    if kind == "string":
        return FieldRule(name, "text", is_required, choices=_choices(place, field))
    low, high = (_bound(place, field, keyword) for keyword in ("minimum", "maximum"))
    return FieldRule(name, "int" if kind == "integer" else "float", is_required, low, high)


def _type(place: str, given: Any) -> tuple[str, bool]:
    """The field's one type, and whether it may be null."""
    types = given if isinstance(given, list) else [given]
    kinds = [kind for kind in types if kind != "null"]
    if len(kinds) != 1 or not isinstance(kinds[0], str) or kinds[0] not in _KEYWORDS:
        raise _Unsupported(f"{place}/type", f"expected one of {', '.join(_KEYWORDS)}, got {json.dumps(given)}")
    return kinds[0], len(types) > 1


def _choices(place: str, field: Mapping[str, Any]) -> tuple[str, ...]:
    choices = field.get("enum")
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, str) for choice in choices):
        raise _Unsupported(f"{place}/enum", "a text is one of a list of texts")
    if len(set(choices)) < len(choices):
        raise _Unsupported(f"{place}/enum", "a text stands twice")
    return tuple(choices)


def _bound(place: str, field: Mapping[str, Any], keyword: str) -> int | float | None:
    bound = field.get(keyword)
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
        raise _Unsupported(f"{place}/{keyword}", f"expected a number, got {json.dumps(bound)}")
    return bound


def _require_known(place: str, described: Mapping[str, Any], known: frozenset[str]) -> None:
    for keyword in described:
        if keyword not in known:
            raise _Unsupported(f"{place}/{keyword}", f"the keyword {keyword!r} is not supported here")
