"""The history report's figures for a reader's origin and periods: pure functions of rollups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fraudstream.core.contract.event import AMOUNT, RULES
from fraudstream.core.contract.field_rules import value_at
from fraudstream.core.contract.rollups import (
    ALL,
    AMOUNT_BIN,
    DIMENSIONS,
    EDGES,
    HOUR,
    ORIGINS,
    TIME_DIMENSIONS,
    WEEKDAY,
)
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.measures import share, wilson_band
from fraudstream.dashboards.data.queries import HistorySnapshot, summed
from fraudstream.dashboards.data.searches import asked, satisfies

# The calendar offers much less, and arithmetic with these years stays within what ``datetime`` can hold.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999

CHOICES: dict[str, tuple[str, ...]] = {"all": ORIGINS, "history": ("history",), "live": ("live",)}


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months from ``first`` to ``last``, both inclusive; each is the start of its month (UTC)."""

    first: datetime
    last: datetime

    @property
    def end(self) -> datetime:
        """The first moment after the period (UTC)."""
        return (self.last + timedelta(days=31)).replace(day=1)

    @property
    def text(self) -> str:
        """As the address and the exports name it: ``2026-01..2026-03``."""
        return f"{self.first:%Y-%m}..{self.last:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Report:
    """A period's figures: dimension → value → tally, and day → tally."""

    dimensions: Mapping[str, Tallies]
    days: Mapping[datetime, Tally]

    @property
    def total(self) -> Tally:
        return self.dimensions.get(ALL, {}).get(ALL, Tally())


def period(months: Sequence[Any] | None) -> Period | None:
    """Two months, each as ``2026-01`` or as a date within it, as a period; None for anything else."""
    if not isinstance(months, list | tuple) or len(months) < 2:
        return None
    try:
        first, last = (datetime.strptime(str(month)[:7], "%Y-%m").replace(tzinfo=UTC) for month in months[:2])
    except ValueError:
        return None
    if not all(_FIRST_YEAR <= month.year <= _LAST_YEAR for month in (first, last)):
        return None
    return Period(min(first, last), max(first, last))


def origin_of(choice: Any) -> str:
    """The key of :data:`CHOICES` that a browser sent; ``all`` for anything else."""
    return str(choice) if str(choice) in CHOICES else "all"


def report(snapshot: HistorySnapshot, choice: str, chosen: Period | None) -> Report:
    """The figures of an origin (a key of :data:`CHOICES`): of all that is stored, or of the months of a period."""
    origins = CHOICES[choice]
    if chosen is None:
        counted = summed([snapshot.totals.get(origin, {}) for origin in origins])
    else:
        counted = summed(
            tallies
            for origin in origins
            for month, tallies in snapshot.months.get(origin, {}).items()
            if chosen.first <= month <= chosen.last
        )
    days: dict[datetime, Tally] = {}
    for origin in origins:
        for day, tally in snapshot.days.get(origin, {}).items():
            if chosen is None or chosen.first <= day < chosen.end:
                days[day] = days.get(day, Tally()) + tally
    return Report(counted, days)


def table(counted: Report) -> list[dict[str, Any]]:
    """The report as rows, one for each value of each dimension; the total comes first."""
    rows = []
    for dimension in DIMENSIONS:
        tallies = counted.dimensions.get(dimension, {})
        for value in (*VALUES[dimension], *sorted(set(tallies) - set(VALUES[dimension]))):
            tally = tallies.get(value, Tally())
            band = wilson_band(tally.frauds, tally.transactions)
            rows.append(
                {
                    "dimension": dimension,
                    "value": value,
                    "transactions": tally.transactions,
                    "frauds": tally.frauds,
                    "fraud_rate": share(tally.frauds, tally.transactions),
                    "fraud_rate_low": band[0] if band else None,
                    "fraud_rate_high": band[1] if band else None,
                    "amount": _rounded(tally.amount),
                    "fraud_amount": _rounded(tally.fraud_amount),
                }
            )
    return rows


def _rounded(amount: float) -> float | None:
    # A sum that is not finite is an empty cell: a file has no number for it.
    return round(amount, 2) if math.isfinite(amount) else None


@dataclass(frozen=True, slots=True)
class Drill:
    """The bar whose transactions a reader wants to see: a dimension and its value."""

    dimension: str
    value: str

    @property
    def is_known(self) -> bool:
        return fields.is_value(self.dimension, self.value)

    @property
    def _field(self) -> str:
        return AMOUNT if self.dimension == AMOUNT_BIN else self.dimension

    def criteria(self, choice: str, chosen: Period | None) -> dict[str, Any]:
        """The store's filter. It leaves out what no store can be asked for: see :meth:`keeps`."""
        wanted: dict[str, Any] = {}
        if self.dimension in RULES or self.dimension == AMOUNT_BIN:
            wanted = asked({self._field: self._condition()})
        if choice != "all":
            wanted["origin"] = CHOICES[choice][0]
        if chosen is not None:
            wanted["event_time"] = {"$gte": chosen.first, "$lt": chosen.end}
        return wanted

    def _condition(self) -> Any:
        if self.dimension in EDGES:
            edges, place = EDGES[self.dimension], VALUES[self.dimension].index(self.value)
            low = {"$gte": float(edges[place])} if place else {}
            return low | ({"$lt": float(edges[place + 1])} if place + 1 < len(edges) else {}) or {"$gte": -math.inf}
        kind = RULES[self.dimension].kind
        if kind == "bool":
            return self.value == "true"
        return int(self.value) if kind == "int" else self.value

    def keeps(self, document: Mapping[str, Any]) -> bool:
        """Whether a document that satisfies the criteria belongs to the bar."""
        if self.dimension in TIME_DIMENSIONS:
            at = stored.moment(document.get("event_time"))
            return at is not None and self.value == str(
                at.hour if self.dimension == HOUR else at.isoweekday() if self.dimension == WEEKDAY else at.month
            )
        if self.dimension == ALL or fields.can_ask(self._field):
            return True
        return satisfies(value_at(document, RULES[self._field].path), self._condition())


def drill_of(pair: Any) -> Drill | None:
    """A dimension and a value, as a browser sends them, as a bar; None for anything else."""
    return Drill(*map(str, pair)) if isinstance(pair, list) and len(pair) == 2 else None
