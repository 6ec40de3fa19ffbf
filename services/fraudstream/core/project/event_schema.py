"""``event.schema.json``: an event's fields, as rules of the contract.

The file is JSON Schema, draft 2020-12. A keyword that the engine does not enforce is refused by its name and place.
Two are read and not enforced: the ``pattern`` and ``format`` of the event's time, whose form the definition names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fraudstream.core.contract import limits
from fraudstream.core.contract.field_rules import FieldRule, Kind, leaves
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.patterns import FORMATS, portable
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.places import read_text

FILE_NAME = "event.schema.json"

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Annotations: they say nothing of what is valid (JSON Schema Validation 2020-12, section 9).
_ANNOTATIONS = frozenset(
    {"title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly"}
)
_OBJECT = frozenset({"type", "properties", "required", "additionalProperties"})
_NUMBER = frozenset({"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"})
KEYWORDS: Mapping[str, frozenset[str]] = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "boolean": frozenset({"type", "enum", "const"}),
    "string": frozenset({"type", "enum", "const", "minLength", "maxLength", "pattern", "format"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    "object": _OBJECT,
}
_KINDS: Mapping[str, Kind] = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "string": "text",
    "array": "array",
    "object": "object",
}


def read_rules(
    folder: Path, time: str, form: TimeForm, reserved: Sequence[str], categories: Mapping[str, Sequence[str]]
) -> tuple[FieldRule, ...]:
    """The rules of the event's fields in the order of the schema.

    ``time`` names the field of the event's time, which is written in ``form``; ``reserved`` names no field may have;
    ``categories`` are known values of texts by their names. Raises :class:`ConfigurationError`, which names the file,
    the place in it (JSON Pointer) and what is wrong there.
    """
    file = folder / FILE_NAME
    try:
        schema = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not JSON: {error}.") from None
    try:
        return _Reading(time, form, frozenset(reserved), categories).event(schema)
    except _Unsupported as problem:
        raise ConfigurationError(f"{file}, at {problem.place or 'its root'}: {problem}.") from None
    except RecursionError:
        raise ConfigurationError(f"{file}: its objects are nested too deep.") from None


class _Unsupported(Exception):
    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place = place


class _Reading:
    """Reads a schema with what the definition says of its fields."""

    def __init__(
        self, time: str, form: TimeForm, reserved: frozenset[str], categories: Mapping[str, Sequence[str]]
    ) -> None:
        self._time = time
        self._form = form
        self._reserved = reserved
        self._categories = categories

    def event(self, schema: Any) -> tuple[FieldRule, ...]:
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise _Unsupported("", 'an event is a JSON object: "type": "object"')
        _require_known("", schema, _ANNOTATIONS | _OBJECT | {"$schema", "$id"})
        if schema.get("$schema", _DRAFT) != _DRAFT:
            raise _Unsupported("/$schema", f"only the draft {_DRAFT} is read, got {schema['$schema']!r}")
        rules = self._properties("", schema, ())
        if not rules:
            raise _Unsupported("/properties", "the event has no fields")
        known: set[str] = set()
        for leaf in leaves(rules):
            if leaf.name in known:
                raise _Unsupported("/properties", f"two fields are named {leaf.name!r}, one of them inside an object")
            known.add(leaf.name)
        for rule in rules:
            place = f"/properties/{_escaped(rule.name)}"
            if rule.name in self._reserved:
                raise _Unsupported(place, f"{rule.name!r} is a name of the decision or of its document; rename it")
        return rules

    def _properties(self, place: str, schema: Mapping[str, Any], path: tuple[str, ...]) -> tuple[FieldRule, ...]:
        if schema.get("additionalProperties", True) is not True:
            raise _Unsupported(f"{place}/additionalProperties", "unknown fields are kept, so that it can only be true")
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            raise _Unsupported(f"{place}/properties", "expected an object of fields")
        required = schema.get("required", [])
        if not isinstance(required, list):
            raise _Unsupported(f"{place}/required", f"expected a list of names, got {json.dumps(required)}")
        for number, name in enumerate(required):
            if not isinstance(name, str) or name not in properties:
                raise _Unsupported(f"{place}/required/{number}", f"{name!r} is not among the properties")
        return tuple(
            self._field(f"{place}/properties/{_escaped(name)}", field, (*path, name), name in required)
            for name, field in properties.items()
        )

    def _field(self, place: str, field: Any, path: tuple[str, ...], is_required: bool) -> FieldRule:
        name = ".".join(path)
        if not isinstance(field, dict):
            raise _Unsupported(place, "a field is described by an object")
        if not path[-1] or (problem := limits.name_problem(path[-1])) is not None:
            raise _Unsupported(place, "a field has a name" if not path[-1] else f"no field may have {problem}")
        type_name, is_nullable = _type(place, field)
        if name == self._time:
            return self._time_rule(place, field, path, is_required, type_name, is_nullable)
        _require_known(place, field, _ANNOTATIONS | KEYWORDS[type_name])
        common: dict[str, Any] = {"required": is_required, "is_nullable": is_nullable, "path": path}
        if type_name == "object":
            return FieldRule(name, "object", **common, fields=self._properties(place, field, path))
        if type_name == "array":
            return self._array_rule(place, field, name, common)
        choices = _choices(place, field, type_name)
        if type_name == "string":
            return self._text_rule(place, field, name, common, choices)
        if type_name == "boolean":
            return FieldRule(name, "bool", **common, choices=choices)
        return FieldRule(name, _KINDS[type_name], **common, choices=choices, **_bounds(place, field))

    def _time_rule(
        self,
        place: str,
        field: Mapping[str, Any],
        path: tuple[str, ...],
        is_required: bool,
        type_name: str,
        is_nullable: bool,
    ) -> FieldRule:
        _require_known(place, field, _ANNOTATIONS | {"type", "pattern", "format", "minimum", "maximum"})
        expected = ("integer", "number") if self._form.is_number else ("string",)
        if type_name not in expected:
            written = "a number" if self._form.is_number else "a string"
            raise _Unsupported(f"{place}/type", f"the event's time is {written}, got {type_name!r}")
        if not is_required or is_nullable:
            raise _Unsupported(place, "the event's time is required and never null")
        return FieldRule(".".join(path), "time", required=True, path=path, time=self._form)

    def _array_rule(self, place: str, field: Mapping[str, Any], name: str, common: Mapping[str, Any]) -> FieldRule:
        items = field.get("items")
        least, most = _length(place, field, "minItems"), _length(place, field, "maxItems")
        rule = None
        if items is not None and items is not True:
            rule = self._field(f"{place}/items", items, (f"{name}[]",), is_required=False)
        return FieldRule(name, "array", **common, items=rule, least_length=least or 0, most_length=most)

    def _text_rule(
        self, place: str, field: Mapping[str, Any], name: str, common: Mapping[str, Any], choices: tuple[Any, ...]
    ) -> FieldRule:
        shown = field.get("pattern")
        format = field.get("format")
        if shown is not None and format is not None:
            raise _Unsupported(f"{place}/format", "a text with a pattern and a format is not supported")
        if format is not None and format not in FORMATS:
            raise _Unsupported(f"{place}/format", f"{format!r} is none of {', '.join(FORMATS)}")
        pattern = None
        if shown is not None or format is not None:
            if shown is not None and not isinstance(shown, str):
                raise _Unsupported(f"{place}/pattern", f"expected a text, got {json.dumps(shown)}")
            try:
                pattern = portable(shown if shown is not None else FORMATS[cast("str", format)])
            except ValueError as problem:
                raise _Unsupported(f"{place}/pattern", str(problem)) from None
        least, most = _length(place, field, "minLength"), _length(place, field, "maxLength")
        return FieldRule(
            name,
            "text",
            **common,
            choices=choices,
            categories=tuple(self._categories.get(name, ())),
            least_length=least or 0,
            most_length=most,
            pattern=pattern,
            shown_pattern=format or shown,
        )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _type(place: str, field: Mapping[str, Any]) -> tuple[str, bool]:
    """The field's one type, and whether it may be null."""
    given = field.get("type")
    types = given if isinstance(given, list) else [given]
    names = [name for name in types if name != "null"]
    if len(names) != 1 or not isinstance(names[0], str) or names[0] not in KEYWORDS:
        raise _Unsupported(f"{place}/type", f"expected one of {', '.join(KEYWORDS)}, got {json.dumps(given)}")
    return names[0], len(types) > 1


def _choices(place: str, field: Mapping[str, Any], type_name: str) -> tuple[Any, ...]:
    if "const" in field:
        if "enum" in field:
            raise _Unsupported(f"{place}/const", "a field with an enum and a const is not supported")
        keyword, choices = "const", [field["const"]]
    elif "enum" in field:
        keyword, choices = "enum", field["enum"]
        if isinstance(choices, list):
            # Whether null is one of them is the type's matter.
            choices = [choice for choice in choices if choice is not None]
    else:
        return ()
    place = f"{place}/{keyword}"
    nouns = {"string": "texts", "integer": "integers", "number": "numbers", "boolean": "true and false"}
    if not isinstance(choices, list) or not choices or not all(_is_choice(choice, type_name) for choice in choices):
        raise _Unsupported(place, f"expected a list of {nouns[type_name]}")
    if len(set(choices)) < len(choices):
        raise _Unsupported(place, "a value stands twice")
    return tuple(float(choice) for choice in choices) if type_name == "number" else tuple(choices)


def _is_choice(choice: Any, type_name: str) -> bool:
    if type_name == "string":
        return isinstance(choice, str)
    if type_name == "boolean" or isinstance(choice, bool):
        return isinstance(choice, bool) and type_name == "boolean"
    if type_name == "integer":
        return isinstance(choice, int) and LEAST_INTEGER <= choice <= MOST_INTEGER
    return isinstance(choice, int | float)


def _bounds(place: str, field: Mapping[str, Any]) -> dict[str, Any]:
    low, high, above, below = (
        _number(place, field, keyword) for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    )
    if (low is not None and above is not None) or (high is not None and below is not None):
        raise _Unsupported(place, "an inclusive and an exclusive bound on the same side are not supported")
    bounds: dict[str, Any] = {
        "minimum": above if low is None else low,
        "maximum": below if high is None else high,
        "is_above_minimum": above is not None,
        "is_below_maximum": below is not None,
    }
    least, most = bounds["minimum"], bounds["maximum"]
    if least is not None and most is not None and least > most:
        raise _Unsupported(place, f"no number lies between {least} and {most}")
    return bounds


def _number(place: str, field: Mapping[str, Any], keyword: str) -> int | float | None:
    bound = field.get(keyword)
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
        raise _Unsupported(f"{place}/{keyword}", f"expected a number, got {json.dumps(bound)}")
    return bound


def _length(place: str, field: Mapping[str, Any], keyword: str) -> int | None:
    length = field.get(keyword)
    if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 0):
        raise _Unsupported(f"{place}/{keyword}", f"expected a number of 0 or more, got {json.dumps(length)}")
    return length


def _require_known(place: str, described: Mapping[str, Any], known: frozenset[str]) -> None:
    for keyword in described:
        if keyword not in known:
            raise _Unsupported(f"{place}/{keyword}", f"the keyword {keyword!r} is not supported here")
