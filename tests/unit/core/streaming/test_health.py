"""What a job says while it repeats a failure survives its way through a file and through an offset's metadata."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.streaming.health import (
    MOST_METADATA_BYTES,
    READY_FILE_VARIABLE,
    Failing,
    announce_failing,
    announce_ready,
    failing_sentence,
    read_failing,
)

SINCE = datetime(2026, 11, 29, 0, 1, 2, tzinfo=UTC)
FAILING = Failing(SINCE, "documents: the store does not answer.", "`fraudstream logs documents` shows why.")


def test_it_comes_back_as_it_was() -> None:
    assert Failing.of_text(FAILING.to_text()) == FAILING


@pytest.mark.parametrize("letter", ["x", "é", "💥", '"', "\x1b"])
def test_it_fits_into_an_offsets_metadata_whatever_the_texts_are(letter: str) -> None:
    text = Failing(SINCE, letter * 5_000, letter * 5_000).to_text()
    assert len(text.encode()) <= MOST_METADATA_BYTES
    assert text.isascii()
    assert (failing := Failing.of_text(text)) is not None
    assert failing.reason.startswith(letter)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"failing": 1}', '{"failing": {"since": "x"}}', "\xff"])
def test_other_metadata_say_nothing(text: str) -> None:
    assert Failing.of_text(text) is None


def test_failing_takes_readiness_back_and_ready_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = tmp_path / "stream.ready"
    monkeypatch.setenv(READY_FILE_VARIABLE, str(ready))
    announce_ready()
    announce_failing(FAILING)
    assert not ready.exists()
    assert read_failing(ready) == FAILING
    assert failing_sentence(ready) == (
        "failing since 2026-11-29 00:01:02 UTC: documents: the store does not answer. "
        "`fraudstream logs documents` shows why."
    )
    announce_ready()
    assert ready.exists()
    assert failing_sentence(ready) is None


def full(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("announce", [lambda: announce_failing(FAILING), announce_ready], ids=["failing", "ready"])
def test_a_full_disk_stops_no_job_and_is_told_once_while_it_lasts(
    announce: Callable[[], bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "stream.ready"))
    with monkeypatch.context() as disk, capture_logs() as logs:
        disk.setattr(Path, "write_text", full)
        disk.setattr(Path, "touch", full)
        assert not announce()
        assert not announce()
    assert [(entry["event"], entry["reason"]) for entry in logs] == [
        ("health_not_announced", "No space left on device")
    ]
    assert announce()


def test_a_job_that_cannot_say_why_it_fails_is_none_the_less_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "stream.ready"
    monkeypatch.setenv(READY_FILE_VARIABLE, str(ready))
    announce_ready()
    monkeypatch.setattr(Path, "replace", full)
    assert not announce_failing(FAILING)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", range(385, 400, 2))
def test_what_is_cut_holds_no_piece_of_a_secret(before: int) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")
    text = Failing(SINCE, f"{'x' * before}qX7pL9zRwN4v and more", "").to_text()
    assert "x" * 385 in text
    assert "qX" not in text
