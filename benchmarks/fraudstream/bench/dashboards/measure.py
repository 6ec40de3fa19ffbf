"""The dashboards over a million stored transactions.

The embedded document store is filled once (a filling that was broken off goes on) and the dashboards run beside
decisions at a steady rate, as browsers see them: each refresh callback on the server, a page from its address to its
last panel, fifty viewers at once with the database's reads beside one viewer's, and the browser's heap. A process of
its own drives the browser; the fifty viewers run in this one, and share its one interpreter with the server: over a
network the server would have more of it. Kafka and MLflow are stood in for.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx

from fraudstream.bench.dashboards import browsing
from fraudstream.bench.dashboards.filling import fill, is_filled
from fraudstream.bench.dashboards.serving import Server, Traffic, running_store
from fraudstream.bench.harness.figures import percentile
from fraudstream.bench.harness.running import Tell
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents.client import database

RATE = 50
PAGES = {
    "live": "/",
    "history": "/history",
    "explorer, transaction": "/explorer?id=9000100",
    "explorer, rejected": "/explorer?tab=rejected",
    "system": "/system",
}
TICKS = {"live": "live-tick", "history": "history-tick", "rejected": "explorer-tick", "system": "system-tick"}


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Count, median, 95th percentile and maximum."""
    return {
        "count": len(milliseconds),
        "p50_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": round(percentile(sorted(milliseconds), 95.0), 1),
        "max_ms": round(max(milliseconds), 1),
    }


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
    """Refreshes of this many browsers at once, each every second, every other one with a filter of its own."""
    body = requests_of(server.url)["live"]
    taken: list[float] = []
    ends_at = time.monotonic() + seconds

    def view(number: int) -> None:
        asked = _varied("live", body, number + 1)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            time.sleep(number / viewers)
            while time.monotonic() < ends_at:
                started = time.perf_counter()
                client.post("/_dash-update-component", json=asked).raise_for_status()
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


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. ``folder`` keeps the filled store; ``only``: these parts, all of them where it is empty."""

    documents: int = 1_000_000
    folder: Path | None = None
    port: int = 27_317
    heap_minutes: float = 30.0
    rounds: int = 100
    only: tuple[str, ...] = ()


def measure(plan: Plan, tell: Tell) -> dict[str, Any]:
    """What was measured, by part. Raises :class:`FraudstreamError` where the store does not come up."""
    folder = plan.folder or Path(tempfile.mkdtemp(prefix="fraudstream-dashboards-"))
    settings = Settings(data_dir=folder, mongo_port=plan.port, mlflow_tracking_uri="", scoring="embedded")
    with running_store(settings):
        db = database(settings, socketTimeoutMS=600_000)
        if not is_filled(db):
            tell(f"filling the store with {plan.documents:,} transactions")
            fill(db, plan.documents * 9 // 10, plan.documents // 10, datetime.now(UTC))
        results: dict[str, Any] = {
            "bounds": [],
            "browser": browser_versions(),
            "stored": {
                "transactions": db["transactions"].estimated_document_count(),
                "rollups": db["rollups"].estimated_document_count(),
                "bytes_on_disk": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
            },
            "decisions_per_second": RATE,
        }
        with Traffic(RATE) as traffic, Server(settings, traffic) as server:
            parts: dict[str, Callable[[], dict[str, Any]]] = {
                "callbacks": lambda: measure_callbacks(server, plan.rounds),
                "one_viewer": lambda: measure_viewers(server, 1, 20),
                "fifty_viewers": lambda: measure_viewers(server, 50, 30),
                "pages": lambda: elsewhere(browsing.measure_pages, server.url, PAGES),
                "heap": lambda: elsewhere(browsing.measure_heap, server.url, plan.heap_minutes),
            }
            for name, part in parts.items():
                if not plan.only or name in plan.only:
                    tell(name)
                    results[name] = part()
    return results


def elsewhere(measure: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What ``measure`` answers in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def browser_versions() -> dict[str, str]:
    """Of the browser and of what draws in it."""
    names = ("dash", "dash-mantine-components", "dash-ag-grid", "plotly", "waitress", "playwright")
    browser = subprocess.run(["/usr/bin/chromium", "--version"], capture_output=True, text=True, check=False).stdout
    return {"chromium": browser.strip()} | {name: version(name) for name in names}
