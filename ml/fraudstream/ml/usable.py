"""Which stored rows a training can use: some may be older than the contract, or written by other programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.output.text import printable
from fraudstream.ml.features import ID, LABEL

# XGBoost and the stream job's trees compute in single precision, where a larger number is infinite.
LARGEST = float(np.finfo(np.float32).max)

RULES: tuple[FieldRule, ...] = tuple(rule for rule in FIELD_RULES if rule.name in (ID, *FEATURES, LABEL))
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
    """Separate usable documents from others; the id is a document's ``_id``."""
    columns = {rule.name: [document.get(_key(rule)) for document in documents] for rule in RULES}
    if all(_all_usable(rule, columns[rule.name]) for rule in RULES):
        return SortedRows(columns)
    rows = SortedRows({rule.name: [] for rule in RULES})
    for document in documents:
        reason = problem(document)
        if reason:
            rows.left_out.append((printable(str(document.get("_id")), _LONGEST_ID), reason))
            continue
        for rule in RULES:
            rows.columns[rule.name].append(document[_key(rule)])
    return rows


def problem(document: Mapping[str, Any]) -> str:
    """Why a document cannot be used, beginning with the field's name; empty if it can be used."""
    for rule in RULES:
        fault = _fault(rule, document.get(_key(rule)))
        if fault:
            return f"{rule.name}: {fault}"
    return ""


def _key(rule: FieldRule) -> str:
    return "_id" if rule.name == ID else rule.name


def _fault(rule: FieldRule, value: Any) -> str:
    if value is None:
        return "missing"
    if rule.kind == "text":
        return "" if isinstance(value, str) and value in rule.choices else "not one of its values"
    if isinstance(value, bool) or not isinstance(value, int if rule.kind == "int" else (int, float)):
        return "not an integer" if rule.kind == "int" else "not a number"
    if rule.kind == "float" and isinstance(value, float) and not math.isfinite(value):
        return "not finite"
    if rule.kind == "float" and abs(value) > LARGEST:
        return "beyond single precision"
    least, most = _range(rule)
    return "" if least <= value <= most else "out of its range"


def _range(rule: FieldRule) -> tuple[float, float]:
    least = -math.inf if rule.minimum is None else rule.minimum
    return least, (math.inf if rule.maximum is None else rule.maximum)


def _all_usable(rule: FieldRule, values: list[Any]) -> bool:
    """Whether every value of a column can be used. In nearly every batch it can, and no row is looked at alone."""
    types = set(map(type, values))
    if rule.kind == "text":
        return types <= {str} and set(values) <= set(rule.choices)
    if bool in types or not all(issubclass(kind, int if rule.kind == "int" else (int, float)) for kind in types):
        return False
    try:
        numbers = np.array(values, dtype=np.int64 if rule.kind == "int" else np.float64)
    except OverflowError:
        return False
    least, most = _range(rule)
    most = min(most, LARGEST) if rule.kind == "float" else most
    return bool(np.all((numbers >= least) & (numbers <= most)))
