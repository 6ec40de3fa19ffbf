"""Which stored rows a training can use. The store may hold what the contract no longer takes, or what others wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.output.text import printable
from fraudstream.ml.features import ID, LABEL

# XGBoost and the stream job's trees hold single precision: what is larger is infinite to them.
LARGEST = float(np.finfo(np.float32).max)

RULES: tuple[FieldRule, ...] = tuple(rule for rule in FIELD_RULES if rule.name in (ID, *FEATURES, LABEL))
_NAMED = 5
_LONGEST_ID = 40
_LONGEST_TEXT = 250


@dataclass(frozen=True, slots=True)
class Left:
    """Rows that were left out for one reason: how many, and the first ids."""

    reason: str
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The rows that a training left out, by reason, the most frequent first."""

    reasons: tuple[Left, ...] = ()

    @classmethod
    def of(cls, found: Iterable[tuple[str, str]]) -> LeftOut:
        """``found``: (id, reason) of each row."""
        by_reason: dict[str, list[str]] = {}
        counts: dict[str, int] = {}
        for number, reason in found:
            counts[reason] = counts.get(reason, 0) + 1
            if len(ids := by_reason.setdefault(reason, [])) < _NAMED:
                ids.append(number)
        chosen = sorted(counts, key=lambda reason: (-counts[reason], reason))
        return cls(tuple(Left(reason, counts[reason], tuple(by_reason[reason])) for reason in chosen))

    @property
    def count(self) -> int:
        return sum(one.count for one in self.reasons)

    def __str__(self) -> str:
        parts = []
        for one in self.reasons:
            more = ", …" if one.count > len(one.ids) else ""
            parts.append(f"{one.reason} ({one.count:,}: {', '.join(one.ids)}{more})")
        return printable("; ".join(parts), _LONGEST_TEXT)

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        reasons = [{"reason": one.reason, "count": one.count, "ids": list(one.ids)} for one in self.reasons]
        return {"count": self.count, "reasons": reasons}


NOTHING_LEFT_OUT = LeftOut()


@dataclass(slots=True)
class Sorted:
    """Rows in two parts: the values of usable ones by column, and (id, reason) of the others."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def sort_rows(documents: Sequence[Mapping[str, Any]]) -> Sorted:
    """Tell usable documents from others; the id is a document's ``_id``."""
    columns = {rule.name: [made.get(_key(rule)) for made in documents] for rule in RULES}
    if all(_all_usable(rule, columns[rule.name]) for rule in RULES):
        return Sorted(columns)
    found = Sorted({rule.name: [] for rule in RULES})
    for made in documents:
        reason = problem(made)
        if reason:
            found.left_out.append((printable(str(made.get("_id")), _LONGEST_ID), reason))
            continue
        for rule in RULES:
            found.columns[rule.name].append(made[_key(rule)])
    return found


def problem(made: Mapping[str, Any]) -> str:
    """Why a document cannot be used, starting with the field's name; empty where it can be."""
    for rule in RULES:
        wrong = _wrong(rule, made.get(_key(rule)))
        if wrong:
            return f"{rule.name}: {wrong}"
    return ""


def _key(rule: FieldRule) -> str:
    return "_id" if rule.name == ID else rule.name


def _wrong(rule: FieldRule, value: Any) -> str:
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
    """Whether a whole column can be used: what nearly every batch is, told without looking at rows one by one."""
    types = set(map(type, values))
    if rule.kind == "text":
        return types <= {str} and set(values) <= set(rule.choices)
    if bool in types or not all(issubclass(one, int if rule.kind == "int" else (int, float)) for one in types):
        return False
    try:
        numbers = np.array(values, dtype=np.int64 if rule.kind == "int" else np.float64)
    except OverflowError:
        return False
    least, most = _range(rule)
    most = min(most, LARGEST) if rule.kind == "float" else most
    return bool(np.all((numbers >= least) & (numbers <= most)))
