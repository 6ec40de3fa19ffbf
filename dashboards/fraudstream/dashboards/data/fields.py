"""The project's fields as the pages read and count them: the values of each dimension, and the fields of a row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from fraudstream.core.contract.event import AMOUNT, ENTITIES, FEATURE_RULES, FEATURES, ID, LABEL, PROJECT, RULES
from fraudstream.core.contract.field_rules import FieldRule, as_double, value_at
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.rollups import (
    ALL,
    AMOUNT_BIN,
    EDGES,
    EVENT_DIMENSIONS,
    HOUR,
    MONTH_OF_YEAR,
    TIME_DIMENSIONS,
    WEEKDAY,
    bins,
)
from fraudstream.core.documents import paths
from fraudstream.dashboards.data import stored

# A dimension of more values is read as the store has them: nobody asks for each by its name.
MOST_LISTED = 200
# Of an event with hundreds of inputs a decision keeps so many, and those that its reasons name.
_MOST_INPUTS = 40
_MOST_ENTITIES = 4
_LONGEST_VALUE = 1_000

_TIMES: Mapping[str, tuple[str, ...]] = {
    HOUR: tuple(str(hour) for hour in range(24)),
    WEEKDAY: tuple(str(day) for day in range(1, 8)),
    MONTH_OF_YEAR: tuple(str(month) for month in range(1, 13)),
}


def _listed(name: str) -> tuple[str, ...]:
    """The values that a field is known to have, as text; empty if the project names none."""
    if name in EDGES:
        return bins(EDGES[name])
    rule = RULES[name]
    if rule.kind == "bool":
        return tuple("true" if choice else "false" for choice in rule.choices or (False, True))
    if rule.kind != "int":
        return rule.known_values
    if rule.choices:
        return tuple(map(str, rule.choices))
    least, most = rule.range
    return tuple(str(number) for number in range(int(least), int(most) + 1)) if most - least < MOST_LISTED else ()


# The known values of each dimension, in the order in which figures show them.
VALUES: dict[str, tuple[str, ...]] = {
    ALL: (ALL,),
    **{name: _listed(name) for name in EVENT_DIMENSIONS},
    **{name: _TIMES[name] for name in TIME_DIMENSIONS},
    AMOUNT_BIN: bins(EDGES[AMOUNT_BIN]),
}


def _is_open(name: str) -> bool:
    if name in EDGES or (0 < len(VALUES[name]) <= MOST_LISTED and not RULES[name].categories):
        return False
    return RULES[name].kind != "bool"


# Dimensions that may have values which the project does not list.
OPEN: frozenset[str] = frozenset(name for name in EVENT_DIMENSIONS if _is_open(name))
# Dimensions whose values are numbers: their order means something, and so does a line between neighbours.
NUMERIC: frozenset[str] = frozenset(
    {*EDGES, *TIME_DIMENSIONS, *(name for name in EVENT_DIMENSIONS if RULES[name].kind == "int")}
)
# How the project calls values, by dimension and value.
VALUE_NAMES: Mapping[str, Mapping[str, str]] = PROJECT.definition.display.values

SHOWN_ENTITIES = ENTITIES[:_MOST_ENTITIES]
# The fields that a decision keeps for the counts, the table and the words of its reasons.
KEPT: tuple[str, ...] = tuple(dict.fromkeys((AMOUNT, *FEATURES[:_MOST_INPUTS], *EVENT_DIMENSIONS, *SHOWN_ENTITIES)))
# What the project's query computes stands in the documents beside the event's fields.
STORED_RULES: Mapping[str, FieldRule] = {**RULES, **FEATURE_RULES}
_KEPT_RULES = tuple(STORED_RULES[name] for name in KEPT if STORED_RULES[name].kind != "time")


def text_of(dimension: str, value: Any) -> str | None:
    """A field's value as the rollups name it; None for a value that is missing or no value of a dimension."""
    if value is None:
        return None
    if dimension in EDGES:
        number = as_double(value)
        return None if number is None else VALUES[dimension][bin_of(dimension, number)]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(int(value)) if isinstance(value, int) else None


def is_boolean(dimension: str) -> bool:
    """Whether a dimension has the values true and false."""
    return dimension in RULES and RULES[dimension].kind == "bool"


def bin_of(dimension: str, number: float) -> int:
    """The place of a number's bin; numbers below the first edge count in the first one."""
    return max(bisect_right(EDGES[dimension], number) - 1, 0)


def is_value(dimension: str, value: str) -> bool:
    """Whether a dimension may have this value, given as text."""
    if dimension not in VALUES:
        return False
    if value in VALUES[dimension]:
        return True
    if dimension not in OPEN or len(value) > _LONGEST_VALUE:
        return False
    return RULES[dimension].kind == "text" or whole_number(value) is not None


def whole_number(text: str) -> int | None:
    """A typed integer of 64 bits; None for any other text, however many digits it has."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 20:
        return None
    number = int(text)
    return number if LEAST_INTEGER <= number <= MOST_INTEGER else None


def kept(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of an event that a decision keeps, without those that are missing; None if one is not valid."""
    values: dict[str, Any] = {}
    for rule in _KEPT_RULES:
        value = value_at(document, rule.path)
        if value is None:
            if rule.required and not rule.is_nullable and len(rule.path) == 1:
                return None
            continue
        usable = _usable(rule, value)
        if usable is None:
            return None
        values[rule.name] = usable
    return values


def _usable(rule: FieldRule, value: Any) -> Any:
    if rule.kind == "text":
        if type(value) is not str or (rule.choices and len(value) > stored.LONGEST_TEXT):
            return None
        return value[:_LONGEST_VALUE]
    if rule.kind == "bool":
        return value if isinstance(value, bool) else None
    number = stored.number(value)
    return number if number is not None and (isinstance(number, float) or abs(number) <= stored.MOST_INTEGER) else None


def named_in(reasons: Iterable[tuple[str, float]], document: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields that reasons name, as far as the document has usable ones."""
    rules = (STORED_RULES[name] for name, _ in reasons if name in STORED_RULES and STORED_RULES[name].kind != "time")
    pairs = ((rule, value_at(document, rule.path)) for rule in rules)
    usable = ((rule.name, _usable(rule, value)) for rule, value in pairs if value is not None)
    return {name: value for name, value in usable if value is not None}


def id_of(value: Any) -> int | str | None:
    """A document's or record's id as the project has them; None for anything else."""
    if RULES[ID].kind == "text":
        return value if isinstance(value, str) and value else None
    return stored.whole(value) if not isinstance(value, str) else None


def is_fraud(document: Mapping[str, Any]) -> bool:
    """Whether a document's decision is a fraud; without a decision, its label."""
    decision = document["prediction"] if "prediction" in document else value_at(document, RULES[LABEL].path)
    return bool(decision == 1)


def can_ask(name: str) -> bool:
    """Whether a store finds documents by this field."""
    return name not in RULES or paths.can_ask(RULES[name].path)


def queried(name: str) -> str:
    """A field's name as a query has it."""
    return paths.queried(RULES[name].path) if name in RULES else name


def projection(fixed: Iterable[str], names: Iterable[str]) -> dict[str, int] | None:
    """What a query asks for: names of the document and fields of the event; None where it has to ask for all."""
    return paths.projection(fixed, (STORED_RULES[name].path for name in names))
