"""A rate of events that an endpoint keeps to: what is over it waits."""

from __future__ import annotations

import time


class Rate:
    """Events in one second's allowance; what is over it waits for its turn."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._free_at = 0.0
        self._storm_until = 0.0
        self._storm_share = 1.0

    def delay(self, amount: float) -> float:
        """Seconds that so many events have to wait; they are counted."""
        now = time.monotonic()
        rate = self.per_second * (self._storm_share if now < self._storm_until else 1.0)
        # A second's worth may come at once.
        start = max(self._free_at, now - 1.0)
        self._free_at = start + amount / rate
        return max(0.0, self._free_at - now)

    def storm(self, seconds: float, share: float) -> None:
        """For so long, only this share of the rate."""
        self._storm_until = time.monotonic() + seconds
        self._storm_share = share
