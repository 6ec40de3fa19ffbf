"""Which stored rows a training can use: some may be older than the contract, or written by other programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from bson.datetime_ms import DatetimeMS

from fraudstream.core.contract import event
from fraudstream.core.contract.event import AMOUNT, ENTITIES, FEATURE_RULES, OPTIONAL_FEATURES, PARTITION_KEY, PROJECT
from fraudstream.core.contract.field_rules import FieldRule, as_double, value_at
from fraudstream.core.output.text import printable
from fraudstream.ml.features import CODES, EVENT_TIME, ID, LABEL, LARGEST

# What the query computes stands in the documents of scored transactions, beside the event's fields.
RULES: tuple[FieldRule, ...] = (
    *(rule for name, rule in event.RULES.items() if name in (ID, *FEATURE_RULES, LABEL, AMOUNT)),
    *(FEATURE_RULES[name] for name in event.COMPUTED_FEATURES),
)
_FLOATS = frozenset(rule.name for rule in RULES if rule.kind == "float")
# What a model is not given, and is measured by: whose transaction it was, the card by which records are kept together
# where the project has one, and the scheme that a fraud belonged to. A row is used without them, too.
ENTITY: str | None = PARTITION_KEY if PARTITION_KEY in ENTITIES else next(iter(ENTITIES), None)
CAMPAIGN: str | None = PROJECT.definition.event.campaign
ASIDE: tuple[FieldRule, ...] = tuple(
    event.RULES[name] for name in (ENTITY, CAMPAIGN) if name is not None and name not in {rule.name for rule in RULES}
)
# The columns of usable rows: a name for each rule, and the moment by which they are ordered.
COLUMNS: tuple[str, ...] = (*(rule.name for rule in RULES), *(rule.name for rule in ASIDE), EVENT_TIME)
_NAMED = 5
_LONGEST_ID = 40
_LONGEST_TEXT = 250


@dataclass(frozen=True, slots=True)
class Omission:
    """The rows that were left out for one reason: how many, and the first ids."""

    reason: str
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The rows that a training left out, by reason, the most frequent first."""

    reasons: tuple[Omission, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> LeftOut:
        """``rows``: (id, reason) of each row."""
        first_ids: dict[str, list[str]] = {}
        counts: dict[str, int] = {}
        for id_, reason in rows:
            counts[reason] = counts.get(reason, 0) + 1
            if len(ids := first_ids.setdefault(reason, [])) < _NAMED:
                ids.append(id_)
        ordered = sorted(counts, key=lambda reason: (-counts[reason], reason))
        return cls(tuple(Omission(reason, counts[reason], tuple(first_ids[reason])) for reason in ordered))

    @property
    def count(self) -> int:
        return sum(omission.count for omission in self.reasons)

    def __str__(self) -> str:
        parts = []
        for omission in self.reasons:
            more = ", …" if omission.count > len(omission.ids) else ""
            parts.append(f"{omission.reason} ({omission.count:,}: {', '.join(omission.ids)}{more})")
        return printable("; ".join(parts), _LONGEST_TEXT)

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return {
            "count": self.count,
            "reasons": [asdict(omission) | {"ids": list(omission.ids)} for omission in self.reasons],
        }


NOTHING_LEFT_OUT = LeftOut()


@dataclass(slots=True)
class SortedRows:
    """The columns of the usable rows, and (id, reason) of each other row."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def sort_rows(documents: Sequence[Mapping[str, Any]]) -> SortedRows:
    """Separate usable documents from others; the id is a document's ``_id``.

    Values are as the models take them: a number is an ``int`` or a ``float``, the label 0 or 1, an input that is
    missing or a text that is not listed None.
    """
    columns = {rule.name: _values(rule, documents) for rule in RULES}
    columns |= {rule.name: [_as_text(value) for value in _values(rule, documents)] for rule in ASIDE}
    columns[EVENT_TIME] = [_moment(document) for document in documents]
    if all(_all_usable(rule, columns[rule.name]) for rule in RULES) and None not in columns[EVENT_TIME]:
        return SortedRows({name: _cleaned(name, values) for name, values in columns.items()})
    rows = SortedRows()
    reasons = [problem(document) for document in documents]
    for document, reason in zip(documents, reasons, strict=True):
        if reason:
            rows.left_out.append((printable(str(document.get("_id")), _LONGEST_ID), reason))
    for name, values in columns.items():
        usable = [value for value, reason in zip(values, reasons, strict=True) if not reason]
        rows.columns[name] = _cleaned(name, usable)
    return rows


def problem(document: Mapping[str, Any]) -> str:
    """Why a document cannot be used, beginning with the field's name; empty if it can be used."""
    for rule in RULES:
        fault = _fault(rule, *_values(rule, [document]))
        if fault:
            return f"{rule.name}: {fault}"
    return f"{EVENT_TIME}: missing" if _moment(document) is None else ""


def _values(rule: FieldRule, documents: Sequence[Mapping[str, Any]]) -> list[Any]:
    if len(rule.path) > 1:
        return [value_at(document, rule.path) for document in documents]
    name = "_id" if rule.name == ID else rule.path[0]
    return [document.get(name) for document in documents]


def _as_text(value: Any) -> str | None:
    """A name of something; None for what is none, and for a text that no column takes."""
    text = str(value) if isinstance(value, str | int) else None
    return text if text is not None and _is_whole(text) else None


def _moment(document: Mapping[str, Any]) -> int | None:
    """The event's time, in milliseconds since 1970."""
    moment = document.get(EVENT_TIME)
    if not isinstance(moment, datetime | DatetimeMS):
        return None
    return int(moment if isinstance(moment, DatetimeMS) else DatetimeMS(moment))


def _cleaned(name: str, values: list[Any]) -> list[Any]:
    """The values of usable rows as the models take them."""
    if name in CODES:
        known = CODES[name].keys()
        return values if known >= set(values) else [value if value in known else None for value in values]
    if name == LABEL:
        return [int(value) for value in values]
    if name in _FLOATS:
        is_plain = set(map(type, values)) <= {float, int}
        return values if is_plain else [None if value is None else _number(value) for value in values]
    return values


def _fault(rule: FieldRule, value: Any) -> str:
    if value is None:
        return "" if rule.name in OPTIONAL_FEATURES else "missing"
    if rule.kind == "text":
        return _fault_of_text(rule, value)
    if rule.kind == "bool":
        return "" if isinstance(value, bool) else "not true or false"
    if rule.kind == "int":
        if isinstance(value, bool) or not isinstance(value, int):
            return "not an integer"
        return "" if _is_inside(rule, value) else "out of its range"
    number = _number(value)
    if number is None:
        return "not a number"
    if math.isnan(number) or value in (math.inf, -math.inf):
        return "not finite"
    if abs(number) > LARGEST:
        return "beyond single precision"
    return "" if _is_inside(rule, number) else "out of its range"


def _fault_of_text(rule: FieldRule, value: Any) -> str:
    if rule.choices:
        return "" if isinstance(value, str) and value in rule.choices else "not one of its values"
    return "" if isinstance(value, str) and (rule.name in CODES or _is_whole(value)) else "not a text"


def _is_whole(text: str) -> bool:
    """Whether a text was UTF-8; other bytes are read as half characters, which no column takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(value: Any) -> float | None:
    """A document's number as a double, infinite where it is too large for one; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return as_double(value)


def _is_inside(rule: FieldRule, number: float) -> bool:
    least, most = rule.range
    if (rule.is_above_minimum and number == least) or (rule.is_below_maximum and number == most):
        return False
    return least <= number <= most and (not rule.choices or number in rule.choices)


def _all_usable(rule: FieldRule, values: list[Any]) -> bool:
    """Whether every value of a column can be used. In nearly every batch it can, and no row is looked at alone."""
    types = set(map(type, values))
    if _NONE in types:
        if rule.name not in OPTIONAL_FEATURES:
            return False
        types.remove(_NONE)
        values = [value for value in values if value is not None]
    if rule.kind == "text":
        if types - {str}:
            return False
        return set(values) <= set(rule.choices) if rule.choices else rule.name in CODES or all(map(_is_whole, values))
    if rule.kind == "bool":
        return types <= {bool}
    if bool in types or not all(issubclass(kind, int if rule.kind == "int" else (int, float)) for kind in types):
        return False
    try:
        numbers = np.array(values, dtype=np.int64 if rule.kind == "int" else np.float64)
    except OverflowError:
        return False
    least, most = rule.range
    if rule.is_above_minimum or rule.is_below_maximum or rule.choices:
        return all(_is_inside(rule, number) for number in numbers.tolist())
    if rule.kind == "float":
        least, most = max(least, -LARGEST), min(most, LARGEST)
    return bool(np.all((numbers >= least) & (numbers <= most)))


_NONE = type(None)
