"""The sources of the pages' data: one poller for each kind, shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents.client import database
from fraudstream.core.kafka.clients import consumer
from fraudstream.core.kafka.resend import Replay
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.arrivals import Arrivals
from fraudstream.dashboards.data.feed import Feed
from fraudstream.dashboards.data.parts.health import Health
from fraudstream.dashboards.data.queries import HistorySnapshot, LiveSnapshot, Reader
from fraudstream.dashboards.data.searches import Lookup, Rejections
from fraudstream.dashboards.data.store import Store
from fraudstream.dashboards.data.tail import Tail, TailView

LIVE_SECONDS = 1.0
HISTORY_SECONDS = 2.5
REJECTED_SECONDS = 2.5
SYSTEM_SECONDS = 3.0


class NoTail:
    """Reads no topic: the pages show only what is stored."""

    def look(self) -> TailView:
        """An empty window that never catches up."""
        return TailView()


@dataclass
class Sources:
    """The sources of all pages. Entering it starts the pollers' threads, which read while somebody looks.

    ``replay`` sends rejected events again, ``health`` asks the parts, ``now`` is the clock (UTC); each has a default.
    """

    settings: Settings
    store: Store
    tail: Any = field(default_factory=NoTail)
    interval: float | None = None
    replay: Any = None
    health: Any = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        # Each feed has its own reader: a reader caches what it read, and only one thread may use it.
        live, history = Reader(self.store), Reader(self.store)
        rejections = Rejections(self.store)
        health = self.health or Health(self.settings, self.store)
        self.live: Feed[LiveSnapshot] = Feed(
            lambda: live.live(self.now(), ring=not self.tail.look().caught_up),
            self.interval or LIVE_SECONDS,
            name="live",
        )
        self.history: Feed[HistorySnapshot] = Feed(
            lambda: history.history(self.now()), self.interval or HISTORY_SECONDS, name="history"
        )
        self.rejected = Feed(lambda: rejections.newest(self.now()), self.interval or REJECTED_SECONDS, name="rejected")
        self.system = Feed(lambda: health.look(self.now()), self.interval or SYSTEM_SECONDS, name="system")
        self.lookup = Lookup(self.store)
        self.arrivals = Arrivals(self.settings)
        if self.replay is None:
            self.replay = Replay(self.settings)

    @classmethod
    def of(cls, settings: Settings) -> Sources:
        """The configured store and broker. Nothing connects to them before somebody looks."""
        # Timeouts are short, so that a page reports a lost store within seconds; the pollers try again anyway.
        store = database(
            settings,
            serverSelectionTimeoutMS=2_000,
            connectTimeoutMS=2_000,
            socketTimeoutMS=8_000,
            retryReads=False,
            # Documents are decoded one by one, so that an unreadable one does not hide the others: see stored.py.
            document_class=stored.RAW,
        )
        tail = Tail(lambda: consumer(settings, fetch_max_wait_ms=100, request_timeout_ms=20_000))
        return cls(settings, store, tail)

    def __enter__(self) -> Sources:
        for feed in (self.live, self.history, self.rejected, self.system):
            self._stack.enter_context(feed)
        if isinstance(self.tail, Tail):
            self._stack.enter_context(self.tail)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
