"""`docker compose up` as a user types it: scored events on the pages, and nothing lost whatever is restarted.

The tests build on each other and run in the order of this file.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import SCORED, TRANSACTIONS
from fraudstream.core.documents import client as documents
from fraudstream.core.kafka.clients import consumer
from fraudstream.runtime.accounting import Summary, await_processed, end_offsets, summarise
from tests.compose.conftest import RUNNING, Chain
from tests.shell_blocks import ShellBlock, blocks_that_need
from tests.system.conftest import await_condition

pytestmark = [pytest.mark.containers, pytest.mark.system, pytest.mark.timeout(1_500)]

EVENTS = 5_000
MALFORMED = 100
LOAD_RATE = 100
FIRST_SCORED_SECONDS = 120
MOST_MEMORY = 6 * 10**9
STALLED_SECONDS = 180
# Where a run writes what it measured; see benchmarks/results/compose.json.
RESULTS = os.environ.get("COMPOSE_RESULTS", "")

measured: dict[str, Any] = {}


def first_scored_at(settings: Settings) -> datetime:
    """The broker's time of the first record of `scored`."""
    reader = consumer(settings)
    partitions = [TopicPartition(SCORED, number) for number in reader.partitions_for_topic(SCORED) or ()]
    reader.assign(partitions)
    reader.seek_to_beginning(*partitions)
    records = [record for records in reader.poll(timeout_ms=30_000).values() for record in records]
    reader.close()
    return datetime.fromtimestamp(min(record.timestamp for record in records) / 1000, UTC)


def memory_in_use(compose_project: str) -> dict[str, int]:
    """Container → bytes that its processes hold, without the file cache that the system may take back."""
    labelled = {"label": f"com.docker.compose.project={compose_project}"}
    running = docker.from_env().containers.list(filters=labelled)
    with ThreadPoolExecutor(len(running)) as pool:
        stats = list(pool.map(lambda container: container.stats(stream=False)["memory_stats"], running))

    def held(container: Mapping[str, Any]) -> int:
        cache = container["stats"].get("total_inactive_file", container["stats"].get("inactive_file", 0))
        return int(container["usage"]) - int(cache)

    names = [container.labels["com.docker.compose.service"] for container in running]
    return dict(zip(names, map(held, stats), strict=True))


def account(chain: Chain, before: Mapping[TopicPartition, int], scored_from: Mapping[TopicPartition, int]) -> Summary:
    """What became of everything that was published since ``before``; nothing may be published any more."""
    await_processed(chain.settings, STALLED_SECONDS, lambda _: None)
    after = end_offsets(chain.settings, TRANSACTIONS)
    produced = {part.partition: (before[part], end) for part, end in after.items()}
    return summarise(chain.settings, produced, scored_from, chain.up_at)


@pytest.mark.parity("a champion by tag is trained, registered and scores", "compose")
def test_up_ends_with_scored_events(chain: Chain) -> None:
    seconds = (first_scored_at(chain.settings) - chain.up_at).total_seconds()
    measured["seconds_to_first_scored"] = round(seconds, 1)
    assert seconds <= FIRST_SCORED_SECONDS


def test_everything_that_runs_is_healthy(chain: Chain) -> None:
    services = chain.compose.services()
    assert {name: services[name]["Health"] for name in RUNNING} == dict.fromkeys(RUNNING, "healthy")
    assert "load" not in services


def test_no_process_is_root_and_no_root_file_system_is_written(chain: Chain) -> None:
    for name, container in chain.compose.containers().items():
        if name in RUNNING:
            assert container.exec_run("id -u").output.strip() != b"0", name
            if name != "kafka":
                assert container.attrs["HostConfig"]["ReadonlyRootfs"], name


def test_spark_starts_from_the_archive_of_its_classes(chain: Chain) -> None:
    for name, container in chain.compose.containers().items():
        if name in ("stream", "store"):
            mapped = container.exec_run(["sh", "-c", "cat /proc/[0-9]*/maps 2>/dev/null"]).output.decode()
            assert "/opt/fraudstream/spark.jsa" in mapped, name


@pytest.mark.parametrize("page", ["/", "/history"])
def test_the_dashboards_answer(chain: Chain, page: str) -> None:
    answer = httpx.get(f"{chain.settings.dashboard_url}{page}", timeout=30)
    assert answer.status_code == 200
    assert "<html" in answer.text


def test_the_services_answer_on_the_published_ports(chain: Chain) -> None:
    health = httpx.get(f"{chain.settings.scoring_url}/health", timeout=30)
    assert health.status_code == 200
    assert health.json()["model_version"]
    searched = httpx.get(
        f"{chain.settings.mlflow_tracking_uri}/api/2.0/mlflow/registered-models/search", timeout=30
    ).json()
    assert [model["name"] for model in searched["registered_models"]] == [chain.settings.model_name]


@pytest.mark.parity("the pages show what is scored", "compose")
def test_the_live_page_has_scored_events_to_show(chain: Chain) -> None:
    db = documents.database(chain.settings)
    await_condition(lambda: db[documents.RECENT].find_one({"model_version": {"$exists": True}}) is not None, 60)


@pytest.mark.parity("every event is scored or rejected, and stored once", "compose")
def test_every_event_is_accounted_for(chain: Chain) -> None:
    chain.compose.run("stop", "generator")
    await_processed(chain.settings, STALLED_SECONDS, lambda _: None)
    before, scored_from = end_offsets(chain.settings, TRANSACTIONS), end_offsets(chain.settings, SCORED)
    command = f"fraudstream generate live --count {EVENTS} --rate 0 --malformed {MALFORMED} --seed 5 --json"
    words = ("run", "--rm", "--no-deps", "--no-TTY", "generator", *command.split())
    published = json.loads(chain.compose.run(*words))
    assert (published["produced"], published["malformed"]) == (EVENTS, MALFORMED)
    summary = account(chain, before, scored_from)
    measured["demo"] = summary.to_json()
    assert summary.complete
    assert (summary.produced, summary.scored, summary.stored) == (EVENTS, EVENTS - MALFORMED, EVENTS - MALFORMED)


def test_the_one_shot_services_ended_well_and_the_rest_is_healthy(chain: Chain) -> None:
    """The training of the second algorithm gives way to all that is scored, for which the test above has ended that."""
    await_condition(lambda: chain.compose.services()["bootstrap"]["State"] == "exited", 600)
    services = chain.compose.services()
    assert {name: services[name]["ExitCode"] for name in ("topics", "bootstrap")} == {"topics": 0, "bootstrap": 0}
    rest = [name for name in RUNNING if name != "generator"]
    assert {name: services[name]["Health"] for name in rest} == dict.fromkeys(rest, "healthy")
    assert "load" not in services


@pytest.mark.parity("lost connections and restarts lose and double nothing", "compose")
def test_nothing_is_lost_when_every_container_is_restarted_under_load(chain: Chain) -> None:
    before, scored_from = end_offsets(chain.settings, TRANSACTIONS), end_offsets(chain.settings, SCORED)
    chain.compose.variables["LOAD_RATE"] = str(LOAD_RATE)
    began = time.monotonic()
    chain.compose.run("up", "--detach", "--no-deps", "generator", "load")
    chain.compose.await_healthy("generator", "load")
    seconds = {}
    for name in (*RUNNING, "load"):
        published = sum(end_offsets(chain.settings, TRANSACTIONS).values())
        restarted_at = time.monotonic()
        chain.compose.run("restart", name)
        chain.compose.await_healthy(name, seconds=300)
        seconds[name] = round(time.monotonic() - restarted_at, 1)
        await_condition(lambda: sum(end_offsets(chain.settings, TRANSACTIONS).values()) > published, 120)  # noqa: B023
    under_load = memory_in_use(chain.compose.project)
    loaded_for = time.monotonic() - began
    chain.compose.run("stop", "generator", "load")
    summary = account(chain, before, scored_from)
    measured["restarts"] = {"seconds_to_healthy": seconds, "rate": LOAD_RATE, "summary": summary.to_json()}
    measured["memory_bytes"] = under_load
    # As much as half of the load must have come through, else this was no load.
    assert summary.produced >= LOAD_RATE * loaded_for / 2
    assert summary.complete, summary
    assert sum(under_load.values()) <= MOST_MEMORY, under_load


@pytest.mark.parametrize("block", blocks_that_need("docker"), ids=str)
def test_a_shell_block_with_containers_does_what_it_says(chain: Chain, block: ShellBlock, tmp_path: Path) -> None:
    """The block runs on the chain that is up; ending it there, as Ctrl-C would, is left to `down` below."""
    with chain.compose.shell(block.text, tmp_path) as shell:
        await_condition(lambda: "Attaching to" in (tmp_path / "output").read_text("utf-8"), 120)
        chain.compose.await_healthy(*RUNNING, seconds=120)
        assert shell.poll() is None, (tmp_path / "output").read_text("utf-8")


def test_nothing_ran_out_of_memory(chain: Chain) -> None:
    states = {name: container.attrs["State"] for name, container in chain.compose.containers().items()}
    assert [name for name, state in states.items() if state["OOMKilled"]] == []
    crashed = {name: container.attrs["RestartCount"] for name, container in chain.compose.containers().items()}
    assert {name: count for name, count in crashed.items() if count} == {}


def test_down_keeps_data_and_down_with_volumes_clears_them(chain: Chain) -> None:
    chain.compose.run("stop", "generator", "load", "stream", "store")
    db = documents.database(chain.settings)
    stored = db.transactions.count_documents({})
    published = end_offsets(chain.settings, TRANSACTIONS)
    db.client.close()
    chain.compose.run("--profile", "*", "down")
    assert chain.compose.services() == {}
    chain.compose.run("up", "--detach", "kafka", "mongo")
    chain.compose.await_healthy("kafka", "mongo")
    assert documents.database(chain.settings).transactions.count_documents({}) == stored
    assert end_offsets(chain.settings, TRANSACTIONS) == published
    chain.compose.run("--profile", "*", "down", "--volumes")
    labelled = {"label": f"com.docker.compose.project={chain.compose.project}"}
    assert docker.from_env().volumes.list(filters=labelled) == []
    write_results(chain)


def write_results(chain: Chain) -> None:
    """Keep what was measured where the caller asked for it."""
    if not RESULTS:
        return
    images = {}
    engine = docker.from_env()
    for service in chain.compose.config()["services"].values():
        images[service["image"]] = engine.images.get(service["image"]).attrs["Size"]
    machine = {"cores": os.cpu_count(), "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")}
    versions = {
        "engine": engine.version()["Version"],
        "compose": chain.compose.run("version", "--short").strip(),
        "linux": platform.release(),
        "fraudstream": version("fraudstream"),
    }
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "versions": versions,
        "image_bytes": images,
        **measured,
        "memory_bytes_total": sum(measured["memory_bytes"].values()),
    }
    Path(RESULTS).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
