"""The tail of `scored`, against a consumer that holds a log in memory."""

from __future__ import annotations

import time
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.dashboards.data.tail import Tail, decision_of
from fraudstream.dashboards.data.window import Window
from tests.events import GOOD

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PARTS = [TopicPartition("scored", 0), TopicPartition("scored", 1)]
RecordStub = namedtuple("RecordStub", "offset timestamp value")
OffsetStub = namedtuple("OffsetStub", "offset")


def value(event_id: int, at: datetime, **changes: Any) -> bytes:
    source = {"topic": "transactions", "partition": event_id % 2, "offset": event_id, "enqueued_at": at.isoformat()}
    decided = {
        "event_time": at.isoformat(),
        "prediction": 1,
        "score": 0.9,
        "threshold": 0.5,
        "model_version": "4",
        "scored_at": at.isoformat(),
        "reasons": [{"field": "amount", "contribution": 1.5}],
        "source": source,
    }
    return orjson.dumps({**GOOD, "id": event_id, **decided, **changes})


@dataclass
class Log:
    """A topic in memory; ``away`` makes its consumers fail as an unreachable broker does."""

    records: dict[TopicPartition, list[RecordStub]] = field(default_factory=lambda: {part: [] for part in PARTS})
    away: bool = False
    consumers: list[Consumer] = field(default_factory=list)

    def append(self, event_id: int, at: datetime, raw: bytes | None = None) -> None:
        records = self.records[PARTS[event_id % 2]]
        stamp = int(at.timestamp() * 1000) + 250
        records.append(RecordStub(len(records), stamp, value(event_id, at) if raw is None else raw))

    def connect(self) -> Consumer:
        if self.away:
            raise BrokerUnavailable("Kafka does not answer.")
        self.consumers.append(Consumer(self))
        return self.consumers[-1]


class Consumer:
    """The calls of kafka-python's consumer that the tail makes."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.positions: dict[TopicPartition, int] = {}
        self.closed = False

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {part.partition for part in self.log.records if part.topic == topic}

    def assign(self, parts: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(parts, 0)

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.positions[part] = offset

    def position(self, part: TopicPartition) -> int:
        return self.positions[part]

    def end_offsets(self, parts: list[TopicPartition], timeout_ms: int | None = None) -> dict[TopicPartition, int]:
        if self.log.away:
            raise KafkaTimeoutError("no answer")
        return {part: len(self.log.records[part]) for part in parts}

    def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetStub | None]:
        offsets: dict[TopicPartition, OffsetStub | None] = {}
        for part, since in times.items():
            later = [record.offset for record in self.log.records[part] if record.timestamp >= since]
            offsets[part] = OffsetStub(later[0]) if later else None
        return offsets

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[RecordStub]]:
        polled = {}
        for part, position in self.positions.items():
            records = self.log.records[part][position : position + max_records]
            if records:
                polled[part] = records
                self.positions[part] += len(records)
        if not polled:
            time.sleep(0.005)
        return polled

    def close(self) -> None:
        self.closed = True


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def log() -> Log:
    log = Log()
    for number in range(20):
        log.append(number, NOW - timedelta(minutes=100 - 5 * number))
    return log


def counted(tail: Tail) -> int:
    return tail.look().window.slice(LONG_AGO).total.transactions


def test_it_reads_the_last_hour_and_says_that_it_covers_it(log: Log) -> None:
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: tail.look().caught_up)
        view = tail.look().window
        assert sorted(decision.id for decision in view.details) == list(range(8, 20))
        assert view.covers(NOW - timedelta(hours=1))


def test_what_arrives_is_there_at_once(log: Log) -> None:
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: tail.look().caught_up)
        log.append(100, NOW)
        eventually(lambda: tail.look().window.details[0].id == 100)


def test_a_record_delivered_twice_counts_once(log: Log) -> None:
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: tail.look().caught_up)
        before = counted(tail)
        log.append(19, NOW - timedelta(minutes=5))
        log.append(101, NOW)
        eventually(lambda: tail.look().window.details[0].id == 101)
        assert counted(tail) == before + 1


def test_a_record_that_is_no_decision_is_skipped(log: Log) -> None:
    log.append(50, NOW, b"{not json")
    log.append(51, NOW, b'{"id": 51}')
    log.append(52, NOW)
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: tail.look().caught_up)
        assert tail.look().window.details[0].id == 52
        assert tail.look().problem == ""


def test_a_lost_broker_is_reported_and_comes_back(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraudstream.dashboards.data.tail._PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("fraudstream.dashboards.data.tail._CHECK_SECONDS", 0.01)
    log.away = True
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: "does not answer" in tail.look().problem)
        log.away = False
        eventually(lambda: tail.look().caught_up)
        assert tail.look().problem == ""
        log.away = True
        eventually(lambda: bool(tail.look().problem))
        assert not tail.look().caught_up
        assert counted(tail) == 12
        log.away = False
        log.append(100, NOW)
        eventually(lambda: tail.look().caught_up and tail.look().window.details[0].id == 100)
        assert counted(tail) == 13


@pytest.mark.parametrize("error", [KafkaTimeoutError, ValueError, BrokerUnavailable])
def test_the_reason_why_nothing_arrives_holds_no_secret(
    log: Log, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")

    def fail(*_: Any) -> Any:
        raise error(f"{'x' * 150}qX7pL9zRwN4v\x1b[2J")

    monkeypatch.setattr(Consumer, "offsets_for_times", fail)
    with Tail(log.connect, now=lambda: NOW) as tail:
        eventually(lambda: "xxx" in tail.look().problem)
        assert "qX7" not in tail.look().problem
        assert "\x1b" not in tail.look().problem


def test_nothing_is_read_until_somebody_looks_and_it_goes_on_from_where_it_was(log: Log) -> None:
    with Tail(log.connect, idle_seconds=0.05, now=lambda: NOW) as tail:
        assert log.consumers == []
        eventually(lambda: tail.look().caught_up)
        eventually(lambda: log.consumers[0].closed)
        log.append(100, NOW)
        eventually(lambda: tail.look().caught_up and counted(tail) == 13)
        assert len(log.consumers) >= 2
        assert tail.look().window.covers(NOW - timedelta(hours=1))


def test_a_topic_that_holds_more_than_the_window_is_read_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraudstream.dashboards.data.tail.MOST_ROWS", 10)
    log = Log()
    for number in range(100):
        log.append(number, NOW - timedelta(seconds=100 - number))
    with Tail(log.connect, Window(), now=lambda: NOW) as tail:
        eventually(lambda: tail.look().caught_up)
        assert counted(tail) == 10
        assert not tail.look().window.covers(NOW - timedelta(minutes=1))
        assert tail.look().window.covers(NOW - timedelta(seconds=8))


def test_a_record_reads_as_a_decision() -> None:
    at = NOW - timedelta(seconds=3)
    decision = decision_of(value(7, at), int(at.timestamp() * 1000) + 420)
    assert decision is not None
    assert (decision.id, decision.fraud, decision.model_version) == (7, True, "4")
    assert decision.latency_ms == pytest.approx(420)
    assert decision.reasons == (("amount", 1.5),)
    assert decision.enqueued_at == at
    assert decision.features["category_recipient"] == GOOD["category_recipient"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"id": "x"}', value(1, NOW, source=None)])
def test_anything_else_is_none(raw: bytes) -> None:
    assert decision_of(raw, 0) is None
