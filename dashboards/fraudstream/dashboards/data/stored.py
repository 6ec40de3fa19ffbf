"""Stored documents as the pages read them: a page can show any document, and no document makes another's page fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from bson import Decimal128

from fraudstream.core.contract.event import FIELD_RULES
from fraudstream.core.contract.field_rules import FieldRule, value_at
from fraudstream.core.documents.stored import (
    LONGEST_TEXT,
    MOST_INTEGER,
    RAW,
    TOO_DEEP,
    milliseconds,
    moment,
    number,
    plain,
    read,
    read_all,
    size,
    text,
    whole,
)

__all__ = [
    "LONGEST_TEXT",
    "MOST_INTEGER",
    "RAW",
    "TOO_DEEP",
    "fields",
    "milliseconds",
    "moment",
    "number",
    "plain",
    "read",
    "read_all",
    "reasons",
    "size",
    "text",
    "whole",
]

_MOST_REASONS = 20


def reasons(value: Any) -> list[tuple[str, float]]:
    """A decision's reasons as (field, contribution in log-odds); invalid ones are left out."""
    valid = []
    for reason in value[:_MOST_REASONS] if isinstance(value, list | tuple) else ():
        name = reason.get("field") if isinstance(reason, Mapping) else None
        weight = number(reason.get("contribution")) if isinstance(reason, Mapping) else None
        if name is not None and weight is not None:
            valid.append((text(name, 60), float(weight)))
    return valid


def fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The known fields that the document has, by their names: numbers and booleans where the contract has them, a list
    as its JSON, anything else as text.
    """
    values: dict[str, Any] = {}
    for rule in _shown_rules(FIELD_RULES):
        value = value_at(document, rule.path)
        if value is not None:
            values[rule.name] = _shown(rule, value)
    return values


def _shown(rule: FieldRule, value: Any) -> Any:
    if rule.kind == "bool" and isinstance(value, bool):
        return value
    usable = number(value) if rule.kind in ("int", "float") else None
    # More digits than a double keeps stay as they were sent.
    if usable is None or (isinstance(value, Decimal128) and value.to_decimal() != Decimal(usable)):
        return text(value)
    return usable


def _shown_rules(rules: Iterable[FieldRule]) -> Iterator[FieldRule]:
    for rule in rules:
        if rule.kind == "object":
            yield from _shown_rules(rule.fields)
        else:
            yield rule
