"""How much may come in: throughput units, as Event Hubs sells them, over a window of a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from fraudstream.ingest.refusal import Refusal

# One unit (event-hubs-quotas, "throughput units"): 1 MB or 1,000 events a second, whichever is reached first.
UNIT_BYTES = 1_000_000
UNIT_EVENTS = 1_000
_RETRY_SECONDS = 1


class Quota:
    """Buckets of events and bytes that fill at the units' rate and hold a second of it; 0 units are no limit."""

    def __init__(self, units: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._units = units
        self._clock = clock
        self._events = float(units * UNIT_EVENTS)
        self._bytes = float(units * UNIT_BYTES)
        self._filled_at = clock()

    def take(self, events: int, size: int) -> None:
        """Take what a request has. Raises :class:`Refusal` (429) where it is not there yet.

        What is larger than a whole bucket passes when that is full, and is owed then.
        """
        if not self._units:
            return
        now = self._clock()
        passed, self._filled_at = now - self._filled_at, now
        most_events, most_bytes = self._units * UNIT_EVENTS, self._units * UNIT_BYTES
        self._events = min(self._events + passed * most_events, float(most_events))
        self._bytes = min(self._bytes + passed * most_bytes, float(most_bytes))
        if self._events < min(events, most_events) or self._bytes < min(size, most_bytes):
            raise Refusal(
                429,
                f"50002: the {self._units} throughput units of this namespace are used up.",
                retry_after=_RETRY_SECONDS,
            )
        self._events -= events
        self._bytes -= size
