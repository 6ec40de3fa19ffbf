"""One reader for all viewers: what it reads from does not notice how many pages are open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

import structlog

from fraudstream.core.errors import UnavailableError
from fraudstream.core.output.text import error_text

log = structlog.get_logger(__name__)
Read = TypeVar("Read")


@dataclass(frozen=True)
class View(Generic[Read]):
    """The last good snapshot, and why there is no newer one (empty while reading works)."""

    snapshot: Read | None = None
    problem: str = ""


class Feed(Generic[Read]):
    """Reads a snapshot every ``interval_seconds`` while somebody looks, and keeps the last good one.

    Nobody has looked for ``idle_seconds``: reading stops until the next look.
    """

    def __init__(
        self,
        read: Callable[[], Read],
        interval_seconds: float = 1.0,
        idle_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        name: str = "feed",
    ) -> None:
        self._read = read
        self._name = name
        self._interval = interval_seconds
        self._idle = idle_seconds
        self._clock = clock
        self._view: View[Read] = View()
        self._looked_at = float("-inf")
        self._condition = threading.Condition()
        self._closed = False
        self._reads = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Feed[Read]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout=10)

    @property
    def reads(self) -> int:
        """How many snapshots have been read so far."""
        return self._reads

    def look(self, patience_seconds: float = 1.0) -> View[Read]:
        """The current view. After a pause in looking it waits this long for a fresh one."""
        with self._condition:
            asleep = self._clock() - self._looked_at > self._idle
            self._looked_at = self._clock()
            self._condition.notify_all()
            if asleep:
                seen = self._reads
                self._condition.wait_for(lambda: self._reads > seen, patience_seconds)
            return self._view

    def _run(self) -> None:
        while self._wait_for_viewers():
            view = self._next_view()
            with self._condition:
                self._view = view
                self._reads += 1
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._closed, self._interval)

    def _wait_for_viewers(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._clock() - self._looked_at <= self._idle)
            return not self._closed

    def _next_view(self) -> View[Read]:
        try:
            view = View(self._read())
        except UnavailableError as error:
            view = View(self._view.snapshot, error_text(error))
        # The thread outlives whatever a document may hold; the page names the problem and shows the last good data.
        except Exception as error:
            log.exception("snapshot_failed", feed=self._name)
            view = View(self._view.snapshot, f"The stored documents cannot be read ({error_text(error)}).")
        if view.problem and not self._view.problem:
            log.warning("source_lost", feed=self._name, reason=view.problem)
        elif self._view.problem and not view.problem:
            log.info("source_back", feed=self._name)
        return view
