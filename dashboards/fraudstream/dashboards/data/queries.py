"""The pages' reads of rollups and of the ring of newest decisions; each reads a bounded number of documents.

Rollups are read by ``_id`` alone, which every document store finds without a scan. Queries use only equality, ``$in``,
one sort on an indexed field, and limits: Cosmos DB for MongoDB has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.errors import PyMongoError

from fraudstream.core.contract.event import ID
from fraudstream.core.contract.rollups import ALL, DIMENSIONS, ORIGINS
from fraudstream.core.documents.client import RECENT, unavailable
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.buckets import Buckets, Key, Tallies, Tally
from fraudstream.dashboards.data.store import Store

MINUTES_SHOWN = 60
MINUTE = timedelta(minutes=1)
MONTHS_SHOWN = 37

_DECISION_FIELDS = (
    "event_time",
    "enqueued_at",
    "prediction",
    "score",
    "threshold",
    "model_version",
    "latency_ms",
    "reasons",
    "source.partition",
)
# The fields of reasons beyond those that are kept are not read: the words of a reason go without a value then.
_RING_PROJECTION = fields.projection(_DECISION_FIELDS, (ID, *fields.KEPT))


@dataclass(frozen=True, slots=True)
class Decision:
    """One scored transaction. Times are UTC; ``latency_ms`` is the time from its arrival to that of its decision.

    ``features`` are the fields that the pages count and show, without those that are missing.
    """

    id: int | str
    event_time: datetime
    enqueued_at: datetime
    partition: int
    fraud: bool
    score: float
    threshold: float
    model_version: str
    latency_ms: float | None
    reasons: tuple[tuple[str, float], ...]
    features: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """What the live page shows from the store, read at one moment (UTC). ``recent`` is newest first.

    ``detailed``: ``minutes`` has all dimensions, and ``recent`` is read. The page needs both only while the topic's
    tail is not caught up.
    """

    read_at: datetime
    totals: Mapping[str, Tallies] = field(default_factory=dict)
    minutes: Mapping[datetime, Mapping[str, Tallies]] = field(default_factory=dict)
    recent: tuple[Decision, ...] = ()
    detailed: bool = False

    @property
    def total(self) -> Tally:
        """Everything scored so far."""
        return self.totals.get(ALL, {}).get(ALL, Tally())


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    """What the history report shows, read at one moment (UTC): origin → (start →) dimension → value → tally."""

    read_at: datetime
    totals: Mapping[str, Mapping[str, Tallies]] = field(default_factory=dict)
    months: Mapping[str, Mapping[datetime, Mapping[str, Tallies]]] = field(default_factory=dict)
    days: Mapping[str, Mapping[datetime, Tally]] = field(default_factory=dict)


def minute_starts(now: datetime) -> list[datetime]:
    """The starts of the minutes on the time line, oldest first; the last minute is still running at ``now``."""
    current = now.astimezone(UTC).replace(second=0, microsecond=0)
    return [current - MINUTE * back for back in range(MINUTES_SHOWN - 1, -1, -1)]


def month_starts(now: datetime) -> list[datetime]:
    """The starts of the months that can hold events, oldest first, up to the month of the day after ``now``."""
    newest = now.astimezone(UTC) + timedelta(days=1)
    count = newest.year * 12 + newest.month - 1
    return [datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(count - MONTHS_SHOWN + 1, count + 1)]


def day_starts(month: datetime) -> list[datetime]:
    """The starts of a month's days."""
    following = (month + timedelta(days=31)).replace(day=1)
    return [month + timedelta(days=day) for day in range((following - month).days)]


class Reader:
    """Reads snapshots, and keeps the rollups that have not changed. Only one thread may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._totals = Buckets(store, "total")
        self._minutes = Buckets(store, "minute")
        self._months = Buckets(store, "month")
        self._days: dict[str, dict[datetime, Tally]] = {origin: {} for origin in ORIGINS}
        self._unsettled: set[Key] = set()

    def live(self, now: datetime, *, ring: bool) -> LiveSnapshot:
        """Read the live page's rollups; with ``ring`` also the newest stored decisions and the minutes by dimension.

        Raises :class:`StoreUnavailable` when the store does not answer.
        """
        try:
            totals = self._totals.read([("live", None)], DIMENSIONS)
            starts = minute_starts(now)
            minutes = self._minutes.read([("live", start) for start in starts], DIMENSIONS if ring else ())
            return LiveSnapshot(
                now,
                totals.get(("live", None), {}),
                {start: minutes["live", start] for start in starts if ("live", start) in minutes},
                read_recent(self._store) if ring else (),
                ring,
            )
        except PyMongoError as error:
            raise unavailable(error) from error

    def history(self, now: datetime) -> HistorySnapshot:
        """Read the report's rollups. Raises :class:`StoreUnavailable`."""
        try:
            totals = self._totals.read([(origin, None) for origin in ORIGINS], DIMENSIONS)
            keys: list[Key] = [(origin, start) for origin in ORIGINS for start in month_starts(now)]
            months = self._months.read(keys, DIMENSIONS)
            self._read_days(months, self._unsettled.union(self._months.changed))
        except PyMongoError as error:
            raise unavailable(error) from error
        return HistorySnapshot(
            now,
            {origin: totals.get((origin, None), {}) for origin in ORIGINS},
            {
                origin: {start: months[name, start] for name, start in months if start and name == origin}
                for origin in ORIGINS
            },
            {origin: dict(days) for origin, days in self._days.items()},
        )

    def _read_days(self, months: Mapping[Key, Mapping[str, Tallies]], changed: Iterable[Key]) -> None:
        """Read the days of the months that changed. Days that do not add up to their month are read again next time."""
        self._unsettled = set()
        for origin, month in changed:
            if month is None or (origin, month) not in months:
                continue
            buckets = Buckets(self._store, "day").read([(origin, day) for day in day_starts(month)], ())
            days = {day: tallies[ALL][ALL] for (_, day), tallies in buckets.items() if day is not None}
            self._days[origin] |= days
            if sum(tally.transactions for tally in days.values()) != months[origin, month][ALL][ALL].transactions:
                self._unsettled.add((origin, month))


def read_recent(store: Store) -> tuple[Decision, ...]:
    """The ring of newest decisions, newest first."""
    decisions = (decision_from(document) for document in stored.read_all(store[RECENT].find({}, _RING_PROJECTION)))
    usable = (decision for decision in decisions if decision is not None)
    return tuple(sorted(usable, key=lambda decision: (decision.enqueued_at, decision.id), reverse=True))


def decision_from(document: Mapping[str, Any]) -> Decision | None:
    """A document of `recent` as a decision; None if it is not a valid one."""
    transaction_id, event_time = fields.id_of(document.get(ID)), stored.moment(document.get("event_time"))
    enqueued_at, source = stored.moment(document.get("enqueued_at")), document.get("source")
    partition = stored.whole(source.get("partition")) if isinstance(source, Mapping) else None
    score, threshold = stored.number(document.get("score")), stored.number(document.get("threshold"))
    features, reasons = fields.kept(document), tuple(stored.reasons(document.get("reasons")))
    if transaction_id is None or event_time is None or enqueued_at is None or partition is None:
        return None
    if score is None or threshold is None or features is None:
        return None
    return Decision(
        id=transaction_id,
        event_time=event_time,
        enqueued_at=enqueued_at,
        partition=partition,
        fraud=document.get("prediction") == 1,
        score=float(score),
        threshold=float(threshold),
        model_version=stored.text(document.get("model_version"), 60),
        latency_ms=stored.milliseconds(document.get("latency_ms")),
        reasons=reasons,
        features=fields.named_in(reasons, document) | features,
    )


def summed(parts: Iterable[Mapping[str, Tallies]], dimensions: Sequence[str] = DIMENSIONS) -> dict[str, Tallies]:
    """Several buckets added up: each value's tally over all of them."""
    sums: dict[str, Tallies] = {name: {} for name in dimensions}
    for part in parts:
        for name in dimensions:
            for value, tally in part.get(name, {}).items():
                sums[name][value] = sums[name].get(value, Tally()) + tally
    return sums
