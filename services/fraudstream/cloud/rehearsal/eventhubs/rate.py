"""The rate of events that an endpoint lets in: further events wait."""

from __future__ import annotations

import time


class Rate:
    """Events per second; events beyond the rate wait for a later second."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._free_at = 0.0
        self._storm_until = 0.0
        self._storm_share = 1.0

    def delay(self, amount: float) -> float:
        """Count so many events; returns the seconds that they have to wait."""
        now = time.monotonic()
        rate = self.per_second * (self._storm_share if now < self._storm_until else 1.0)
        # The events of one second may come at once.
        start = max(self._free_at, now - 1.0)
        self._free_at = start + amount / rate
        return max(0.0, self._free_at - now)

    def storm(self, seconds: float, share: float) -> None:
        """Lower the rate to this share for so many seconds."""
        self._storm_until = time.monotonic() + seconds
        self._storm_share = share
