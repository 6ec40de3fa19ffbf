"""Every read of the document store that the pages make, each bounded by what rollups and the ring can hold.

Only equality and ``$in`` filters are used, and sorting is done here: every store behind the contract can do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pymongo.errors import PyMongoError

from fraudstream.core.documents import RECENT, ROLLUPS, unavailable
from fraudstream.core.event import FEATURES
from fraudstream.core.rollups import ALL, ORIGINS, rollup_id

MINUTES_SHOWN = 60
MINUTE = timedelta(minutes=1)

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


class Documents(Protocol):
    """A collection, as far as the pages need one."""

    def find(self, filter: Mapping[str, Any], projection: Any = None, /) -> Iterable[Mapping[str, Any]]: ...


class Store(Protocol):
    """A database: pymongo's, or one in memory."""

    def __getitem__(self, name: str, /) -> Documents: ...


@dataclass(frozen=True, slots=True)
class Tally:
    """A rollup's state; amounts are sums in the accounts' currency."""

    transactions: int = 0
    frauds: int = 0
    amount: float = 0.0
    fraud_amount: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.transactions + other.transactions,
            self.frauds + other.frauds,
            self.amount + other.amount,
            self.fraud_amount + other.fraud_amount,
        )

    @property
    def legitimate(self) -> int:
        return self.transactions - self.frauds


Tallies = dict[str, Tally]  # a dimension's value → its tally


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
class Snapshot:
    """What the pages show, read at one moment (UTC). ``recent`` is newest first."""

    read_at: datetime
    totals: Mapping[str, Mapping[str, Tallies]] = field(default_factory=dict)
    minutes: Mapping[datetime, Tally] = field(default_factory=dict)
    recent: tuple[Decision, ...] = ()

    def tallies(self, dimension: str, origins: Iterable[str]) -> Tallies:
        """Each value of a dimension with its tally, summed over the origins."""
        summed: Tallies = {}
        for origin in origins:
            for value, tally in self.totals.get(origin, {}).get(dimension, {}).items():
                summed[value] = summed.get(value, Tally()) + tally
        return summed

    def total(self, origins: Iterable[str]) -> Tally:
        """Everything of these origins; zeros when there is nothing."""
        return self.tallies(ALL, origins).get(ALL, Tally())


def minute_starts(now: datetime) -> list[datetime]:
    """The minutes on the time line, oldest first; the last one is still running at ``now``."""
    current = now.astimezone(UTC).replace(second=0, microsecond=0)
    return [current - MINUTE * back for back in range(MINUTES_SHOWN - 1, -1, -1)]


def read_snapshot(store: Store, now: datetime) -> Snapshot:
    """Read all that the pages show; raises :class:`StoreUnavailable` when the store does not answer."""
    try:
        return Snapshot(now, read_totals(store), read_minutes(store, now), read_recent(store))
    except PyMongoError as error:
        raise unavailable(error) from error


def read_totals(store: Store) -> dict[str, dict[str, Tallies]]:
    """The totals, origin → dimension → value."""
    totals: dict[str, dict[str, Tallies]] = {origin: {} for origin in ORIGINS}
    for document in store[ROLLUPS].find({"period": "total", "origin": {"$in": list(ORIGINS)}}):
        value = str(document["value"])
        totals[document["origin"]].setdefault(document["dimension"], {})[value] = _tally(document)
    return totals


def read_minutes(store: Store, now: datetime) -> dict[datetime, Tally]:
    """Live traffic of the last hour, minute by minute; minutes without traffic are absent."""
    ids = [rollup_id("minute", start, "live", ALL, ALL) for start in minute_starts(now)]
    found = store[ROLLUPS].find({"_id": {"$in": ids}})
    return {document["start"].astimezone(UTC): _tally(document) for document in found}


def read_recent(store: Store) -> tuple[Decision, ...]:
    """The ring of newest decisions, newest first."""
    projection = dict.fromkeys((*_DECISION_FIELDS, *FEATURES), 1)
    decisions = [_decision(document) for document in store[RECENT].find({}, projection)]
    return tuple(sorted(decisions, key=lambda decision: (decision.enqueued_at, decision.id), reverse=True))


def _tally(document: Mapping[str, Any]) -> Tally:
    return Tally(
        int(document["transactions"]),
        int(document["frauds"]),
        float(document["amount"]),
        float(document["fraud_amount"]),
    )


def _decision(document: Mapping[str, Any]) -> Decision:
    latency = document.get("latency_ms")
    return Decision(
        id=int(document["id"]),
        event_time=document["event_time"].astimezone(UTC),
        enqueued_at=document["enqueued_at"].astimezone(UTC),
        partition=int(document["source"]["partition"]),
        fraud=document["prediction"] == 1,
        score=float(document["score"]),
        threshold=float(document["threshold"]),
        model_version=str(document["model_version"]),
        latency_ms=None if latency is None else float(latency),
        reasons=tuple((reason["field"], float(reason["contribution"])) for reason in document.get("reasons") or ()),
        features={name: document[name] for name in FEATURES if name in document},
    )
