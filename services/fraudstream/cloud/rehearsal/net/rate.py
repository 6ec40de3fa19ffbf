"""The rate that an endpoint lets in: what goes beyond it waits."""

from __future__ import annotations

import time


class Rate:
    """So much per second; what goes beyond it waits for a later second.

    ``burst_seconds``: what so many seconds allow may come at once.
    """

    def __init__(self, per_second: float, burst_seconds: float = 1.0) -> None:
        self.per_second = per_second
        self._burst_seconds = burst_seconds
        self._free_at = 0.0
        self._storm_until = 0.0
        self._storm_share = 1.0

    def delay(self, amount: float) -> float:
        """Count so much; returns the seconds that it has to wait."""
        now = time.monotonic()
        rate = self.per_second * (self._storm_share if now < self._storm_until else 1.0)
        start = max(self._free_at, now - self._burst_seconds)
        self._free_at = start + amount / rate
        return max(0.0, self._free_at - now)

    def admitted(self, amount: float, most_seconds: float) -> float | None:
        """As :meth:`delay`; None, and nothing is counted, where it would wait for longer than ``most_seconds``."""
        before = self._free_at
        seconds = self.delay(amount)
        if seconds <= most_seconds:
            return seconds
        self._free_at = before
        return None

    def storm(self, seconds: float, share: float) -> None:
        """Lower the rate to this share for so many seconds."""
        self._storm_until = time.monotonic() + seconds
        self._storm_share = share
