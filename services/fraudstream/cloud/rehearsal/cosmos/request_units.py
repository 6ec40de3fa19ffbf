"""Request units: a budget for each second, and the charge of an operation.

The charges are an estimate. Microsoft publishes one number (a point read of 1 KB costs 1 RU, concepts-limits); the
others follow the published rules of thumb (a write costs about five reads, every indexed path adds to it). They are
good enough to compare budgets, not to foresee a bill.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

READ_PER_KB = 1.0
QUERY_BASE = 2.5
WRITE_PER_KB = 5.0
WRITE_PER_INDEX = 0.5
DELETE = 5.0


def read_charge(returned_bytes: int) -> float:
    """The charge of a query that returned so many bytes."""
    return QUERY_BASE + READ_PER_KB * max(1, math.ceil(returned_bytes / 1024))


def write_charge(document_bytes: int, indexes: int) -> float:
    """The charge of an insert or a replacement."""
    return WRITE_PER_KB * max(1.0, document_bytes / 1024) + WRITE_PER_INDEX * indexes


class Budget:
    """Request units per second. A second that spends too much leaves less for the next one."""

    def __init__(self, units_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.units_per_second = units_per_second
        self._clock = clock
        self._second = math.floor(clock())
        self._left = units_per_second
        self._used = 0.0
        self._storm_until = 0.0
        self._storm_share = 1.0
        self.most_used = 0.0
        self.total = 0.0

    @property
    def left(self) -> float:
        """Units that this second still has; negative where the next second has less for it."""
        return self._left

    def spend(self, units: float) -> int | None:
        """Charge the units and return None, or return the milliseconds after which to try again."""
        wait = self.wait_ms()
        if wait is None:
            self.charge(units)
        return wait

    def wait_ms(self) -> int | None:
        """None while there are units left, else the milliseconds until there are."""
        now = self._turn()
        if self._left > 0:
            return None
        share = self._share(now)
        seconds = math.floor(-self._left / (self.units_per_second * share)) + 1
        return max(1, math.ceil((self._second + seconds - now) * 1000))

    def charge(self, units: float) -> None:
        """Charge an operation that is done: the answer of a query decides its cost."""
        self._turn()
        self._left -= units
        self._used += units
        self.total += units
        self.most_used = max(self.most_used, self._used)

    def storm(self, seconds: float, share: float) -> None:
        """Give only this share of the budget for so many seconds, as with other tenants or a hot partition."""
        self._storm_until = self._clock() + seconds
        self._storm_share = share

    def _share(self, now: float) -> float:
        return self._storm_share if now < self._storm_until else 1.0

    def _turn(self) -> float:
        now = self._clock()
        passed = math.floor(now) - self._second
        if passed > 0:
            allowance = self.units_per_second * self._share(now)
            self._left = min(allowance, self._left + passed * allowance)
            self._second += passed
            self._used = 0.0
        return now
