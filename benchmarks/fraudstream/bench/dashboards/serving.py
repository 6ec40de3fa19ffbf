"""The dashboards that are measured: over the document store, beside decisions at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.monitoring import CommandListener
from waitress.server import create_server

from fraudstream.bench.dashboards.filling import transactions
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents.client import database
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data.parts.health import Health
from fraudstream.dashboards.data.parts.model import ModelInfo
from fraudstream.dashboards.data.parts.progress import Progress
from fraudstream.dashboards.data.queries import decision_from
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.data.window import Window


class Reads(CommandListener):
    """Counts the commands that read from the store."""

    def __init__(self) -> None:
        self.finds = 0

    def started(self, event: Any) -> None:
        self.finds += event.command_name in ("find", "getMore", "aggregate", "count")

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


class Traffic:
    """Stands in for the tail of `scored`: an hour of decisions, then decisions at a steady rate, without a broker."""

    def __init__(self, rate: int) -> None:
        self._window = Window()
        now = datetime.now(UTC)
        hour = transactions(3600 * rate, 50_000_000, "live", now, timedelta(hours=1), 3)
        self._window.add(decision for record in hour if (decision := decision_from(record)) is not None)
        self._window.complete_since(now - timedelta(hours=1))
        self._next = transactions(10**9, 100_000_000, "live", now, timedelta(seconds=1), 4)
        self._rate, self._closed = rate, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    def look(self) -> TailView:
        return TailView(self._window.view(), caught_up=True)

    def _run(self) -> None:
        while not self._closed.wait(0.2):
            now = datetime.now(UTC)
            decisions = (decision_from(next(self._next) | {"enqueued_at": now}) for _ in range(self._rate // 5))
            self._window.add(decision for decision in decisions if decision is not None)


class Server:
    """The dashboards in this process; ``durations_ms`` has the time of each request in the application, by callback."""

    def __init__(self, settings: Settings, traffic: Traffic) -> None:
        self.reads = Reads()
        store = database(settings, event_listeners=[self.reads], retryReads=False, socketTimeoutMS=60_000)
        health = Health(settings, store, progress=lambda: Progress({}, {}), model=lambda: ModelInfo("fraud", "3"))
        self.sources = Sources(settings, store, traffic, health=health)
        self.app = create_app(settings, self.sources)
        self.durations_ms: dict[str, list[float]] = {}
        inner = self.app.server.wsgi_app

        def timed(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            started = time.perf_counter()
            answer = inner(environ, start)
            name = environ.get("HTTP_X_CALLBACK", environ["PATH_INFO"])
            self.durations_ms.setdefault(name, []).append(1000 * (time.perf_counter() - started))
            return answer

        self.app.server.wsgi_app = timed
        server: Any = create_server(self.app.server, host="127.0.0.1", port=0, threads=8)
        self.server, self.url = server, f"http://127.0.0.1:{server.effective_port}"

    def __enter__(self) -> Server:
        self.sources.__enter__()
        threading.Thread(target=self.server.run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.sources.__exit__(None, None, None)
