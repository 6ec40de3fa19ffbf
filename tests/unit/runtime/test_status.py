"""What the status tells, also when nothing answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import psutil
import pytest
from bson import DatetimeMS
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.documents import client as documents
from fraudstream.core.kafka import broker
from fraudstream.core.streaming.health import Failing
from fraudstream.runtime import status
from fraudstream.runtime.status import Status, StreamStatus, collect
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.preflight import runs_here
from fraudstream.runtime.supervise.state import DataLock, PartState, RunState, run_dir, write_state


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, kafka_port=unused_port(), mongo_port=unused_port())


def test_nothing_running_is_told_quickly_and_without_an_error(settings: Settings) -> None:
    began = time.monotonic()
    state = collect(settings)
    assert time.monotonic() - began < 3
    assert state == Status("local", True, None, (), StreamStatus())
    assert not state.all_ready


def test_servers_that_accept_and_never_answer_do_not_hold_up_the_status(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kafka, socket.create_server(("127.0.0.1", 0)) as mongo:
        ports = {"kafka_port": kafka.getsockname()[1], "mongo_port": mongo.getsockname()[1]}
        began = time.monotonic()
        state = collect(load_settings(data_dir=tmp_path, **ports))
        assert time.monotonic() - began < 3
    assert state.stream == StreamStatus()


def test_a_running_part_is_shown_with_its_processes_memory(settings: Settings) -> None:
    run_dir(settings.data_dir).mkdir(parents=True)
    me = PartState("kafka", "ready", os.getpid(), process.create_time(os.getpid()), [9092], time.time() - 5, 2, "exit")
    write_state(settings.data_dir, RunState(os.getpid(), {"kafka": me}))
    lock = DataLock(settings.data_dir)
    lock.acquire()
    try:
        state = collect(settings)
    finally:
        lock.release()
    (part,) = state.parts
    assert state.supervisor_pid == os.getpid()
    assert (part.name, part.state, part.pid, part.ports) == ("kafka", "ready", os.getpid(), (9092,))
    assert (part.restarts, part.last_exit) == (2, "exit")
    assert part.memory_bytes is not None
    assert part.memory_bytes >= 10_000_000
    assert part.uptime_seconds == pytest.approx(5, abs=4)
    assert state.all_ready


def test_the_parts_of_a_dead_supervisor_are_stopped(settings: Settings) -> None:
    run_dir(settings.data_dir).mkdir(parents=True)
    me = PartState("kafka", "ready", os.getpid(), process.create_time(os.getpid()))
    write_state(settings.data_dir, RunState(999_999, {"kafka": me}))
    state = collect(settings)
    assert [(part.state, part.pid, part.memory_bytes) for part in state.parts] == [("stopped", None, None)]
    assert not state.all_ready


def test_one_part_that_is_not_ready_makes_the_whole_not_ready() -> None:
    def part(name: str, phase: Any) -> status.PartStatus:
        return status.PartStatus(name, phase, 1, (), 1, 0, None, 1.0)

    ready, starting = part("kafka", "ready"), part("stream", "starting")
    assert Status("local", True, 1, (ready,), StreamStatus()).all_ready
    assert not Status("local", True, 1, (ready, starting), StreamStatus()).all_ready


def test_where_parts_run_elsewhere_the_answers_count() -> None:
    assert Status("azure", False, None, (), StreamStatus(lag=0, rejected=0)).all_ready
    assert not Status("azure", False, None, (), StreamStatus(lag=0)).all_ready


def test_memory_counts_descendants() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import signal; signal.pause()'])"
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        try:
            assert process.await_condition(lambda: bool(psutil.Process(parent.pid).children()), 30)
            (child,) = psutil.Process(parent.pid).children()
            alone = psutil.Process(parent.pid).memory_info().rss
            family = process.family_memory(parent.pid)
            assert family is not None
            assert family > alone
            child.kill()
        finally:
            parent.kill()
    assert process.family_memory(parent.pid) is None


class FakeReader:
    """A broker with one partition per topic; offsets by topic."""

    begins: ClassVar = {TRANSACTIONS: 10, SCORED: 0, REJECTED: 0, LABELS: 5}
    # The stream has committed up to 90, the store up to 50 of `scored` and nothing else.
    commits: ClassVar = {TRANSACTIONS: 90, SCORED: 50}
    metadata = ""
    ends: ClassVar = {TRANSACTIONS: 110, SCORED: 60, REJECTED: 4, LABELS: 5}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def committed(self, part: TopicPartition, **_: Any) -> Any:
        offset = self.commits.get(part.topic)
        return None if offset is None else SimpleNamespace(offset=offset, metadata=self.metadata)

    def end_offsets(self, parts: list[TopicPartition], **_: Any) -> dict[TopicPartition, int]:
        return {part: self.ends[part.topic] for part in parts}

    def beginning_offsets(self, parts: list[TopicPartition], **_: Any) -> dict[TopicPartition, int]:
        return {part: self.begins[part.topic] for part in parts}

    def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        return {part: SimpleNamespace(offset=80) for part in times}

    def close(self) -> None:
        """Nothing is open."""


def test_rate_and_lag_come_from_offsets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_listens", lambda _: True)
    monkeypatch.setattr(broker, "consumer", lambda *_, **__: FakeReader())
    stream = collect(settings).stream
    assert stream.input_rate == 3.0  # 110 − 80 records in ten seconds
    assert stream.lag == 20
    assert stream.store_lag == 10 + 4 + 0


def test_what_a_job_commits_beside_its_offsets_makes_it_not_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Failing(datetime(2026, 11, 29, tzinfo=UTC), "scoring: it is odd", "Do this.").to_text()

    class FailingReader(FakeReader):
        commits: ClassVar = {TRANSACTIONS: 90}
        metadata = text

    monkeypatch.setattr(status, "_listens", lambda _: True)
    monkeypatch.setattr(broker, "consumer", lambda *_, **__: FailingReader())
    state = collect(settings)
    assert state.stream.problems == {"stream": "failing since 2026-11-29 00:00:00 UTC: scoring: it is odd. Do this."}
    assert not state.all_ready


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, True),
        ({"kafka_port": 19092}, True),
        ({"kafka_bootstrap_servers": "localhost:9092"}, True),
        ({"kafka_bootstrap_servers": "127.0.0.1:9094"}, False),
        ({"kafka_bootstrap_servers": "broker.example.org:9092"}, False),
        ({"profile": "compose"}, False),
        ({"profile": "azure"}, False),
    ],
)
def test_the_addresses_tell_whether_the_parts_run_here(values: dict[str, Any], expected: bool) -> None:
    assert runs_here(load_settings(**values)) is expected


def test_odd_documents_of_others_do_not_keep_figures_from_being_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    latencies: list[Any] = [DatetimeMS(2**62), "fast", {"a": 1}, [2], float("nan"), True, None, 4.0, 2]
    recent = SimpleNamespace(find=lambda *_: [{"_id": 1}, *({"latency_ms": latency} for latency in latencies)])
    rejected = SimpleNamespace(estimated_document_count=lambda: 7)
    database = {documents.RECENT: recent, documents.REJECTED: rejected}

    class Client(dict[str, Any]):
        def close(self) -> None:
            """It has no connection."""

    monkeypatch.setattr(documents, "client", lambda *_, **__: Client({"fraudstream": database}))
    stream = collect(settings).stream
    assert stream.rejected == 7
    assert stream.latency_p50_ms is not None
    assert stream.latency_p95_ms is not None
    assert 2 <= stream.latency_p50_ms <= stream.latency_p95_ms <= 4
