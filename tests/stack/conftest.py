"""Embedded parts as their own processes, on free ports and in a folder of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.process import environment
from fraudstream.core.streaming.health import READY_FILE_VARIABLE
from fraudstream.runtime.parts import documentstore, kafka_broker
from fraudstream.runtime.parts.local import settings_environment, spark_job_environment
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import free_port


class Running:
    """A part's process: killed and started again as the supervisor would."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.start()

    def start(self) -> None:
        if self.part.prepare is not None:
            self.part.prepare()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.part.command),
                env={**environment.made(os.environ), **self.part.env},
                cwd=self.part.cwd,
                stdout=output,
                stderr=output,
            )
        until = time.monotonic() + self.part.ready_timeout_seconds
        while not self.part.ready():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)


class SparkJob:
    """A part that runs on Spark, as its own process; ``variables`` are of its environment."""

    def __init__(self, settings: Settings, part: str, **variables: str) -> None:
        self.log = settings.data_dir / f"{part}.log"
        self.ready_file = settings.data_dir / f"{part}.ready"
        self._command = [sys.executable, "-m", f"fraudstream.{part}"]
        self._env = os.environ | spark_job_environment(settings) | settings_environment(settings)
        self._env |= {READY_FILE_VARIABLE: str(self.ready_file), **variables}
        self.start()

    def start(self) -> None:
        self.ready_file.unlink(missing_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self._command, env=self._env, stdout=output, stderr=output)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.ready_file.unlink(missing_ok=True)


def stream_job(settings: Settings, trigger: str, **variables: str) -> SparkJob:
    """The job with the model in it."""
    chosen = {"FRAUDSTREAM_TRIGGER": trigger, "FRAUDSTREAM_SCORING": "embedded"}
    return SparkJob(settings, "stream", **chosen | variables)


def await_condition(condition: Callable[[], bool], seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.2)


def spoil(broker: Running, settings: Settings, record: Any, before: bytes, after: bytes) -> None:
    """The disk flips a bit of the record's bytes while the broker is down; an orderly start does not look for that."""
    broker.stop()
    log = settings.data_dir / "kafka" / "data" / f"{record.topic}-{record.partition}"
    (segment,) = (file for file in log.glob("*.log") if before in file.read_bytes())
    segment.write_bytes(segment.read_bytes().replace(before, after))
    broker.start()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    ports = {name: free_port() for name in ("kafka_port", "kafka_controller_port", "mongo_port")}
    return Settings(data_dir=tmp_path_factory.mktemp("data"), **ports)


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Running]:
    running = Running(documentstore.part(settings), settings.data_dir / "documents.log")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def broker(settings: Settings) -> Iterator[Running]:
    running = Running(kafka_broker.part(settings), settings.data_dir / "kafka.log")
    yield running
    running.stop()


@pytest.fixture
def start(topics: Settings) -> Iterator[Callable[[str], SparkJob]]:
    """Starts the job for the module's topics; what it has started ends with the test."""
    jobs: list[SparkJob] = []

    def started(trigger: str) -> SparkJob:
        jobs.append(stream_job(topics, trigger))
        return jobs[-1]

    yield started
    for job in jobs:
        job.kill()
