"""The file that says that a process works, and when it last did."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.core.health import READY_FILE_VARIABLE, announce_ready
from fraudstream.core.progress import heartbeat


@pytest.fixture
def ready_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "ready"
    monkeypatch.setenv(READY_FILE_VARIABLE, str(file))
    return file


def test_a_heartbeat_touches_the_file_but_not_at_every_call(ready_file: Path) -> None:
    beat = heartbeat(seconds=3600)
    beat()
    assert ready_file.exists()
    ready_file.unlink()
    beat()
    assert not ready_file.exists()


def test_each_beat_counts_once_its_time_has_come(ready_file: Path) -> None:
    beat = heartbeat(seconds=0)
    beat()
    ready_file.unlink()
    beat()
    assert ready_file.exists()


def test_nobody_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(READY_FILE_VARIABLE, raising=False)
    announce_ready()
    assert list(tmp_path.iterdir()) == []
