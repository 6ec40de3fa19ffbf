"""The benchmarks in their smallest size: every event comes out once, decided alike. Speed is not asserted."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from fraudstream.bench import cli
from fraudstream.bench.harness import environments
from fraudstream.core.errors import FraudstreamError

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """The benchmarks' commands log in a form of their own, and run in this process."""
    yield
    for handler in logging.root.handlers[:]:
        if type(handler).__module__.startswith("fraudstream."):
            logging.root.removeHandler(handler)
    structlog.reset_defaults()


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli.app, [*words, "--smoke", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def peers() -> list[str]:
    """Quix Streams where its environment can be made: that takes the package index."""
    try:
        environments.python_of("quix")
    except FraudstreamError:
        return []
    return ["quix"]


def contenders(*names: str) -> list[str]:
    return [word for name in names for word in ("--contender", name)]


def by_contender(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["contender"]: entry for entry in results["runs"]}


def check_counts(results: dict[str, Any]) -> None:
    for name, contender_run in by_contender(results).items():
        assert contender_run["events_out"] == contender_run["events_in"], name
        if name != "echo":
            assert contender_run["decisions"]["different_decisions"] == 0
            assert contender_run["decisions"]["compared"] > 300
            assert contender_run["decisions"]["largest_score_difference"] < 1e-5


def test_latency() -> None:
    names = ["echo", "bare", "realtime", *peers()]
    results = run("latency", *contenders(*names))
    check_counts(results)
    runs = by_contender(results)
    assert list(runs) == names
    assert runs["realtime"]["rejected"] == 6
    assert runs["bare"]["rejected"] == 0
    assert all(0 < entry["p50_ms"] <= entry["p99_ms"] <= entry["max_ms"] for entry in runs.values())
    # A loop that works cannot be faster than the same loop without work by this much.
    assert runs["echo"]["p50_ms"] < 3 * runs["bare"]["p50_ms"]


def test_throughput() -> None:
    names = ["bare-batch", "microbatch"]
    results = run("throughput", *contenders(*names))
    check_counts(results)
    runs = by_contender(results)
    assert list(runs) == names
    assert runs["microbatch"]["rejected"] == 200
    assert all(entry["events_per_second"] > 100 for entry in runs.values())


def test_a_cluster_scores_the_same_events() -> None:
    results = run("scale")
    assert [(entry["partitions"], entry["contender"]) for entry in results["runs"]] == [
        (4, "one process, 2 cores"),
        (4, "a cluster of 2 workers"),
    ]
    for entry in results["runs"]:
        assert (entry["events_in"], entry["events_out"], entry["rejected"]) == (20_000, 20_000, 200)
        assert entry["core_us_per_event"] > 0
    assert [entry["rate"] for entry in results["capacity"]] == [1_000, 5_000, 20_000, 100_000]


def test_scoring() -> None:
    results = run("scoring")
    assert results["same_decisions"]["compared"] == 1_000
    assert results["same_decisions"]["largest_score_difference"] < 1e-6
    assert {(entry["contender"], entry["clients"], entry["rows"]) for entry in results["runs"]} == {
        (name, clients, rows)
        for name in ("scoring service", "mlflow models serve")
        for clients, rows in ((1, 1), (8, 1_000))
    }
    single = {entry["contender"]: entry for entry in results["runs"] if entry["rows"] == 1}
    assert single["scoring service"]["requests"] > single["mlflow models serve"]["requests"]


def test_store(tmp_path: Path) -> None:
    file = tmp_path / "store.json"
    results = run("store", "--out", str(file))
    assert {entry["contender"] for entry in results["runs"]} == {"store job", "bare loop of bulk upserts"}
    assert all(entry["documents_per_second"] > 0 for entry in results["runs"])
    assert json.loads(file.read_text("utf-8"))["machine"] == results["machine"]


def test_query() -> None:
    results = run("query")
    rates = {entry["contender"]: entry.get("events_per_second") for entry in results["runs"]}
    assert list(rates) == ["stateless SELECT", "tumbling count by key", "small file, cold", "further test case"]
    assert all(rate > 0 for name, rate in rates.items() if name != "further test case")
    assert [bound["claim"] for bound in results["bounds"]] == [
        "events/s, stateless SELECT",
        "events/s, tumbling count by key",
        "seconds, small file, cold",
        "seconds, further test case",
    ]


def test_cards() -> None:
    results = run("cards")
    assert all(entry["events_per_core_second"] > 0 for entry in results["runs"])
    (fold,) = results["folds"]
    assert sum(kind["frauds"] for kind in fold["campaigns"]) == round(fold["base_rate"] * fold["test_rows"])
    # Of so few frauds the figures move, but not by this much.
    assert results["quality"]["least_gain_over_time"] > 0.1


def test_an_interrupted_run_of_the_dashboards_keeps_its_parts_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file, temporary = tmp_path / "dashboards.json", tmp_path / "temporary"
    temporary.mkdir()
    words = ["bench", "dashboards", "--smoke", "--only", "callbacks", "--only", "fifty_viewers", "--out", str(file)]
    with subprocess.Popen(
        [sys.executable, "-m", "fraudstream.runtime", *words],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        ends_at = time.monotonic() + 120
        while not file.exists() and child.poll() is None and time.monotonic() < ends_at:
            time.sleep(0.05)
        child.send_signal(signal.SIGTERM)
        _, shown = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM, shown
    results = json.loads(file.read_text("utf-8"))
    assert results["incomplete"] == ["fifty_viewers"]
    assert results["callbacks"].keys() == {"live", "history", "rejected", "system"}
    assert list(temporary.glob("fraudstream-bench-[!l]*")) == []

    results = run("dashboards", "--only", "fifty_viewers", "--out", str(file))
    assert results == json.loads(file.read_text("utf-8"))
    assert "incomplete" not in results
    assert results["stored"]["transactions"] == 5_000
    for measured in (*results["callbacks"].values(), results["fifty_viewers"]):
        assert 0 < measured["p50_ms"] <= measured["p95_ms"] <= measured["max_ms"]
    assert results["fifty_viewers"]["count"] >= 50
    assert results["measured_anew"].keys() == {"fifty_viewers"}


def test_model() -> None:
    results = run("model")
    ours = by_contender(results)["fraudstream train"]
    assert 0.9 < ours["by_ceiling"] <= 1.01
    assert results["drift"]["false_alarms"] == 0
    assert all(share == 1 for share in results["drift"]["found"].values())


def test_ingest() -> None:
    runs = by_contender(run("ingest"))
    assert list(runs) == ["batches", "single events"]
    assert runs["batches"]["events"] == 600
    assert runs["single events"]["events"] == runs["single events"]["measured"] > 0
    assert all(entry["missing"] == 0 and 0 < entry["p50_ms"] <= entry["max_ms"] for entry in runs.values())
