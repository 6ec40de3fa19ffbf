"""Rollups read by ``_id``, and read again only where they changed.

A bucket is one (origin, start) of a period. Its document of dimension ``all`` tells whether anything in it changed, so
that what stands still costs one small read. A bucket whose dimensions do not add up to it was read in the middle of a
write: it is read again the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from fraudstream.core.documents import ROLLUPS
from fraudstream.core.event import Category, DayOfWeek, Method, TransactionType
from fraudstream.core.rollups import ALL, AMOUNT_BIN, HOUR, amount_bins, rollup_id

if TYPE_CHECKING:
    from fraudstream.dashboards.queries import Store

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

# A request of this many ids stays far below every store's limit for one.
_MOST_IDS = 1_000


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
            found.setdefault(key, {}).setdefault(dimension, {})[value] = _tally(document)
        return found

    def _documents(self, ids: list[str]) -> Iterator[Mapping[str, Any]]:
        for begin in range(0, len(ids), _MOST_IDS):
            yield from self._store[ROLLUPS].find({"_id": {"$in": ids[begin : begin + _MOST_IDS]}})


def _tally(document: Mapping[str, Any]) -> Tally:
    return Tally(
        int(document["transactions"]),
        int(document["frauds"]),
        float(document["amount"]),
        float(document["fraud_amount"]),
    )
