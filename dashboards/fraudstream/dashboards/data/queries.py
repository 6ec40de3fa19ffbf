"""Every read of the document store that the pages make, each bounded by what rollups, the ring or a limit can hold.

Rollups are read by ``_id`` alone, which every store behind the contract finds without a scan. Only equality, ``$in``,
one sort on an indexed field and limits are used; all of them are among what Cosmos DB for MongoDB has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.errors import PyMongoError

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.contract.rollups import ALL, DIMENSIONS, ORIGINS
from fraudstream.core.documents.client import RECENT, unavailable
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.buckets import Buckets, Key, Tallies, Tally
from fraudstream.dashboards.data.store import Store

MINUTES_SHOWN = 60
MINUTE = timedelta(minutes=1)
MONTHS_SHOWN = 37

_DECISION_FIELDS = (
    "id",
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


@dataclass(frozen=True, slots=True)
class Decision:
    """One scored transaction; times are UTC, ``latency_ms`` is from the broker's arrival to the decision's."""

    id: int
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

    ``minutes`` has the dimensions too where ``detailed``: the page needs them only while its window cannot tell.
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
    """What the history report shows, read at one moment: origin → (start →) dimension → value → tally."""

    read_at: datetime
    totals: Mapping[str, Mapping[str, Tallies]] = field(default_factory=dict)
    months: Mapping[str, Mapping[datetime, Mapping[str, Tallies]]] = field(default_factory=dict)
    days: Mapping[str, Mapping[datetime, Tally]] = field(default_factory=dict)


def minute_starts(now: datetime) -> list[datetime]:
    """The minutes on the time line, oldest first; the last one is still running at ``now``."""
    current = now.astimezone(UTC).replace(second=0, microsecond=0)
    return [current - MINUTE * back for back in range(MINUTES_SHOWN - 1, -1, -1)]


def month_starts(now: datetime) -> list[datetime]:
    """The months that can hold events, oldest first, up to the one after ``now``'s day."""
    newest = now.astimezone(UTC) + timedelta(days=1)
    count = newest.year * 12 + newest.month - 1
    return [datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(count - MONTHS_SHOWN + 1, count + 1)]


def day_starts(month: datetime) -> list[datetime]:
    """The days of a month."""
    following = (month + timedelta(days=31)).replace(day=1)
    return [month + timedelta(days=day) for day in range((following - month).days)]


class Reader:
    """Reads snapshots, remembering the rollups that have not changed. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._totals = Buckets(store, "total")
        self._minutes = Buckets(store, "minute")
        self._months = Buckets(store, "month")
        self._days: dict[str, dict[datetime, Tally]] = {origin: {} for origin in ORIGINS}
        self._unsettled: set[Key] = set()

    def live(self, now: datetime, *, ring: bool) -> LiveSnapshot:
        """Read the live page's share; ``ring``: the newest stored decisions and minutes by dimension as well.

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
        """Read the report's share. Raises :class:`StoreUnavailable`."""
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
        """Read the days of the months that changed; days that do not add up to theirs are read again next time."""
        self._unsettled = set()
        for origin, month in changed:
            if month is None or (origin, month) not in months:
                continue
            found = Buckets(self._store, "day").read([(origin, day) for day in day_starts(month)], ())
            counted = {day: tallies[ALL][ALL] for (_, day), tallies in found.items() if day is not None}
            self._days[origin] |= counted
            if sum(tally.transactions for tally in counted.values()) != months[origin, month][ALL][ALL].transactions:
                self._unsettled.add((origin, month))


def read_recent(store: Store) -> tuple[Decision, ...]:
    """The ring of newest decisions, newest first."""
    projection = dict.fromkeys((*_DECISION_FIELDS, *FEATURES), 1)
    found = (decision_from(document) for document in stored.read_all(store[RECENT].find({}, projection)))
    decisions = [decision for decision in found if decision is not None]
    return tuple(sorted(decisions, key=lambda decision: (decision.enqueued_at, decision.id), reverse=True))


def decision_from(document: Mapping[str, Any]) -> Decision | None:
    """A document of `recent` as a decision; None for one that is none."""
    number, event_time = stored.whole(document.get("id")), stored.moment(document.get("event_time"))
    enqueued_at, source = stored.moment(document.get("enqueued_at")), document.get("source")
    partition = stored.whole(source.get("partition")) if isinstance(source, Mapping) else None
    score, threshold = stored.number(document.get("score")), stored.number(document.get("threshold"))
    features = {name: document[name] for name in FEATURES if name in document}
    if number is None or event_time is None or enqueued_at is None or partition is None:
        return None
    if score is None or threshold is None or not stored.is_usable(features):
        return None
    return Decision(
        id=number,
        event_time=event_time,
        enqueued_at=enqueued_at,
        partition=partition,
        fraud=document.get("prediction") == 1,
        score=float(score),
        threshold=float(threshold),
        model_version=stored.text(document.get("model_version"), 60),
        latency_ms=stored.milliseconds(document.get("latency_ms")),
        reasons=tuple(stored.reasons(document.get("reasons"))),
        features=features,
    )


def summed(parts: Iterable[Mapping[str, Tallies]], dimensions: Sequence[str] = DIMENSIONS) -> dict[str, Tallies]:
    """Several buckets as one: each value's tally over all of them."""
    found: dict[str, Tallies] = {name: {} for name in dimensions}
    for part in parts:
        for name in dimensions:
            for value, tally in part.get(name, {}).items():
                found[name][value] = found[name].get(value, Tally()) + tally
    return found
