"""Stored documents as the pages read them: whatever one holds, it can be shown, and none makes another's page fail."""

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
    """A decision's reasons, (field, contribution in log-odds); what is none is left out."""
    found = []
    for each in value[:_MOST_REASONS] if isinstance(value, list | tuple) else ():
        name = each.get("field") if isinstance(each, Mapping) else None
        weight = number(each.get("contribution")) if isinstance(each, Mapping) else None
        if name is not None and weight is not None:
            found.append((text(name, 60), float(weight)))
    return found


_KINDS = {rule.name: rule.kind for rule in FIELD_RULES}


def fields(made: Mapping[str, Any]) -> dict[str, Any]:
    """The event's own fields that are there: numbers where the contract has numbers, else text."""
    found: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        if name in made and made[name] is not None:
            value = number(made[name]) if kind in ("int", "float") else None
            found[name] = text(made[name]) if value is None else value
    return found


def is_usable(features: Mapping[str, Any], *numbers: float | None) -> bool:
    """Whether these are a decision's features as the contract has them, and these numbers finite."""
    for name in FEATURES:
        value = features.get(name)
        if _KINDS[name] == "text":
            if type(value) is not str or len(value) > LONGEST_TEXT:
                return False
        elif (type(value) is not float and not _is_whole(value)) or not math.isfinite(value):  # type: ignore[arg-type]
            return False
    return all(each is None or math.isfinite(each) for each in numbers)


def _is_whole(value: Any) -> bool:
    # Int64 of BSON is an int; a boolean is no number.
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_INTEGER
