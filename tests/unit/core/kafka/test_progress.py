"""What a job tells of its progress: the offsets of its group, and the file that says that it works."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError
from structlog.testing import capture_logs

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.kafka import progress
from fraudstream.core.kafka.progress import STREAM_GROUP, ProgressReporter, failing_of, heartbeat, set_group
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, Failing, announce_ready

PART = TopicPartition("transactions", 0)
FAILING = Failing(datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC), "scoring: it fails", "Look at it.")


class Group:
    """What a broker keeps of a group, and how often it was written."""

    def __init__(self) -> None:
        self.kept: dict[TopicPartition, OffsetAndMetadata] = {}
        self.commits = 0

    @property
    def offsets(self) -> dict[TopicPartition, int]:
        return {part: entry.offset for part, entry in self.kept.items()}

    @property
    def failing(self) -> Failing | None:
        return failing_of([entry.metadata for entry in self.kept.values()])

    def assign(self, parts: Iterable[TopicPartition]) -> None:
        """Nothing is read from them."""

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def beginning_offsets(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    def committed(self, part: TopicPartition, metadata: bool = False) -> Any:
        known = self.kept.get(part)
        return known if metadata or known is None else known.offset

    def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.kept |= offsets
        self.commits += 1

    def close(self) -> None:
        """It has no connection."""


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    double = Group()
    monkeypatch.setattr(progress, "consumer", lambda *_, **__: double)
    return double


def test_offsets_are_committed_where_they_moved(group: Group) -> None:
    reporter = ProgressReporter(Settings(), STREAM_GROUP)
    for offset in (7, 7, 9):
        reporter.commit({PART: offset})
    assert group.offsets == {PART: 9}
    assert group.commits == 2


def test_a_failure_is_told_at_the_offsets_at_which_the_group_stands(group: Group) -> None:
    ProgressReporter(Settings(), STREAM_GROUP).commit({PART: 7})
    another = ProgressReporter(Settings(), STREAM_GROUP)
    another.fail(FAILING)
    assert (group.offsets, group.failing) == ({PART: 7}, FAILING)
    another.fail(None)
    assert (group.offsets, group.failing) == ({PART: 7}, None)


def test_a_group_that_is_set_back_goes_on_telling_the_failure(group: Group) -> None:
    reporter = ProgressReporter(Settings(), STREAM_GROUP)
    reporter.commit({PART: 400})
    reporter.fail(FAILING)
    set_group(Settings(), STREAM_GROUP, {PART: 0})
    assert (group.offsets, group.failing) == ({PART: 0}, FAILING)


def test_a_query_that_starts_anew_does_not_repeat_what_the_former_had_finished(group: Group) -> None:
    reporter = ProgressReporter(Settings(), STREAM_GROUP)
    reporter.commit({PART: 400})
    reporter.fail(FAILING)
    set_group(Settings(), STREAM_GROUP, {PART: 0})
    reporter.begin()
    reporter.commit({})
    reporter.fail(None)
    assert (group.offsets, group.failing) == ({PART: 0}, None)
    # Also where it comes to the same offset of another topic of that name.
    reporter.commit({PART: 400})
    assert group.offsets == {PART: 400}


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


@pytest.mark.parametrize("before", range(185, 200, 2))
def test_a_client_is_not_quoted_with_a_piece_of_a_secret(group: Group, before: int) -> None:
    settings = load_settings(scoring_key="qX7pL9zRwN4v")

    def fail(offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        raise KafkaError(f"{'x' * before}qX7pL9zRwN4v and more")

    group.commit = fail  # type: ignore[method-assign]
    with capture_logs() as log_lines:
        ProgressReporter(settings, STREAM_GROUP).commit({PART: 7})
    (line,) = log_lines
    assert "x" * 100 in line["reason"]
    assert "qX" not in line["reason"]
