"""The dashboards over a million stored transactions.

The benchmark fills the document store once (an interrupted filling goes on where it ended) and runs the dashboards
beside decisions at a steady rate. It measures what browsers see: each refresh callback on the server, a page from its
address to its last panel, fifty viewers at once with the database's reads beside one viewer's, and the browser's heap.
A process of its own drives the browser. The fifty viewers run in this process and share its interpreter with the
server: over a network the server would have more processor time. No Kafka and no MLflow run.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import httpx

from fraudstream.bench.dashboards import browsing
from fraudstream.bench.dashboards.filling import fill, is_filled
from fraudstream.bench.dashboards.serving import Server, Traffic
from fraudstream.bench.harness.figures import percentile
from fraudstream.bench.harness.results import Keep, remeasured
from fraudstream.bench.harness.running import Report
from fraudstream.bench.harness.stage import Stage
from fraudstream.core.documents.client import ROLLUPS, TRANSACTIONS, database
from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.parts import documentstore

PARTS = ("callbacks", "one_viewer", "fifty_viewers", "pages", "heap")
IN_BROWSER = {"pages", "heap"}
PAGES = {
    "live": "/",
    "history": "/history",
    "explorer, transaction": "/explorer?id=9000100",
    "explorer, rejected": "/explorer?tab=rejected",
    "system": "/system",
}
TICKS = {"live": "live-tick", "history": "history-tick", "rejected": "explorer-tick", "system": "system-tick"}
# The store writes all that it holds to its file before it ends.
_STORE_GRACE_SECONDS = 120.0


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Count, median, 95th percentile and maximum."""
    ascending = sorted(milliseconds)
    return {
        "count": len(ascending),
        "p50_ms": round(percentile(ascending, 50.0), 1),
        "p95_ms": round(percentile(ascending, 95.0), 1),
        "max_ms": round(ascending[-1], 1),
    }


def requests_of(url: str) -> dict[str, dict[str, Any]]:
    """The refresh callbacks as a browser sends them: page → body, from the application's own list of callbacks."""
    bodies = {}
    for callback in httpx.get(f"{url}/_dash-dependencies", timeout=60).json():
        first = callback["inputs"][0] if callback["inputs"] else {}
        page = next((name for name, tick in TICKS.items() if first.get("id") == tick), None)
        if page is None or callback.get("clientside_function"):
            continue
        bodies[page] = {
            "output": callback["output"],
            "outputs": _outputs(callback["output"]),
            "inputs": [{**item, "value": _value(item)} for item in callback["inputs"]],
            "state": [{**item, "value": _value(item)} for item in callback.get("state", [])],
            "changedPropIds": [f"{first['id']}.n_intervals"],
        }
    return bodies


def _outputs(text: str) -> Any:
    parts = text.removeprefix("..").removesuffix("..").split("...") if text.startswith("..") else [text]
    outputs = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
    return outputs if text.startswith("..") else outputs[0]


def _value(item: dict[str, str]) -> Any:
    choices = {"live-range": "1h", "history-origin": "all", "explorer-tab": "rejected", "live-decisions-choice": "all"}
    return choices.get(item["id"], 1 if item["property"] == "n_intervals" else None)


def measure_callbacks(server: Server, rounds: int) -> dict[str, Any]:
    """Milliseconds of each refresh callback on the server: one request after the other."""
    bodies = requests_of(server.url)
    measured: dict[str, Any] = {}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for page, body in bodies.items():
            client.post("/_dash-update-component", json=body)
            time.sleep(2)
            server.durations_ms.clear()
            for turn in range(rounds):
                answer = client.post("/_dash-update-component", json=_varied(page, body, turn))
                answer.raise_for_status()
                time.sleep(0.02)
            measured[page] = summary(server.durations_ms["/_dash-update-component"])
    return measured


def _varied(page: str, body: dict[str, Any], turn: int) -> dict[str, Any]:
    """The body with a filter in every other turn of the live page: else the server answers from its cache."""
    if page != "live" or turn % 2:
        return body
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    inputs = [
        {**item, "value": [days[turn // 2 % 7]]} if item["id"] == "live-filter-day_of_week" else item
        for item in body["inputs"]
    ]
    return {**body, "inputs": inputs}


def measure_viewers(server: Server, viewers: int, seconds: float) -> dict[str, Any]:
    """The live page's refreshes by so many viewers at once: each viewer asks once a second, every other one filters."""
    body = requests_of(server.url)["live"]
    durations_ms: list[float] = []
    ended = threading.Event()

    def view(number: int) -> None:
        request = _varied("live", body, number + 1)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            ended.wait(number / viewers)
            # Once in any case: on a slow machine the time is over before the last viewer has come.
            while True:
                started = time.perf_counter()
                client.post("/_dash-update-component", json=request).raise_for_status()
                elapsed = time.perf_counter() - started
                durations_ms.append(1000 * elapsed)
                if ended.wait(max(0.0, 1 - elapsed)):
                    return

    time.sleep(2)
    before = server.reads.finds
    started = time.monotonic()
    with ThreadPoolExecutor(viewers) as pool:
        try:
            views = [pool.submit(view, number) for number in range(viewers)]
            wait(views, seconds, FIRST_EXCEPTION)
        finally:
            ended.set()
    for finished in views:
        finished.result()
    spent = time.monotonic() - started
    return {
        "viewers": viewers,
        **summary(durations_ms),
        "refreshes_per_second": round(len(durations_ms) / spent, 1),
        "database_reads_per_second": round((server.reads.finds - before) / spent, 2),
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, beside ``rate`` decisions a second.

    ``folder`` keeps the filled store; ``parts`` are some of :data:`PARTS`.
    """

    documents: int = 1_000_000
    folder: Path | None = None
    heap_minutes: float = 30.0
    rounds: int = 100
    viewer_seconds: float = 30.0
    rate: int = 50
    parts: tuple[str, ...] = PARTS


def measure(plan: Plan, report: Report, keep: Keep, before: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the plan's parts; returns the results' own part, with the other parts of ``before``.

    ``keep`` gets the results after each part, with the parts that are still missing under ``incomplete``.
    Raises :class:`FraudstreamError` where the browser is missing or the store does not start.
    """
    browser = browser_versions(plan.parts)
    with Stage(plan.folder, mlflow_tracking_uri="", scoring="embedded") as stage:
        report("starting the document store")
        store = stage.start(documentstore.part(stage.settings))
        try:
            db = database(stage.settings, socketTimeoutMS=600_000)
            if not is_filled(db):
                report(f"filling the store with {plan.documents:,} transactions")
                fill(db, plan.documents * 9 // 10, plan.documents // 10, datetime.now(UTC))
            results: dict[str, Any] = {
                "bounds": [],
                "browser": browser,
                "stored": {
                    "transactions": db[TRANSACTIONS].estimated_document_count(),
                    "rollups": db[ROLLUPS].estimated_document_count(),
                    "bytes_on_disk": sum(path.stat().st_size for path in stage.folder.rglob("*") if path.is_file()),
                },
                "decisions_per_second": plan.rate,
            }
            with Traffic(plan.rate) as traffic, Server(stage.settings, traffic) as server:
                for name in plan.parts:
                    report(name)
                    results[name] = _measure_part(name, server, plan)
                    keep(remeasured(before, results, plan.parts))
        finally:
            stage.stop(store, _STORE_GRACE_SECONDS)
    return remeasured(before, results, plan.parts)


def _measure_part(name: str, server: Server, plan: Plan) -> dict[str, Any]:
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "callbacks": lambda: measure_callbacks(server, plan.rounds),
        "one_viewer": lambda: measure_viewers(server, 1, plan.viewer_seconds),
        "fifty_viewers": lambda: measure_viewers(server, 50, plan.viewer_seconds),
        "pages": lambda: in_own_process(browsing.measure_pages, server.url, PAGES),
        "heap": lambda: in_own_process(browsing.measure_heap, server.url, plan.heap_minutes),
    }
    return parts[name]()


def in_own_process(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What ``function`` returns in a process of its own, which ends with an exception here."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BaseException:
            # The pool itself would wait until the function returns.
            for child in active_children():
                child.terminate()
            raise


def browser_versions(parts: Iterable[str]) -> dict[str, str]:
    """Versions of the browser and of what draws in it.

    Raises :class:`FraudstreamError` where one of ``parts`` needs the browser and it is missing.
    """
    names = ("dash", "dash-mantine-components", "dash-ag-grid", "plotly", "waitress", "playwright")
    versions = {name: version(name) for name in names}
    if browsing.CHROMIUM.exists():
        command = [str(browsing.CHROMIUM), "--version"]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return {"chromium": shown.strip()} | versions
    if needing := [name for name in parts if name in IN_BROWSER]:
        others = " ".join(f"--only {name}" for name in PARTS if name not in IN_BROWSER)
        raise FraudstreamError(
            f"There is no browser at {browsing.CHROMIUM} to measure {' and '.join(needing)} in. "
            f"Install Chromium, or measure the other parts: {others}"
        )
    return versions
