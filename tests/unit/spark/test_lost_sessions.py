"""A batch that has ended Spark's process is read with more care, as long as the query stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import TopicState
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, read_failing
from fraudstream.spark import narrowing
from fraudstream.spark.failures import Failure
from fraudstream.spark.lost_sessions import CAREFUL_RECORDS, lost_sessions, note_lost_session, polled_records
from fraudstream.spark.narrowing import Suspect, narrow_deadly, narrow_down
from fraudstream.spark.probing import Range, Weights

PART = TopicPartition("transactions", 0)
ODD = Failure("record", "odd", "")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def standing_at(settings: Settings, offset: int) -> Checkpoint:
    return Checkpoint.of(settings, "stream").moved_to({PART: offset}, {})


def test_processes_that_ended_at_the_same_offsets_are_counted(settings: Settings) -> None:
    checkpoint = standing_at(settings, 5)
    assert (lost_sessions(checkpoint), polled_records(checkpoint)) == (0, None)
    note_lost_session(settings, "stream")
    assert (lost_sessions(checkpoint), polled_records(checkpoint)) == (1, CAREFUL_RECORDS)
    note_lost_session(settings, "stream")
    assert lost_sessions(checkpoint) == 2


def test_behind_them_they_do_not_count(settings: Settings) -> None:
    standing_at(settings, 5)
    note_lost_session(settings, "stream")
    assert lost_sessions(moved := standing_at(settings, 6)) == 0
    note_lost_session(settings, "stream")
    assert lost_sessions(moved) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"at": 1}', b'{"at": "{}", "sessions": null}'])
def test_a_broken_file_counts_for_nothing(settings: Settings, content: bytes) -> None:
    checkpoint = standing_at(settings, 5)
    (checkpoint.folder.parent / "stream.lost").write_bytes(content)
    assert lost_sessions(checkpoint) == 0
    note_lost_session(settings, "stream")
    assert lost_sessions(checkpoint) == 1


def test_a_full_disk_keeps_nobody_from_ending(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    standing_at(settings, 5)
    monkeypatch.setattr(Path, "write_text", full)
    note_lost_session(settings, "stream")


def test_a_batch_that_ends_process_after_process_is_taken_in_parts_and_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "ready"))
    standing_at(settings, 5)
    narrowed: list[Failure] = []

    def narrow(failure: Failure) -> bool:
        narrowed.append(failure)
        return True

    note_lost_session(settings, "stream")
    narrow_deadly(settings, "stream", narrow)
    assert narrowed == []
    note_lost_session(settings, "stream")
    narrow_deadly(settings, "stream", narrow)
    assert [failure.reason for failure in narrowed] == ["Spark's process ended 2 times at the same records"]
    failing = read_failing(tmp_path / "ready")
    assert failing is not None
    assert failing.reason == "stream: Spark's process ended 2 times at the same records"


def test_what_spark_has_no_room_for_is_set_aside_untried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = standing_at(settings, 5)
    note_lost_session(settings, "stream")
    state = TopicState({PART: 0}, {PART: 10}, {})
    monkeypatch.setattr(narrowing, "fitting", lambda *_: (checkpoint, state))
    monkeypatch.setattr(narrowing, "_readable_ends", lambda *_: {PART: 10})
    monkeypatch.setattr(narrowing, "weigh", lambda *_: Weights([(Range(PART, 7, 8), 300_000_000)], 3))
    tried: list[tuple[list[Range], int | None]] = []
    aside: list[Suspect] = []
    narrow_down(settings, "stream", lambda ranges, polled: tried.append((ranges, polled)), aside.extend, ODD)
    assert sorted(span.start for ranges, _ in tried for span in ranges) == [5, 8]
    assert {polled for _, polled in tried} == {3}
    assert [record.place for record in aside] == ["transactions/0/7"]
    assert aside[0].failure.reason == "300,000,000 bytes, more than the 16,777,216 that are unpacked at once"
    moved = Checkpoint.of(settings, "stream")
    assert moved.committed() == {PART: 10}
    assert not (moved.folder.parent / "stream.lost").exists()
