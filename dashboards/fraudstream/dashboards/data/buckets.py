"""Rollups read by ``_id``, and read again only after they changed.

A bucket is one (origin, start) of a period. Its document of dimension ``all`` shows whether anything in the bucket
changed, so that an unchanged bucket costs one small read. A bucket whose dimensions do not add up to its total was read
in the middle of a write, or has transactions without a value: it is read again until it stays the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudstream.core.contract.rollups import ALL, rollup_id
from fraudstream.core.documents.client import ROLLUPS
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.fields import OPEN, VALUES
from fraudstream.dashboards.data.store import Store

# The largest whole number that a browser holds exactly. A larger value cannot be a count: ten thousand transactions a
# second take 28,000 years to reach it.
_MOST_COUNTED = 2**53
# A request with this many ids stays far below every store's limit on a request's size.
_MOST_IDS = 1_000
# Of a dimension whose values nobody lists, such as merchants, so many rollups are read at a time.
_MOST_OPEN = 50_000
# A write takes less time than it takes to read the same figures so often.
_SAME_READS = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """A rollup's state. Amounts are sums in the accounts' currency, not finite if they are too large to be summed."""

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
Key = tuple[str, datetime | None]  # origin, start (None for totals)


@dataclass(slots=True)
class _Cached:
    """A bucket as it was read, and how often in a row it was the same."""

    dimensions: dict[str, Tallies]
    reads: int = 1


class Buckets:
    """The buckets of one period. Only one thread may use it."""

    def __init__(self, store: Store, period: str) -> None:
        self._store = store
        self._period = period
        self._cached: dict[Key, _Cached] = {}
        self.changed: list[Key] = []

    def read(self, keys: Sequence[Key], dimensions: Sequence[str]) -> dict[Key, dict[str, Tallies]]:
        """Each bucket that exists, with ``all`` and these dimensions. Raises ``PyMongoError``."""
        wanted = [name for name in dimensions if name != ALL]
        heads = self._find((key, ALL, ALL) for key in keys)
        self.changed = [key for key, head in heads.items() if not self._is_current(key, head[ALL][ALL], wanted)]
        listed = [name for name in wanted if name not in OPEN]
        tallies = self._find((key, name, value) for key in self.changed for name in listed for value in VALUES[name])
        unlisted = [name for name in wanted if name in OPEN]
        for key, cells in self._find_open(self.changed, unlisted).items():
            tallies.setdefault(key, {}).update(cells)
        for key in self.changed:
            cells = tallies.get(key, {})
            self._remember(key, {ALL: heads[key][ALL], **{name: cells.get(name, {}) for name in wanted}})
        # Buckets that are no longer asked for, such as minutes that have passed, are dropped.
        self._cached = {key: self._cached[key] for key in heads}
        return {key: dict(bucket.dimensions) for key, bucket in self._cached.items()}

    def _remember(self, key: Key, dimensions: dict[str, Tallies]) -> None:
        before = self._cached.get(key)
        if before is not None and before.dimensions == dimensions:
            before.reads += 1
        else:
            self._cached[key] = _Cached(dimensions)

    def _is_current(self, key: Key, head: Tally, wanted: Iterable[str]) -> bool:
        bucket = self._cached.get(key)
        if (
            bucket is None
            or bucket.dimensions[ALL][ALL] != head
            or any(name not in bucket.dimensions for name in wanted)
        ):
            return False
        if bucket.reads >= _SAME_READS:
            return True
        counts = (sum(tally.transactions for tally in bucket.dimensions[name].values()) for name in wanted)
        return all(count == head.transactions for count in counts)

    def _find(self, cells: Iterable[tuple[Key, str, str]]) -> dict[Key, dict[str, Tallies]]:
        places = {
            rollup_id(self._period, start, origin, dimension, value): ((origin, start), dimension, value)
            for (origin, start), dimension, value in cells
        }
        buckets: dict[Key, dict[str, Tallies]] = {}
        for document in self._documents(list(places)):
            key, dimension, value = places[document["_id"]]
            if (tally := _tally(document)) is not None:
                buckets.setdefault(key, {}).setdefault(dimension, {})[value] = tally
        return buckets

    def _documents(self, ids: list[str]) -> Iterator[Mapping[str, Any]]:
        for begin in range(0, len(ids), _MOST_IDS):
            yield from stored.read_all(self._store[ROLLUPS].find({"_id": {"$in": ids[begin : begin + _MOST_IDS]}}))

    def _find_open(self, keys: Sequence[Key], dimensions: Sequence[str]) -> dict[Key, dict[str, Tallies]]:
        """The cells of dimensions whose values nobody lists, by the index on (period, origin, start)."""
        buckets: dict[Key, dict[str, Tallies]] = {}
        if not keys or not dimensions:
            return buckets
        for origin in dict.fromkeys(origin for origin, _ in keys):
            starts = [start for name, start in keys if name == origin and start is not None]
            wanted = {"period": self._period, "origin": origin} | ({"start": {"$in": starts}} if starts else {})
            cursor = self._store[ROLLUPS].find(wanted | {"dimension": {"$in": list(dimensions)}}).limit(_MOST_OPEN)
            for document in stored.read_all(cursor):
                dimension, value, tally = document.get("dimension"), document.get("value"), _tally(document)
                if isinstance(dimension, str) and isinstance(value, str) and tally is not None:
                    key = (origin, stored.moment(document.get("start")))
                    buckets.setdefault(key, {}).setdefault(dimension, {})[value] = tally
        return buckets


def _tally(document: Mapping[str, Any]) -> Tally | None:
    """A rollup's state; None if its counts are not valid. A sum that is not a number becomes NaN."""
    transactions, frauds = stored.whole(document.get("transactions")), stored.whole(document.get("frauds"))
    if transactions is None or frauds is None or not 0 <= frauds <= transactions <= _MOST_COUNTED:
        return None
    return Tally(transactions, frauds, _sum(document.get("amount")), _sum(document.get("fraud_amount")))


def _sum(value: Any) -> float:
    amount = stored.number(value)
    return math.nan if amount is None else float(amount)
