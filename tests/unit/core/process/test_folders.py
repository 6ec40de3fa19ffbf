"""Folders that cannot be seen or written to are told in one line, before anything is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError, RuntimePartError
from fraudstream.core.process import folders
from fraudstream.runtime import cli
from fraudstream.runtime.doctor.surroundings import checks
from fraudstream.runtime.log_reading import last_lines
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.folder_names import check_folders
from fraudstream.runtime.supervise.state import DataLock, log_file, run_dir

pytestmark = pytest.mark.timeless

runner = CliRunner()

# Nobody makes a file there, root included.
UNWRITABLE = "/proc/data"

# Everything is imported before: this Python may lie where the other user cannot read.
AS_SOMEBODY_ELSE = """
import json, os, sys
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.configuration.settings import load_settings
from fraudstream.runtime.parts import artifacts, local as parts
from fraudstream.runtime.doctor import command as doctor
from fraudstream.runtime import lifecycle, log_reading, status

closed, warm, held = sys.argv[1:]
os.environ["FRAUDSTREAM_CACHE_DIR"] = f"{warm}/cache"
doctor.run_checks(load_settings(data_dir=f"{warm}/data"))
os.setgroups([])
os.setgid(54321)
os.setuid(54321)

def said(ask):
    try:
        return str(ask())
    except FraudstreamError as error:
        return f"{type(error).__name__}: {error}"

settings = load_settings(data_dir=f"{closed}/data")
os.environ["FRAUDSTREAM_CACHE_DIR"] = f"{closed}/cache"
found = {one.name: [one.ok, one.detail, one.advice] for one in doctor.run_checks(settings)}
found["up"] = said(lambda: parts.local_parts(settings))
found["detached"] = said(lambda: lifecycle.start_detached(settings))
found["reset"] = said(lambda: lifecycle.holds_data(settings))
found["status"] = said(lambda: status.collect(settings))
found["down"] = said(lambda: lifecycle.stop(settings))
theirs = load_settings(data_dir=held)
found["their status"] = status.collect(theirs).supervisor_pid
found["their down"] = said(lambda: lifecycle.stop(theirs))
found["their doctor"] = {one.name: one.detail for one in doctor.run_checks(theirs)}["supervisor"]
found["logs"] = said(lambda: log_reading.logs_in(settings.data_dir / "logs"))
found["fetch"] = said(lambda: artifacts.ensure("kafka"))
del os.environ["FRAUDSTREAM_CACHE_DIR"]
os.environ |= {"HOME": closed, "FRAUDSTREAM_DATA_DIR": "/data"}
os.environ.pop("XDG_CACHE_HOME", None)
found["cache"] = str(artifacts.cache_dir())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a user finds whose data and cache are said to be in a folder that only root may enter."""
    if os.geteuid() != 0:
        pytest.skip("takes root to become somebody else")
    closed, warm = tmp_path_factory.mktemp("closed"), tmp_path_factory.mktemp("warm")
    (closed / "data").mkdir()
    closed.chmod(0o700)
    # Not below the other two, whose parents nobody else may enter.
    with tempfile.TemporaryDirectory() as held:
        Path(held).chmod(0o755)
        lock = DataLock(Path(held))
        lock.acquire()
        command = [sys.executable, "-c", AS_SOMEBODY_ELSE, str(closed), str(warm), held]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        lock.release()
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_doctor_looks_at_folders_that_this_user_may_not_enter(elsewhere: dict[str, Any]) -> None:
    ok, _, advice = elsewhere["folders"]
    assert not ok
    assert "FRAUDSTREAM_DATA_DIR" in advice
    ok, detail, advice = elsewhere["artifacts"]
    assert not ok
    assert detail.endswith("/cache cannot be written to")
    assert "FRAUDSTREAM_CACHE_DIR" in advice
    assert "free for" in elsewhere["disk"][1]
    assert "free for" in elsewhere["cache disk"][1]


@pytest.mark.parametrize("command", ["up", "detached", "reset", "status", "down"])
def test_commands_name_the_data_folder_that_this_user_may_not_enter(elsewhere: dict[str, Any], command: str) -> None:
    assert elsewhere[command].startswith("ConfigurationError: ")
    assert "FRAUDSTREAM_DATA_DIR" in elsewhere[command]


def test_whether_parts_run_in_such_a_folder_is_not_guessed(elsewhere: dict[str, Any]) -> None:
    for command in ("status", "down"):
        assert "/data/run/lock cannot be read (Permission denied)" in elsewhere[command]
    ok, detail, advice = elsewhere["supervisor"]
    assert (ok, detail) == (False, "may run: this user cannot tell")
    assert "FRAUDSTREAM_DATA_DIR" in advice
    assert not elsewhere["ports"][0]


def test_another_users_parts_are_seen_and_left_to_that_user(elsewhere: dict[str, Any]) -> None:
    assert elsewhere["their status"] == os.getpid()
    assert elsewhere["their doctor"] == f"running, process {os.getpid()}"
    assert elsewhere["their down"].startswith("RuntimePartError: Fraudstream runs in ")
    assert "Stop it as that user" in elsewhere["their down"]


def test_logs_and_artifacts_in_such_folders_are_told_in_one_line(elsewhere: dict[str, Any]) -> None:
    assert elsewhere["logs"].startswith("RuntimePartError: ")
    assert "cannot be read (Permission denied)" in elsewhere["logs"]
    assert elsewhere["fetch"].startswith("ArtifactError: ")
    assert "FRAUDSTREAM_CACHE_DIR" in elsewhere["fetch"]


def test_a_home_that_this_user_may_not_enter_has_no_cache(elsewhere: dict[str, Any]) -> None:
    assert elsewhere["cache"] == "/data/cache"


def test_a_folder_is_as_writable_as_the_nearest_one_that_is_there(tmp_path: Path) -> None:
    assert folders.nearest(tmp_path / "a" / "b") == tmp_path
    assert folders.writable(tmp_path / "a" / "b")
    assert not folders.writable(Path(UNWRITABLE))
    (tmp_path / "file").touch()
    assert not folders.writable(tmp_path / "file" / "b")


@pytest.mark.parametrize("words", [["up"], ["up", "-d"], ["demo"]])
def test_nothing_starts_on_a_data_folder_that_cannot_be_written_to(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", UNWRITABLE)
    error = runner.invoke(cli.app, words).exception
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith(f"{UNWRITABLE} cannot be written to: nothing can be made in /proc.")
    assert "FRAUDSTREAM_DATA_DIR" in str(error)


def test_doctor_says_that_the_data_folder_cannot_be_written_to() -> None:
    (check,) = [check for check in checks(Settings(data_dir=Path(UNWRITABLE))) if check.name == "folders"]
    assert not check.ok
    assert UNWRITABLE in check.advice
    assert "FRAUDSTREAM_DATA_DIR" in check.advice


@pytest.mark.parametrize("name", ["run", "logs"])
def test_what_another_user_has_left_in_the_data_folder_is_looked_at_as_well(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/proc")
    with pytest.raises(ConfigurationError, match=f"{name} cannot be written to"):
        check_folders(Settings(data_dir=tmp_path))


def test_a_cache_that_is_whole_need_not_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(artifacts.CACHE_VARIABLE, "/proc")
    check_folders(Settings(data_dir=tmp_path))


def test_a_file_in_the_place_of_the_supervisors_folder_is_named(tmp_path: Path) -> None:
    run_dir(tmp_path).touch()
    with pytest.raises(ConfigurationError, match=r"/run cannot be made \(File exists\)"):
        DataLock(tmp_path).acquire()


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (run_dir(tmp_path) / "lock").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"run/lock cannot be opened \(Is a directory\)"):
        DataLock(tmp_path).acquire()


def test_reset_deletes_nothing_where_it_could_not_delete_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    run_dir(tmp_path).mkdir()
    (run_dir(tmp_path) / "lock").touch()
    (tmp_path / "kept").touch()
    monkeypatch.setattr(folders, "writable", lambda _: False)
    done = runner.invoke(cli.app, ["reset", "--yes"])
    assert isinstance(done.exception, ConfigurationError)
    assert (tmp_path / "kept").exists()


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    log_file(tmp_path, "kafka").mkdir(parents=True)
    with pytest.raises(RuntimePartError, match=r"kafka\.log cannot be read \(Is a directory\)"):
        last_lines(log_file(tmp_path, "kafka"), 1)
