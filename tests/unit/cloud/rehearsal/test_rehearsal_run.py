"""The steps of a rehearsal, without its processes: when faults happen, and what a rotation hands over."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from fraudstream.cloud.rehearsal import run
from fraudstream.cloud.rehearsal.environment import Plan
from fraudstream.cloud.rehearsal.faults import Fault, Schedule
from fraudstream.cloud.rehearsal.run import Rehearsal
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.supervise import process

WAIT_SECONDS = 60

# A rehearsal without endpoints and services, whose first command goes on until it is told to end.
SCRIPT = """
import pathlib, sys
from fraudstream.cloud.rehearsal import run
from fraudstream.runtime import cli

CHILD = "import os, pathlib, time; pathlib.Path('part').write_text(str(os.getpid())); os.rename('part', 'child'); "

class Started:
    def __init__(self, behind, *_):
        self.folder = getattr(behind, "data_dir", None)
        self.environments = {"store": {}}
        self.name = "processes" if self.folder else "endpoints"

    def start(self):
        if self.folder:
            (self.folder / "logs").mkdir(parents=True)
            pathlib.Path("folder").write_text(str(self.folder))

    def await_ready(self):
        pass

    def stop(self):
        pathlib.Path(f"{self.name}.stopped").touch()

run.Endpoints = run.Processes = Started
run.COMMAND = (sys.executable, "-c", CHILD + "time.sleep(600)")
cli.main()
"""


class Sender:
    """A generator that has published what its test says; ``status`` None: it still runs."""

    def __init__(self, status: int | None = 0) -> None:
        self.returncode = status or 0
        self.status = status
        self.stdout = io.BytesIO()

    def poll(self) -> int | None:
        return self.status

    def communicate(self) -> tuple[bytes, None]:
        return orjson.dumps({"produced": 1_000}) + b"\n", None


@pytest.fixture
def rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    monkeypatch.setattr("fraudstream.cloud.rehearsal.parts.spark_job_environment", lambda _: {})
    monkeypatch.setattr(run, "await_processed", lambda *_: None)
    monkeypatch.setattr(run, "_POLL_SECONDS", 0.0)
    return Rehearsal(Plan(events=1_000), tmp_path)


def offsets(monkeypatch: pytest.MonkeyPatch, arrived: list[int], decided: list[int]) -> None:
    """End offsets as they are asked for; the last one stays."""

    def answer(_: Any, *topics: str) -> dict[str, int]:
        series = arrived if topics == (TRANSACTIONS,) else decided
        return {"all": series.pop(0) if len(series) > 1 else series[0]}

    monkeypatch.setattr(run, "end_offsets", answer)


def test_the_first_fault_waits_for_the_first_event(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def fault(name: str, share: float) -> Fault:
        return Fault(name, share, lambda: (happened.append(name), name)[1])

    # History stands on the topics already: 4,000 records arrived and were decided before.
    offsets(monkeypatch, [4_000, 4_000, 4_000, 4_010], [4_000, 4_000, 4_100, 4_500, 5_000])
    monkeypatch.setattr(rehearsal, "_started", lambda _: nullcontext(Sender()))
    schedule = Schedule([fault("storm", 0.0), fault("cut", 0.4), fault("rotation", 0.9)])
    assert rehearsal.stream(schedule) == {"produced": 1_000}
    assert happened == ["storm", "cut", "rotation"]
    assert schedule.all_happened


def test_a_sender_that_fails_ends_the_run_and_names_its_log(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets(monkeypatch, [0], [0])
    monkeypatch.setattr(rehearsal, "_started", lambda _: nullcontext(Sender(3)))
    with pytest.raises(FraudstreamError, match=r"generate live .* ended with status 3.*generate\.log"):
        rehearsal.stream(Schedule([Fault("storm", 0.0, lambda: "")]))


def test_the_schedule_has_every_fault_and_each_key_gets_a_successor(rehearsal: Rehearsal) -> None:
    assert {fault.name for fault in rehearsal.faults()} == {"throttling storm", "connections cut", "keys rotated"}
    shares = [fault.at_share for fault in rehearsal.faults()]
    assert shares == sorted(shares)
    before, after = rehearsal.front, rehearsal.settings_with_second_keys()
    for name in ("kafka_sasl_password", "mongo_uri", "scoring_key"):
        assert getattr(after, name) != getattr(before, name)
    keys = rehearsal.keys
    assert keys.namespace[1] in after.kafka_sasl_password.get_secret_value()
    assert keys.endpoint[1] == after.scoring_key.get_secret_value()
    same = set(type(after).model_fields) - {"kafka_sasl_password", "mongo_uri", "scoring_key"}
    assert all(getattr(after, name) == getattr(before, name) for name in same)


@pytest.mark.timeless
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_rehearsal_that_is_told_to_end_stops_what_it_has_started(number: signal.Signals, status: int) -> None:
    command = subprocess.Popen([sys.executable, "-c", SCRIPT, "rehearse", "azure"])
    assert process.await_condition(lambda: Path("child").exists() or command.poll() is not None, WAIT_SECONDS, 0.02)
    child, folder = psutil.Process(int(Path("child").read_text())), Path(Path("folder").read_text())
    assert folder.exists()
    command.send_signal(number)
    assert command.wait(WAIT_SECONDS) == status
    assert process.is_dead(child)
    assert Path("processes.stopped").exists()
    assert Path("endpoints.stopped").exists()
    assert not folder.exists()


def test_what_has_not_been_started_is_stopped_without_an_error(rehearsal: Rehearsal) -> None:
    rehearsal.processes.stop()
