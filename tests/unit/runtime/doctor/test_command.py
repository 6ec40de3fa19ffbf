"""Doctor says what is missing, with what to do about it, and changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import JavaMissing
from fraudstream.core.project.project import bundled
from fraudstream.runtime.doctor import command as doctor
from fraudstream.runtime.doctor.command import run_checks
from fraudstream.runtime.supervise.preflight import free_port
from fraudstream.runtime.supervise.state import RunState, run_dir, write_state


def checks_of(settings: Settings) -> dict[str, doctor.Check]:
    return {check.name: check for check in run_checks(settings)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    names = ("kafka", "kafka_controller", "mongo", "mlflow", "scoring", "dashboard")
    return Settings(data_dir=tmp_path / "data", **{f"{name}_port": free_port() for name in names})


def test_this_machine_can_run_the_parts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # How full this machine's disk is has a test of its own, and says nothing of the checks.
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=2 * doctor.LEAST_DISK_BYTES))
    checks = checks_of(settings)
    assert [name for name, check in checks.items() if not check.ok] == []
    assert str(settings.kafka_port) in checks["ports"].detail
    assert not settings.data_dir.exists()


def test_a_taken_port_is_named_with_its_variable(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.mlflow_port))
        other.listen()
        check = checks_of(settings)["ports"]
    assert not check.ok
    assert str(settings.mlflow_port) in check.advice
    assert "FRAUDSTREAM_MLFLOW_PORT" in check.advice


def test_missing_java(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise JavaMissing("No Java of version 17 or newer. Install one.")

    monkeypatch.setattr(doctor, "find_java", none)
    check = checks_of(settings)["Java"]
    assert (check.ok, check.advice) == (False, "No Java of version 17 or newer. Install one.")


def test_too_little_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2_000_000_000))
    check = checks_of(settings)["memory"]
    assert (check.ok, check.detail) == (False, "2.0 GB")


def test_a_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000_000))
    check = checks_of(settings)["disk"]
    assert not check.ok
    assert "FRAUDSTREAM_DATA_DIR" in check.advice


def test_a_killed_supervisor(settings: Settings) -> None:
    run_dir(settings.data_dir).mkdir(parents=True)
    write_state(settings.data_dir, RunState(supervisor_pid=os.getpid(), parts={}))
    check = checks_of(settings)["supervisor"]
    assert not check.ok
    assert "fraudstream down" in check.advice


def test_the_project_in_force_is_told(settings: Settings) -> None:
    check = checks_of(settings)["project"]
    assert check.ok
    assert check.detail.startswith("payments (Payments) in ")
    assert "15 fields, 12 model inputs" in check.detail
    assert check.detail.endswith("chosen by default")


def test_a_project_that_cannot_be_run_is_told_in_the_loaders_words(settings: Settings, tmp_path: Path) -> None:
    check = checks_of(settings.model_copy(update={"project": str(tmp_path)}))["project"]
    assert not check.ok
    assert "fraudstream.toml cannot be read" in check.advice


def test_a_query_that_the_job_would_not_start_is_told_with_its_place(settings: Settings, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(bundled("payments").folder, project)
    file = project / "stream-analytics" / "fraud.asaql"
    own = settings.model_copy(update={"project": str(project)})
    file.write_text(file.read_text().replace("INTO alerts", "INTO else"))
    assert checks_of(own)["query"].advice.startswith(f"{file}:")
    # The scoring service answers for the event's own fields alone.
    file.write_text("SELECT udf.score(t, 1) AS decision INTO scored FROM transactions t")
    assert checks_of(own)["query"].ok
    remote = own.model_copy(update={"scoring": "remote", "trigger": "microbatch"})
    assert "udf.score is given something else" in checks_of(remote)["query"].advice
