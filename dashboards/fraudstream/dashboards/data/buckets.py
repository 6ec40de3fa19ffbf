"""Rollups read by ``_id``, and read again only where they changed.

A bucket is one (origin, start) of a period. Its document of dimension ``all`` tells whether anything in it changed, so
that what stands still costs one small read. A bucket whose dimensions do not add up to it was read in the middle of a
write: it is read again the next time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from fraudstream.core.contract.event import Category, DayOfWeek, Method, TransactionType
from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN, HOUR, amount_bins, rollup_id
from fraudstream.core.documents.client import ROLLUPS
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.store import Store

# Every value of a dimension in the order in which it is drawn; the event contract admits no other.
VALUES: dict[str, tuple[str, ...]] = {
    ALL: (ALL,),
    "day_of_week": get_args(DayOfWeek),
    "month": tuple(str(month) for month in range(1, 13)),
    "category_recipient": get_args(Category),
    "transaction_type": get_args(TransactionType),
    "transaction_method": get_args(Method),
    HOUR: tuple(str(hour) for hour in range(24)),
    AMOUNT_BIN: amount_bins(),
}

# A thousand years of ten thousand a second: what is beyond is no count, and no browser's number holds it.
_MOST_COUNTED = 2**53
# A request of this many ids stays far below every store's limit for one.
_MOST_IDS = 1_000


@dataclass(frozen=True, slots=True)
class Tally:
    """A rollup's state; amounts are sums in the accounts' currency, not finite where they cannot be summed."""

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
    """The buckets of one period. For one thread."""

    def __init__(self, store: Store, period: str) -> None:
        self._store = store
        self._period = period
        self._known: dict[Key, dict[str, Tallies]] = {}
        self.changed: list[Key] = []

    def read(self, keys: Sequence[Key], dimensions: Sequence[str]) -> dict[Key, dict[str, Tallies]]:
        """Each bucket that exists, with these dimensions beside ``all``. Raises ``PyMongoError``."""
        wanted = [name for name in dimensions if name != ALL]
        heads = self._find((key, ALL, ALL) for key in keys)
        self.changed = [key for key, head in heads.items() if not self._is_known(key, head[ALL], wanted)]
        found = self._find((key, name, value) for key in self.changed for name in wanted for value in VALUES[name])
        for key in self.changed:
            self._known[key] = {ALL: heads[key][ALL], **{name: found.get(key, {}).get(name, {}) for name in wanted}}
        # What is no longer asked for is let go: minutes pass.
        self._known = {key: self._known[key] for key in heads}
        return {key: dict(tallies) for key, tallies in self._known.items()}

    def _is_known(self, key: Key, head: Tallies, wanted: Iterable[str]) -> bool:
        known = self._known.get(key)
        if known is None or known[ALL] != head:
            return False
        counted = head[ALL].transactions
        return all(
            name in known and sum(tally.transactions for tally in known[name].values()) == counted for name in wanted
        )

    def _find(self, cells: Iterable[tuple[Key, str, str]]) -> dict[Key, dict[str, Tallies]]:
        places = {
            rollup_id(self._period, start, origin, dimension, value): ((origin, start), dimension, value)
            for (origin, start), dimension, value in cells
        }
        found: dict[Key, dict[str, Tallies]] = {}
        for document in self._documents(list(places)):
            key, dimension, value = places[document["_id"]]
            if (tally := _tally(document)) is not None:
                found.setdefault(key, {}).setdefault(dimension, {})[value] = tally
        return found

    def _documents(self, ids: list[str]) -> Iterator[Mapping[str, Any]]:
        for begin in range(0, len(ids), _MOST_IDS):
            yield from stored.read_all(self._store[ROLLUPS].find({"_id": {"$in": ids[begin : begin + _MOST_IDS]}}))


def _tally(document: Mapping[str, Any]) -> Tally | None:
    """A rollup's state; None where it is no count. A sum that is none is not a number (NaN)."""
    transactions, frauds = stored.whole(document.get("transactions")), stored.whole(document.get("frauds"))
    if transactions is None or frauds is None or not 0 <= frauds <= transactions <= _MOST_COUNTED:
        return None
    return Tally(transactions, frauds, _sum(document.get("amount")), _sum(document.get("fraud_amount")))


def _sum(value: Any) -> float:
    known = stored.number(value)
    return math.nan if known is None else float(known)
