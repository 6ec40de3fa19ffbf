"""Stored documents as the pages read them: a page can show any document, and no document makes another's page fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
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
    "RAW",
    "TOO_DEEP",
    "fields",
    "is_usable",
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


_KINDS = {rule.name: rule.kind for rule in FIELD_RULES}


def fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the event contract that the document has: numbers where the contract has numbers, else text."""
    values: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        if name in document and document[name] is not None:
            value = number(document[name]) if kind in ("int", "float") else None
            values[name] = text(document[name]) if value is None else value
    return values


def is_usable(features: Mapping[str, Any], *numbers: float | None) -> bool:
    """Whether the features have the contract's types and lengths, and the numbers are finite."""
    for name in FEATURES:
        value = features.get(name)
        if _KINDS[name] == "text":
            if type(value) is not str or len(value) > LONGEST_TEXT:
                return False
        elif (type(value) is not float and not _is_whole(value)) or not math.isfinite(value):  # type: ignore[arg-type]
            return False
    return all(value is None or math.isfinite(value) for value in numbers)


def _is_whole(value: Any) -> bool:
    # BSON's Int64 is a subclass of int, and so is bool, which is no number.
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_INTEGER
