"""Rollups read by ``_id``, and read again only after they changed.

A bucket is one (origin, start) of a period. Its document of dimension ``all`` shows whether anything in the bucket
changed, so that an unchanged bucket costs one small read. A bucket whose dimensions do not add up to its total was read
in the middle of a write: it is read again the next time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudstream.core.contract.event import RULES
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, EVENT_DIMENSIONS, HOUR, amount_bins, rollup_id
from fraudstream.core.documents.client import ROLLUPS
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.store import Store


def _listed(rule: FieldRule) -> tuple[str, ...]:
    """Every value that a field of few values may hold, as text."""
    least, most = rule.range
    return rule.choices or tuple(str(number) for number in range(int(least), int(most) + 1))


# Every value of a dimension, in the order in which the figures show them; the event contract admits no other.
VALUES: dict[str, tuple[str, ...]] = {
    ALL: (ALL,),
    **{name: _listed(RULES[name]) for name in EVENT_DIMENSIONS},
    HOUR: tuple(str(hour) for hour in range(24)),
    AMOUNT_BIN: amount_bins(),
}

# The largest whole number that a browser holds exactly. A larger value cannot be a count: ten thousand transactions a
# second take 28,000 years to reach it.
_MOST_COUNTED = 2**53
# A request with this many ids stays far below every store's limit on a request's size.
_MOST_IDS = 1_000


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


class Buckets:
    """The buckets of one period. Only one thread may use it."""

    def __init__(self, store: Store, period: str) -> None:
        self._store = store
        self._period = period
        self._cached: dict[Key, dict[str, Tallies]] = {}
        self.changed: list[Key] = []

    def read(self, keys: Sequence[Key], dimensions: Sequence[str]) -> dict[Key, dict[str, Tallies]]:
        """Each bucket that exists, with ``all`` and these dimensions. Raises ``PyMongoError``."""
        wanted = [name for name in dimensions if name != ALL]
        heads = self._find((key, ALL, ALL) for key in keys)
        self.changed = [key for key, head in heads.items() if not self._is_current(key, head[ALL], wanted)]
        tallies = self._find((key, name, value) for key in self.changed for name in wanted for value in VALUES[name])
        for key in self.changed:
            self._cached[key] = {ALL: heads[key][ALL], **{name: tallies.get(key, {}).get(name, {}) for name in wanted}}
        # Buckets that are no longer asked for, such as minutes that have passed, are dropped.
        self._cached = {key: self._cached[key] for key in heads}
        return {key: dict(bucket) for key, bucket in self._cached.items()}

    def _is_current(self, key: Key, head: Tallies, wanted: Iterable[str]) -> bool:
        bucket = self._cached.get(key)
        if bucket is None or bucket[ALL] != head:
            return False
        total = head[ALL].transactions
        return all(
            name in bucket and sum(tally.transactions for tally in bucket[name].values()) == total for name in wanted
        )

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


def _tally(document: Mapping[str, Any]) -> Tally | None:
    """A rollup's state; None if its counts are not valid. A sum that is not a number becomes NaN."""
    transactions, frauds = stored.whole(document.get("transactions")), stored.whole(document.get("frauds"))
    if transactions is None or frauds is None or not 0 <= frauds <= transactions <= _MOST_COUNTED:
        return None
    return Tally(transactions, frauds, _sum(document.get("amount")), _sum(document.get("fraud_amount")))


def _sum(value: Any) -> float:
    amount = stored.number(value)
    return math.nan if amount is None else float(amount)
