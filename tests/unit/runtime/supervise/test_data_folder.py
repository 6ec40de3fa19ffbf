"""Reset deletes what is ours, wherever FRAUDSTREAM_DATA_DIR leads, and nothing else."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudstream.core.access import iot_hub
from fraudstream.core.access.policies import connection_string
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError, RuntimePartError
from fraudstream.core.process import environment
from fraudstream.core.streaming.health import failing_file
from fraudstream.runtime import cli, lifecycle
from fraudstream.runtime.certificates.authority import authority_files
from fraudstream.runtime.parts import documentstore, kafka_broker, mlflow_server
from fraudstream.runtime.supervise import data_folder
from fraudstream.runtime.supervise.state import DataLock, RunState, log_file, run_dir, state_file, write_state

pytestmark = pytest.mark.timeless

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder as a supervisor leaves it."""
    folder = tmp_path / "data"
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(folder))
    lock = DataLock(folder)
    lock.acquire()
    lock.release()
    write_state(folder, RunState(1, {}))
    state_file(folder).unlink()
    settings = load_settings()
    ready = run_dir(folder) / "store.ready"
    files = [
        *(ready, failing_file(ready), log_file(folder, "kafka"), log_file(folder, "kafka").with_suffix(".log.3")),
        *(kafka_broker.folder(settings) / "data" / "x", mlflow_server.folder(settings) / "mlflow.db"),
        *(documentstore.embedded_file(settings), folder / "checkpoints" / "stream" / "offsets" / "0"),
        *(folder / "spark" / "train" / "x", folder / "champion" / "trees.json", folder / "cache" / "maven" / "a.jar"),
        *(iot_hub.folder(settings) / "registry.sqlite3", iot_hub.edge_folder(settings, "till") / "outbox.sqlite3"),
        *(authority_files(folder / "certificates").key, folder / "queries" / "x" / "offsets" / "0"),
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    connection_string(settings)
    environment.made({"FRAUDSTREAM_DATA_DIR": str(folder), "HOME": "/nowhere"})
    assert (folder / "home").is_dir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def reset() -> str:
    done = runner.invoke(cli.app, ["reset", "--yes"], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stderr


def test_a_folder_of_ours_is_deleted_whole(folder: Path) -> None:
    assert reset() == f"✓ deleted the data in {folder}\n"
    assert not folder.exists()
    assert reset() == f"nothing to delete in {folder}\n"


@pytest.mark.parametrize("held", ["run/other", "run/lock/other", "lock", ".git/config"])
def test_a_folder_without_our_mark_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    """Such as /var, where `run` is a link and `run/lock` a folder, and a project that has a folder `run`."""
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    (tmp_path / held).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / held).touch()
    with pytest.raises(RuntimePartError, match="left alone"):
        runner.invoke(cli.app, ["reset", "--yes"], catch_exceptions=False)
    assert (tmp_path / held).exists()


def test_what_is_not_ours_stays_and_is_told(folder: Path) -> None:
    others = ["thesis.txt", "src/main.py", "logs/of-others.txt", "run/job.sh", "tmp/kept", "cache/pip/x"]
    for name in others:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    assert reset().splitlines() == [
        f"✓ deleted the data in {folder}",
        f"What is not ours stays in {folder}: cache, logs, run, src, thesis.txt, tmp",
    ]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(others)


def test_what_was_there_before_the_first_start_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "main.py").touch()
    for _ in range(2):
        lock = DataLock(tmp_path)
        lock.acquire()
        lock.release()
        # Of a later start it is ours.
        (tmp_path / "mlflow").mkdir(exist_ok=True)
    assert reset().splitlines()[1:] == [f"What is not ours stays in {tmp_path}: kafka"]
    assert [path.name for path in tmp_path.iterdir()] == ["kafka"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_mount_point_is_emptied(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    rmdir = Path.rmdir

    def refused(path: Path) -> None:
        if path in (folder, folder / "kafka"):
            raise OSError(number, "cannot be removed", str(path))
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", refused)
    assert reset() == f"✓ deleted the data in {folder}\n"
    assert [*folder.rglob("*")] == [folder / "kafka"]


def test_links_are_removed_and_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    shutil.rmtree(folder / "documentstore")
    (folder / "documentstore").symlink_to(elsewhere)
    (folder / "kafka" / "data" / "link").symlink_to(elsewhere)
    reset()
    assert not folder.exists()
    assert (elsewhere / "kept").exists()


def test_a_reset_that_fails_can_be_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def refused(path: Path) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

        patch.setattr(data_folder.shutil, "rmtree", refused)
        with pytest.raises(ConfigurationError, match=r"/kafka/data cannot be deleted \(Operation not permitted\)"):
            lifecycle.delete_data(load_settings())
    assert reset() == f"✓ deleted the data in {folder}\n"
    assert not folder.exists()
