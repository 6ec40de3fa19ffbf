"""A replay over a small file of our own, against a producer and a clock of which the tests hold the strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.publish import Result, deliver
from fraudstream.generator.replay.bookmark import Bookmark
from fraudstream.generator.replay.entries import History, Position, Replay, place_of
from fraudstream.generator.replay.time_line import TimeLine, broken
from tests.unit.generator.replay.fakes import Clock, Topics

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Row:
    id: str
    key: bytes
    time: datetime
    value: bytes
    label: int | None

    def labelled(self) -> bytes:
        return self.value[:-1] + b',"fraud":%d}' % (self.label or 0)


@dataclass
class File:
    """Ten rows, one each hour; every fifth has no label, and of the others the even ones are frauds."""

    count: int = 10
    history_count: int = 4

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[Row]:
        for place in range(start, self.count if end is None else end):
            label = None if place % 5 == 0 else int(place % 2 == 0)
            yield Row(f"r{place}", b"card", BEGIN + place * HOUR, b'{"id":"r%d"}' % place, label)


def replayed(
    replay: Replay, speed: float = 0.0, rate: float = 0.0, clock: Clock | None = None
) -> tuple[Topics, Result]:
    topics = Topics(clock or Clock())
    line = TimeLine(replay.entries(), topics.clock, speed=speed, rate=rate)
    return topics, deliver(topics, "transactions", line.records(), line, topics.clock, 100)


def live(**options: Any) -> Replay:
    return Replay(File(), Position(4, 4, 0), 2 * HOUR, **options)


def test_labels_follow_on_the_files_own_time_line() -> None:
    topics, result = replayed(live(), speed=3_600)
    # An hour a second; a label comes before an event of the same moment, and the last ones after the file's end.
    expected = [("r4", 0), ("r5", 1), ("label of r4", 2), ("r6", 2), ("r7", 3), ("label of r6", 4), ("r8", 4)]
    expected += [("label of r7", 5), ("r9", 5), ("label of r8", 6), ("label of r9", 7)]
    assert list(zip(topics.named(), [time - 50.0 for *_, time in topics.sent], strict=True)) == expected
    assert (result.produced, result.elsewhere, result.position) == (6, 5, Position(10, 10, 0))


def test_a_label_is_a_verdict() -> None:
    topics, _ = replayed(live())
    assert orjson.loads(topics.values[2]) == {"id": "r4", "label": 1, "observed_at": "2026-01-01T06:00:00Z"}
    assert topics.values[0] == b'{"id":"r4"}'


def test_a_replay_goes_on_where_it_was_stopped_at_any_record() -> None:
    whole, _ = replayed(live())
    for stop in range(1, len(whole.sent)):
        topics = Topics(Clock())
        line = TimeLine(live().entries(), topics.clock, speed=0.0)
        records = (record for _, record in zip(range(stop), line.records(), strict=False))
        first = deliver(topics, "transactions", records, line, topics.clock, 100)
        rest, _ = replayed(Replay(File(), first.position, 2 * HOUR))
        assert [*topics.named(), *rest.named()] == whole.named()


def test_a_count_holds_labels_back_unless_they_are_released() -> None:
    topics, result = replayed(live(count=4))
    assert topics.named() == ["r4", "r5", "label of r4", "r6", "r7"]
    assert result.position == Position(8, 5, 2)
    topics, result = replayed(live(count=4, release=True), speed=1.0)
    assert topics.named() == ["r4", "r5", "label of r4", "r6", "r7", "label of r6", "label of r7"]
    assert topics.clock.waits == [3_600.0, 3_600.0, 3_600.0]
    assert result.position == Position(8, 8, 0)


def test_a_rate_is_of_the_events_alone() -> None:
    topics, _ = replayed(live(), rate=4)
    assert [time - 50.0 for topic, _, time in topics.sent if topic == "transactions"] == [0, 0.25, 0.5, 0.75, 1.0, 1.25]


def test_a_signal_ends_a_wait() -> None:
    topics, result = replayed(live(), speed=1.0, clock=Clock(stop_at=60.0))
    assert (topics.named(), result.stopped, result.position) == (["r4"], True, Position(5, 4, 1))


def test_malformed_events_take_the_places_of_events_and_leave_the_labels() -> None:
    entries = list(broken(live().entries(), 6, 3))
    assert [entry.record.id for entry in entries] == [entry.record.id for entry in live().entries()]
    assert sum(entry.record.kind is not None for entry in entries) == 3
    assert [entry.moment for entry in entries] == [entry.moment for entry in live().entries()]
    with pytest.raises(ConfigurationError, match="7 malformed"):
        broken(live().entries(), 6, 7)


def test_history_is_the_newest_part_before_the_live_one() -> None:
    history = History(File(), 2)
    assert [record.id for record in history.records()] == ["r2", "r3"]
    whole = History(File())
    assert [(record.id, record.key) for record in whole.records()] == [(f"r{n}", b"card") for n in (1, 2, 3)]
    assert (whole.rows, whole.unlabelled) == (4, 1)
    assert next(whole.records()).value == b'{"id":"r1","fraud":0}'


def test_a_time_is_the_place_of_the_first_row_that_is_not_before_it() -> None:
    assert [place_of(File(), BEGIN + hours * HOUR) for hours in (-1, 0, 2.5, 9, 99)] == [0, 0, 3, 9, 10]


def test_a_bookmark_is_of_a_file_and_a_project(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    bookmark = Bookmark(settings, tmp_path, tmp_path / "a.csv")
    assert bookmark.read() is None
    bookmark.save(Position(8, 5, 2))
    bookmark.note(Position(9, 5, 2))  # too soon
    assert Bookmark(settings, tmp_path, tmp_path / "x" / ".." / "a.csv").read() == Position(8, 5, 2)
    assert Bookmark(settings, tmp_path, tmp_path / "b.csv").read() is None
    assert Bookmark(settings, tmp_path / "other", tmp_path / "a.csv").read() is None
    file = next((tmp_path / "data" / "run").iterdir())
    file.write_bytes(b"{}")
    with pytest.raises(ConfigurationError, match="--restart"):
        bookmark.read()
