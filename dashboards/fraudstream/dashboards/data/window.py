"""The window of newest decisions: bounded columns that grow at their end and hold each decision once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np

from fraudstream.core.contract.event import AMOUNT, ID, RULES
from fraudstream.core.contract.field_rules import as_double
from fraudstream.core.contract.rollups import EDGES
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.data.window_view import (
    EMPTY,
    FILTERED,
    MISSING,
    Columns,
    WindowView,
    microseconds,
    value_of,
)

# An hour at 69 decisions a second, in columns of 16 MB.
MOST_ROWS = 250_000
# Decisions that are kept with all their fields, for the table; of older ones only the counted columns are kept.
MOST_DETAILS = 4_000
# A dimension's column has its name; no field's name begins with `$`.
_COLUMNS: dict[str, str] = {
    # Texts are shared with the set of known ids.
    "$id": "O" if RULES[ID].kind == "text" else "i8",
    "$enqueued": "i8",
    "$fraud": "?",
    "$amount": "f8",
    "$latency": "f4",
    **dict.fromkeys(FILTERED, "i2"),
}
# So many values of a dimension are told apart; one more stands for all others.
_MOST_VALUES = 1_000
_OTHERS = "other values"
_AGE = attrgetter("enqueued_at", "id")


@dataclass
class Window:
    """Takes each decision in once, by its id, and gives views. Threads may share it."""

    most_rows: int = MOST_ROWS
    _columns: Columns = field(default_factory=lambda: _empty(4_096))
    _size: int = 0
    _ids: set[int | str] = field(default_factory=set)
    _codes: dict[str, dict[str, int]] = field(default_factory=dict)
    _details: deque[Decision] = field(default_factory=lambda: deque(maxlen=MOST_DETAILS))
    _covers_from: datetime | None = None
    _dropped: bool = False
    _view: WindowView = EMPTY
    _version: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # A value's code is its place in the order of arrival; only the bins are fixed beforehand.
        self._codes = {
            name: {value: code for code, value in enumerate(VALUES[name])} if name in EDGES else {} for name in FILTERED
        }

    def complete_since(self, moment: datetime) -> None:
        """State that every decision that arrived since ``moment`` has been added."""
        with self._lock:
            self._covers_from = moment
            self._version += 1

    def add(self, decisions: Iterable[Decision]) -> int:
        """Add the decisions that are new, in the order of their arrival; returns how many were new."""
        with self._lock:
            fresh = []
            for decision in decisions:
                if decision.id not in self._ids:
                    self._ids.add(decision.id)
                    fresh.append(decision)
            if not fresh:
                return 0
            self._dropped |= len(fresh) > self.most_rows
            kept = fresh[-self.most_rows :]
            self._make_room(len(kept))
            for column, values in self._coded(kept).items():
                self._columns[column][self._size : self._size + len(kept)] = values
            self._size += len(kept)
            self._details.extend(kept)
            self._version += 1
            return len(fresh)

    def view(self) -> WindowView:
        """The window as it stands; the newest ``most_rows`` decisions."""
        with self._lock:
            if self._view.version == self._version:
                return self._view
            start = max(0, self._size - self.most_rows)
            columns = {name: column[start : self._size] for name, column in self._columns.items()}
            details = sorted(self._details, key=_AGE, reverse=True)
            values = {name: tuple(codes) for name, codes in self._codes.items()}
            self._view = WindowView(columns, values, tuple(details), self._covered(start), self._version)
            return self._view

    def _covered(self, start: int) -> datetime | None:
        if self._covers_from is None or (start == 0 and not self._dropped):
            return self._covers_from
        # Dropped decisions arrived before the kept ones, within a second: partitions are not read at the same pace.
        oldest = datetime.fromtimestamp(int(self._columns["$enqueued"][start]) / 1_000_000, UTC)
        return max(self._covers_from, oldest + timedelta(seconds=1))

    def _make_room(self, number: int) -> None:
        capacity = len(self._columns["$id"])
        if self._size + number <= capacity:
            return
        kept = min(self._size, max(self.most_rows - number, 0))
        self._dropped |= kept < self._size
        # Views keep the old arrays, so these must not change.
        larger = _empty(min(max(2 * capacity, 2 * (kept + number)), 2 * self.most_rows))
        for name, column in self._columns.items():
            larger[name][:kept] = column[self._size - kept : self._size]
        self._columns, self._size = larger, kept
        if self._dropped:
            self._ids = set(larger["$id"][:kept].tolist()) | {decision.id for decision in self._details}

    def _coded(self, decisions: Sequence[Decision]) -> Mapping[str, Any]:
        amounts = np.array([as_double(decision.features[AMOUNT]) for decision in decisions], dtype="f8")
        coded: dict[str, Any] = {
            "$id": [decision.id for decision in decisions],
            "$enqueued": [microseconds(decision.enqueued_at) for decision in decisions],
            "$fraud": [decision.fraud for decision in decisions],
            "$amount": amounts,
            "$latency": [np.nan if decision.latency_ms is None else decision.latency_ms for decision in decisions],
        }
        for name in FILTERED:
            coded[name] = [self._code(name, value_of(name, decision)) for decision in decisions]
        return coded

    def _code(self, name: str, value: str | None) -> int:
        if value is None:
            return MISSING
        codes = self._codes[name]
        if value in codes or len(codes) < _MOST_VALUES:
            return codes.setdefault(value, len(codes))
        return codes.setdefault(_OTHERS, len(codes))


def _empty(capacity: int) -> Columns:
    return {name: np.empty(capacity, kind) for name, kind in _COLUMNS.items()}
