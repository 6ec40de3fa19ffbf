"""A running system: what it costs, a new champion, the model in the job, data that outlive a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import orjson
import psutil
import pytest

from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents import client as documents
from fraudstream.core.kafka.clients import producer
from fraudstream.runtime.accounting import Summary, await_processed, end_offsets, summarise
from fraudstream.runtime.supervise.process import family_memory
from tests.events import value
from tests.system.conftest import Fraudstream, await_condition

T = TypeVar("T")

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def publish(fraudstream: Fraudstream, *words: str) -> subprocess.Popen[bytes]:
    return fraudstream.start("generate", "live", *words, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@contextmanager
def publishing(fraudstream: Fraudstream, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Traffic that ends at the latest with a test that fails."""
    generator = publish(fraudstream, *words)
    try:
        yield generator
    except BaseException:
        generator.kill()
        generator.wait()
        raise


def account(fraudstream: Fraudstream, generator: subprocess.Popen[bytes], scored_from: Any) -> tuple[Summary, Any]:
    out, err = generator.communicate(timeout=600)
    assert generator.returncode == 0, err.decode()[-2000:]
    published = orjson.loads(out)
    await_processed(fraudstream.settings, 180, lambda _: None)
    produced = {int(number): (start, end) for number, (start, end) in published["offsets"]["transactions"].items()}
    return summarise(fraudstream.settings, produced, scored_from, datetime.now(UTC)), published


def supervised(fraudstream: Fraudstream) -> list[psutil.Process]:
    marker = str(fraudstream.folder)
    pid = orjson.loads(fraudstream.run("status", "--json"))["supervisor_pid"]
    supervisor = psutil.Process(pid)
    family = [supervisor, *supervisor.children(recursive=True)]
    assert any(marker in " ".join(words) for words in of_the_living(family, lambda process: process.cmdline()))
    return family


def of_the_living(processes: list[psutil.Process], ask: Callable[[psutil.Process], T]) -> list[T]:
    """The answers of the processes that have not ended meanwhile."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def test_streaming_fits_into_four_gigabytes(stack: Fraudstream) -> None:
    scored_from = end_offsets(stack.settings, SCORED)
    summary, _ = account(stack, publish(stack, "--rate", "20", "--for", "20"), scored_from)
    assert summary.complete
    supervisor = supervised(stack)[0].pid
    # Each page counted once: forked workers and mapped files share many of theirs.
    held = family_memory(supervisor, shared_once=True)
    assert held is not None
    assert 1024**3 < held <= 4 * 1024**3


def test_spark_starts_from_the_archive_of_its_classes(stack: Fraudstream) -> None:
    members = supervised(stack)
    jobs = [words for words in of_the_living(members, lambda process: process.cmdline()) if "pyspark-shell" in words]
    archives = [word.partition("=")[2] for job in jobs for word in job if word.startswith("-XX:SharedArchiveFile=")]
    assert len(archives) == len(jobs) > 0
    mapped = {str(file.path) for maps in of_the_living(members, lambda process: process.memory_maps()) for file in maps}
    assert {archive for option in archives for archive in option.split(os.pathsep)} <= mapped


@pytest.mark.parity("a champion by tag is trained, registered and scores", "local")
def test_a_new_champion_is_taken_up_under_traffic_without_loss(stack: Fraudstream) -> None:
    stack.run("train", "--algorithm", "xgboost")
    roles = {version["version"]: version["role"] for version in stack.json("models", "list")["versions"]}
    champion = next(version for version, role in roles.items() if role == "champion")
    other = next(version for version in roles if version != champion)
    before = stack.pids()
    scored_from = end_offsets(stack.settings, SCORED)
    stored = documents.database(stack.settings).transactions
    newest = {"origin": "live", "model_version": other}
    already = stored.count_documents(newest)
    with publishing(stack, "--rate", "200") as generator:
        await_condition(lambda: sum(end_offsets(stack.settings, SCORED).values()) > sum(scored_from.values()) + 500, 60)
        stack.run("models", "promote", other)
        await_condition(lambda: stored.count_documents(newest) > already, 60)
        generator.send_signal(signal.SIGINT)
    summary, published = account(stack, generator, scored_from)
    assert summary.produced > 500
    assert (summary.scored, summary.stored) == (summary.produced, summary.produced)
    ids = {"$gte": published["first_id"], "$lte": published["last_id"]}
    assert sorted(stored.distinct("model_version", {"_id": ids})) == sorted([champion, other])
    after = stack.pids()
    assert (after["stream"], after["scoring"]) == (before["stream"], before["scoring"])
    stack.run("models", "promote", champion)


def test_the_services_answer(stack: Fraudstream) -> None:
    settings = stack.settings
    assert httpx.get(f"{settings.dashboard_url}/").status_code == 200
    assert httpx.get(f"{settings.dashboard_url}/history").status_code == 200
    assert httpx.get(f"{settings.mlflow_tracking_uri}/").status_code == 200
    assert httpx.get(f"{settings.scoring_url}/health").json()["status"] == "ok"
    assert httpx.get(f"{settings.scoring_url}/openapi.json").status_code == 200


def test_rejected_events_are_listed_corrected_and_sent_back(stack: Fraudstream) -> None:
    number = 5_000_000_000 + time.time_ns() % 1_000_000_000
    sender = producer(stack.settings)
    sent = sender.send("transactions", key=b"x", value=value(id=number, amount="12.5")).get(timeout=30)
    sender.close()
    rejected = f"transactions/{sent.partition}/{sent.offset}"
    db = documents.database(stack.settings)
    await_condition(lambda: db.rejected.find_one({"_id": rejected}) is not None, 60)
    listed = stack.json("rejected", "list", "--field", "amount", "--limit", "1000")["rejected"]
    assert rejected in {event["id"] for event in listed}
    assert "still not valid" in stack.run("rejected", "replay", rejected, status=1)
    assert stack.json("rejected", "replay", rejected, "--set", "amount=12.5")["sent"] == [rejected]
    await_condition(lambda: db.transactions.find_one({"_id": number}) is not None, 60)


def test_data_outlive_a_stop_and_the_job_can_score_by_itself(stack: Fraudstream) -> None:
    """``--realtime`` loads the registered model into the job: the job asks no scoring service and does not wait."""
    db = documents.database(stack.settings)
    stored = db.transactions.count_documents({})
    stack.run("down")
    stack.run("up", "-d", "--realtime")
    assert db.transactions.count_documents({}) == stored

    metrics = f"{stack.settings.scoring_url}/metrics"
    asked = httpx.get(metrics).text.count('endpoint="/score"')
    scored_from = end_offsets(stack.settings, SCORED)
    summary, _ = account(stack, publish(stack, "--count", "5000", "--rate", "0"), scored_from)
    assert (summary.produced, summary.scored, summary.stored) == (5_000, 5_000, 5_000)

    assert httpx.get(metrics).text.count('endpoint="/score"') == asked


def test_down_leaves_nothing_running(stack: Fraudstream) -> None:
    members = supervised(stack)
    stack.run("down")
    _, alive = psutil.wait_procs(members, timeout=30)
    assert alive == []
