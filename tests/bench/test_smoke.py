"""The benchmarks in their smallest size: every event comes out once, decided alike. Speed is not asserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.bench import cli
from fraudstream.bench.harness import environments
from fraudstream.core.errors import FraudstreamError

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli.app, [*words, "--smoke", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peers() -> list[str]:
    """Quix Streams where its environment can be made: that takes the package index."""
    try:
        environments.python_of("quix")
    except FraudstreamError:
        return []
    return ["quix"]


def contenders(*names: str) -> list[str]:
    return [word for name in names for word in ("--contender", name)]


def by_contender(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["contender"]: one for one in found["runs"]}


def check_counts(found: dict[str, Any]) -> None:
    for name, one in by_contender(found).items():
        assert one["events_out"] == one["events_in"], name
        if name != "echo":
            assert one["decisions"]["different_decisions"] == 0
            assert one["decisions"]["compared"] > 300
            assert one["decisions"]["largest_score_difference"] < 1e-5


def test_latency() -> None:
    names = ["echo", "bare", "realtime", *peers()]
    found = run("latency", *contenders(*names))
    check_counts(found)
    runs = by_contender(found)
    assert list(runs) == names
    assert runs["realtime"]["rejected"] == 6
    assert runs["bare"]["rejected"] == 0
    assert all(0 < one["p50_ms"] <= one["p99_ms"] <= one["max_ms"] for one in runs.values())
    # A loop that works cannot be faster than the same loop without work by this much.
    assert runs["echo"]["p50_ms"] < 3 * runs["bare"]["p50_ms"]


def test_throughput() -> None:
    names = ["bare-batch", "microbatch"]
    found = run("throughput", *contenders(*names))
    check_counts(found)
    runs = by_contender(found)
    assert list(runs) == names
    assert runs["microbatch"]["rejected"] == 200
    assert all(one["events_per_second"] > 100 for one in runs.values())


def test_a_cluster_scores_the_same_events() -> None:
    found = run("scale")
    assert [(one["partitions"], one["contender"]) for one in found["runs"]] == [
        (4, "one process, 2 cores"),
        (4, "a cluster of 2 workers"),
    ]
    for one in found["runs"]:
        assert (one["events_in"], one["events_out"], one["rejected"]) == (20_000, 20_000, 200)
        assert one["core_us_per_event"] > 0
    assert [one["rate"] for one in found["capacity"]] == [1_000, 5_000, 20_000, 100_000]


def test_scoring() -> None:
    found = run("scoring")
    assert found["same_decisions"]["compared"] == 1_000
    assert found["same_decisions"]["largest_score_difference"] < 1e-6
    assert {(one["contender"], one["clients"], one["rows"]) for one in found["runs"]} == {
        (name, clients, rows)
        for name in ("scoring service", "mlflow models serve")
        for clients, rows in ((1, 1), (8, 1_000))
    }
    single = {one["contender"]: one for one in found["runs"] if one["rows"] == 1}
    assert single["scoring service"]["requests"] > single["mlflow models serve"]["requests"]


def test_store(tmp_path: Path) -> None:
    file = tmp_path / "store.json"
    found = run("store", "--out", str(file))
    assert {one["contender"] for one in found["runs"]} == {"store job", "bare loop of bulk upserts"}
    assert all(one["documents_per_second"] > 0 for one in found["runs"])
    assert json.loads(file.read_text("utf-8"))["machine"] == found["machine"]
