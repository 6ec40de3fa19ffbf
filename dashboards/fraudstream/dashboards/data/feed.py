"""One reader for all viewers: the number of open pages does not change how often a source is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from fraudstream.core.errors import UnavailableError
from fraudstream.core.output.text import error_text
from fraudstream.dashboards.data.watched import Watched

log = structlog.get_logger(__name__)
Read = TypeVar("Read")


@dataclass(frozen=True)
class View(Generic[Read]):
    """The last good snapshot, and why there is no newer one (empty while reading works)."""

    snapshot: Read | None = None
    problem: str = ""


class Feed(Watched, Generic[Read]):
    """Reads a snapshot every ``interval_seconds`` while somebody looks, and keeps the last good one.

    It stops reading when nobody has looked for ``idle_seconds``, and goes on at the next look.
    """

    def __init__(
        self,
        read: Callable[[], Read],
        interval_seconds: float = 1.0,
        idle_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        name: str = "feed",
    ) -> None:
        super().__init__(name, idle_seconds, clock)
        self._read = read
        self._interval = interval_seconds
        self._view: View[Read] = View()
        self._reads = 0

    @property
    def reads(self) -> int:
        """How many snapshots have been read so far."""
        return self._reads

    def look(self, patience_seconds: float = 1.0) -> View[Read]:
        """The current view. The first look after a rest waits up to ``patience_seconds`` for a fresh snapshot."""
        with self._condition:
            rested = not self._is_watched()
            self._note_look()
            if rested:
                reads_before = self._reads
                self._condition.wait_for(lambda: self._reads > reads_before, patience_seconds)
            return self._view

    def _run(self) -> None:
        while self._wait_for_viewers():
            view = self._next_view()
            with self._condition:
                self._view = view
                self._reads += 1
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._closed, self._interval)

    def _next_view(self) -> View[Read]:
        try:
            view = View(self._read())
        except UnavailableError as error:
            view = View(self._view.snapshot, error_text(error))
        # A document may hold anything, and the thread must survive it: the page names the problem beside the last
        # good data.
        except Exception as error:
            log.exception("snapshot_failed", feed=self._name)
            view = View(self._view.snapshot, f"The stored documents cannot be read ({error_text(error)}).")
        if view.problem and not self._view.problem:
            log.warning("source_lost", feed=self._name, reason=view.problem)
        elif self._view.problem and not view.problem:
            log.info("source_back", feed=self._name)
        return view
