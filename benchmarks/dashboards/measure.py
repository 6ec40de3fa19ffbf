"""Measure the dashboards over a million stored transactions.

``python -m benchmarks.dashboards.measure --results FILE [--documents 1000000] [--folder DIR] [--heap-minutes 30]``

Starts the embedded document store (filling it once; ``--folder`` keeps it for the next time) and the dashboards, sends
decisions at a steady rate, and measures as browsers see it: each refresh callback on the server, a page from its
address to its last panel, fifty viewers at once with the database's reads beside one viewer's, and the browser's heap.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from benchmarks.dashboards.filling import fill, transactions
from pymongo.monitoring import CommandListener
from waitress.server import create_server

from fraudstream.core.documents import database
from fraudstream.core.settings import Settings
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.queries import Decision, decision_from
from fraudstream.dashboards.sources import Sources
from fraudstream.dashboards.tail import TailView
from fraudstream.dashboards.window import Window
from fraudstream.runtime import documentstore

RATE = 50
PAGES = {"live": "/", "history": "/history", "explorer": "/explorer?tab=rejected", "system": "/system"}
TICKS = {"live": "live-tick", "history": "history-tick", "rejected": "explorer-tick", "system": "system-tick"}


class Reads(CommandListener):
    """Counts what the store is asked."""

    def __init__(self) -> None:
        self.finds = 0

    def started(self, event: Any) -> None:
        self.finds += event.command_name in ("find", "getMore", "aggregate", "count")

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


class Traffic:
    """The tail of `scored` without a broker: decisions at a steady rate, an hour of them to begin with."""

    def __init__(self, rate: int) -> None:
        self._window = Window()
        now = datetime.now(UTC)
        hour = transactions(3600 * rate, 50_000_000, "live", now, timedelta(hours=1), 3)
        self._window.add(map(decision_from, hour))
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
            self._window.add(self._decision() for _ in range(self._rate // 5))

    def _decision(self) -> Decision:
        return decision_from(next(self._next) | {"enqueued_at": datetime.now(UTC)})


def percentile(values: list[float], part: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(-(-round(part * 100) * len(ordered) // 100) - 1, 0)]


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Count, median, 95th percentile and maximum."""
    return {
        "count": len(milliseconds),
        "p50_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
        "max_ms": round(max(milliseconds), 1),
    }


class Server:
    """The dashboards in this process; the time of each callback is taken around the application itself."""

    def __init__(self, settings: Settings, traffic: Traffic) -> None:
        self.reads = Reads()
        store = database(settings, event_listeners=[self.reads], retryReads=False, socketTimeoutMS=60_000)
        self.sources = Sources(settings, store, traffic)
        self.app = create_app(settings, self.sources)
        self.taken: dict[str, list[float]] = {}
        inner = self.app.server.wsgi_app

        def timed(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            started = time.perf_counter()
            answer = inner(environ, start)
            name = environ.get("HTTP_X_CALLBACK", environ["PATH_INFO"])
            self.taken.setdefault(name, []).append(1000 * (time.perf_counter() - started))
            return answer

        self.app.server.wsgi_app = timed  # type: ignore[method-assign]
        self.server = create_server(self.app.server, host="127.0.0.1", port=0, threads=8)
        self.url = f"http://127.0.0.1:{self.server.effective_port}"

    def __enter__(self) -> Server:
        self.sources.__enter__()
        threading.Thread(target=self.server.run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.sources.__exit__(None, None, None)


def requests_of(url: str) -> dict[str, dict[str, Any]]:
    """The refresh callbacks as a browser sends them: page → body, from the application's own list of callbacks."""
    found = {}
    for callback in httpx.get(f"{url}/_dash-dependencies", timeout=60).json():
        first = callback["inputs"][0] if callback["inputs"] else {}
        page = next((name for name, tick in TICKS.items() if first.get("id") == tick), None)
        if page is None or callback.get("clientside_function"):
            continue
        found[page] = {
            "output": callback["output"],
            "outputs": _outputs(callback["output"]),
            "inputs": [{**item, "value": _value(item)} for item in callback["inputs"]],
            "state": [{**item, "value": _value(item)} for item in callback.get("state", [])],
            "changedPropIds": [f"{first['id']}.n_intervals"],
        }
    return found


def _outputs(text: str) -> Any:
    parts = text.removeprefix("..").removesuffix("..").split("...") if text.startswith("..") else [text]
    outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
    return outputs if text.startswith("..") else outputs[0]


def _value(item: dict[str, str]) -> Any:
    given = {"live-range": "1h", "history-origin": "all", "explorer-tab": "rejected", "live-decisions-choice": "all"}
    return given.get(item["id"], 1 if item["property"] == "n_intervals" else None)


def measure_callbacks(server: Server, rounds: int) -> dict[str, Any]:
    """Each refresh callback's time on the server, one viewer after the other, each with a view of its own."""
    bodies = requests_of(server.url)
    measured: dict[str, Any] = {}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for page, body in bodies.items():
            client.post("/_dash-update-component", json=body)
            time.sleep(2)
            server.taken.clear()
            for turn in range(rounds):
                answer = client.post("/_dash-update-component", json=_varied(page, body, turn))
                answer.raise_for_status()
                time.sleep(0.02)
            measured[page] = summary(server.taken["/_dash-update-component"])
    return measured


def _varied(page: str, body: dict[str, Any], turn: int) -> dict[str, Any]:
    """Every other look of the live page filters, so that not all is answered from what was rendered before."""
    if page != "live" or turn % 2:
        return body
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    inputs = [
        {**item, "value": [days[turn // 2 % 7]]} if item["id"] == "live-filter-day_of_week" else item
        for item in body["inputs"]
    ]
    return {**body, "inputs": inputs}


def measure_viewers(server: Server, viewers: int, seconds: float) -> dict[str, Any]:
    """Refreshes of this many browsers at once, each every second, and what the store is asked meanwhile."""
    body = requests_of(server.url)["live"]
    taken: list[float] = []
    ends_at = time.monotonic() + seconds

    def view(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            time.sleep(number / viewers)
            while time.monotonic() < ends_at:
                started = time.perf_counter()
                client.post("/_dash-update-component", json=body).raise_for_status()
                elapsed = time.perf_counter() - started
                taken.append(1000 * elapsed)
                time.sleep(max(0.0, 1 - elapsed))

    time.sleep(2)
    before = server.reads.finds
    started = time.monotonic()
    threads = [threading.Thread(target=view, args=(number,)) for number in range(viewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - started
    return {
        "viewers": viewers,
        **summary(taken),
        "refreshes_per_second": round(len(taken) / spent, 1),
        "database_reads_per_second": round((server.reads.finds - before) / spent, 2),
    }


@contextmanager
def running_store(settings: Settings) -> Iterator[None]:
    """The embedded document store as its own process."""
    part = documentstore.part(settings)
    if part.prepare is not None:
        part.prepare()
    process = subprocess.Popen(list(part.command), env={**os.environ, **part.env}, stderr=subprocess.DEVNULL)
    try:
        while not part.ready():
            if process.poll() is not None:
                raise SystemExit("the document store did not start")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=120)


def main() -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--port", type=int, default=27_317)
    parser.add_argument("--heap-minutes", type=float, default=2.0)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fraudstream-dashboards-"))
    settings = Settings(data_dir=folder, mongo_port=options.port, mlflow_tracking_uri="", scoring="embedded")
    with running_store(settings):
        db = database(settings, socketTimeoutMS=600_000)
        stored = db["transactions"].estimated_document_count()
        filled: dict[str, Any] = {"transactions": stored}
        if stored < options.documents:
            filled = fill(db, options.documents * 9 // 10, options.documents // 10, datetime.now(UTC))
        from benchmarks.dashboards import browsing

        with Traffic(RATE) as traffic, Server(settings, traffic) as server:
            results: dict[str, Any] = {
                "machine": {"cores": os.cpu_count(), "system": platform.platform(), "load_before": os.getloadavg()[0]},
                "versions": {name: version(name) for name in ("dash", "plotly", "waitress", "pymongo", "playwright")},
                "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "stored": filled,
                "decisions_per_second": RATE,
                "callbacks": measure_callbacks(server, 100),
                "one_viewer": measure_viewers(server, 1, 20),
                "fifty_viewers": measure_viewers(server, 50, 30),
                "pages": browsing.measure_pages(server.url, PAGES),
                "heap": browsing.measure_heap(server.url, options.heap_minutes),
            }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
