"""When records are due, and how a signal stops a run."""

from __future__ import annotations

import math
import select
import signal
import socket
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from fraudstream.core.errors import ConfigurationError

# An id is a whole number of 64 bits with a sign.
_MOST_RECORDS = 2**63


class Clock(Protocol):
    """The time, and a wait that ends early when the run is to stop."""

    def now(self) -> float:
        """Seconds that never go back."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after ``seconds``, or at once when the run is to stop."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the run is to stop."""
        ...


class Schedule(Protocol):
    """When records are due."""

    def wait_for(self, number: int) -> bool:
        """Wait until record ``number`` (from 0) is due. False: the schedule has ended."""
        ...

    def again(self, id: int | str) -> str:
        """What to do so that a record with this id, which was not delivered, is sent again: words behind "and"."""
        ...


class Pace:
    """An open-loop schedule: record ``n`` is due ``n / rate`` seconds after the first, even if others were late.

    With ``rate`` 0 every record is due at once. The schedule ends after ``seconds``: with a rate, exactly the records
    that are due in that time are sent; without one, as many as can be sent. It ends after ``count`` records, too.
    """

    def __init__(self, rate: float, seconds: float | None, clock: Clock, count: int | None = None) -> None:
        self._rate = rate
        self._seconds = seconds
        self._clock = clock
        self._start: float | None = None
        limits = [limit for limit in (count, scheduled(rate, seconds)) if limit is not None]
        self._count = min(limits, default=None)

    def wait_for(self, number: int) -> bool:
        """Wait until record ``number`` (from 0) is due. False: the schedule has ended."""
        now = self._clock.now()
        if self._start is None:
            self._start = now
        if self._clock.stopped or (self._count is not None and number >= self._count):
            return False
        if not self._rate:
            return self._seconds is None or now - self._start < self._seconds
        remaining = self._start + number / self._rate - now
        if remaining > 0:
            self._clock.wait(remaining)
        return not self._clock.stopped

    def again(self, id: int | str) -> str:
        """Words that say how to send from this event on."""
        return f"send again with --first-id {id}"


def scheduled(rate: float, seconds: float | None) -> int | None:
    """How many records are due within ``seconds`` at ``rate`` per second; None when that is not known.

    Raises :class:`ConfigurationError` for more than there are ids.
    """
    if seconds is None or not rate:
        return None
    if rate * seconds > _MOST_RECORDS:
        raise ConfigurationError(
            f"--rate {rate:g} and --for {seconds:g} make more events than there are ids. Give a smaller one of the two."
        )
    # A product such as 0.1 * 30 may exceed the whole number by its rounding error.
    return math.ceil(rate * seconds - 1e-6)


class Interruption:
    """The real clock; SIGINT or SIGTERM stops it while the block runs, a second signal acts as usual.

    The handler wakes the wait through a socket: setting a ``threading.Event`` in a signal handler can deadlock with
    the wait that it interrupts.
    """

    def __init__(self) -> None:
        self._stopped = False
        self._previous: dict[int, Any] = {}
        self._reader, self._writer = socket.socketpair()

    def __enter__(self) -> Self:
        # Python allows handlers in the main thread alone. In another thread the caller's handlers stay in force.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        self._reader.close()
        self._writer.close()

    def now(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        # select takes no longer time than this (centuries), which a tiny rate may ask for.
        select.select([self._reader], [], [], min(seconds, threading.TIMEOUT_MAX))

    @property
    def stopped(self) -> bool:
        return self._stopped

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        self._stopped = True
        self._restore()
        self._writer.send(b"\0")

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
