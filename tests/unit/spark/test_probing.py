"""What reading the records of a batch tells of those that make it fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import CorruptRecordError, KafkaTimeoutError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.spark import probing
from fraudstream.spark.failures import failure_of
from fraudstream.spark.probing import Range, guesses, weigh, without

pytestmark = pytest.mark.timeless

A, B = TopicPartition("transactions", 0), TopicPartition("transactions", 1)
UNREADABLE = failure_of(RuntimeError("KafkaException: Received exception when fetching the next record from x-0."))
TOO_LARGE = failure_of(RuntimeError("org.apache.kafka.common.errors.RecordTooLargeException: too large"))
ODD = failure_of(RuntimeError("java.lang.ArithmeticException: odd"))


class Reader:
    """A consumer of partitions that hold a record of one byte at every offset, but for the given ones."""

    def __init__(self, large: set[tuple[TopicPartition, int]], broken: set[tuple[TopicPartition, int]]) -> None:
        self.large, self.broken = large, broken
        self.closed = False

    def assign(self, parts: list[TopicPartition]) -> None:
        (self.part,) = parts

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.at = offset

    def position(self, part: TopicPartition) -> int:
        return self.at

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        records = []
        # Records in front of a broken one are given, and the error the next time.
        while len(records) < 10:
            if (self.part, self.at) in self.broken:
                if records:
                    break
                raise CorruptRecordError
            value = b"x" * (1_000 if (self.part, self.at) in self.large else 1)
            records.append(SimpleNamespace(offset=self.at, key=None, value=value))
            self.at += 1
        return {self.part: records}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    double = Reader({(A, 17), (B, 99)}, {(A, 5), (B, 30), (B, 31), (B, 200)})
    monkeypatch.setattr(probing, "consumer", lambda _: double)
    return double


def test_records_that_cannot_be_read_are_found_in_every_partition(reader: Reader) -> None:
    ranges = guesses(Settings(), [Range(A, 0, 20), Range(B, 25, 60)], UNREADABLE)
    assert ranges == [Range(A, 5, 6), Range(B, 30, 31), Range(B, 31, 32)]
    assert reader.closed


def test_the_largest_record_is_the_one_that_is_too_large(reader: Reader) -> None:
    reader.broken = set()
    assert guesses(Settings(), [Range(A, 0, 20), Range(B, 25, 60)], TOO_LARGE) == [Range(A, 17, 18)]
    assert guesses(Settings(), [Range(A, 0, 10), Range(B, 90, 120)], TOO_LARGE) == [Range(B, 99, 100)]


def test_of_other_failures_reading_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "consumer", lambda _: pytest.fail("it was read"))
    assert guesses(Settings(), [Range(A, 0, 20)], ODD) == []


def test_a_broker_that_does_not_answer_leaves_the_search_to_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Settings) -> Any:
        raise BrokerUnavailable("Kafka does not answer.")

    monkeypatch.setattr(probing, "consumer", away)
    assert guesses(Settings(), [Range(A, 0, 20)], UNREADABLE) == []


def test_records_that_spark_has_no_room_for_are_weighed(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST_UNPACKED_BYTES", 500)
    monkeypatch.setattr(probing, "_POLLED_BYTES", 32)
    weights = weigh(Settings(), [Range(A, 0, 20), Range(B, 90, 120)])
    assert weights.outsized == [(Range(A, 17, 18), 1_000), (Range(B, 99, 100), 1_000)]
    # A poll that takes several goes beyond the range, and unpacks what is left out.
    assert weights.polled == 1
    assert reader.closed


@pytest.mark.parametrize(("size", "polled"), [(1, 500), (850_000, 39), (16 * 1024 * 1024, 2), (0, 500)])
def test_as_many_are_polled_as_there_is_room_for(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, size: int, polled: int
) -> None:
    reader.broken = set()
    monkeypatch.setattr(probing, "_sizes", lambda *_: iter([(Range(A, 0, 1), size)]))
    assert weigh(Settings(), [Range(A, 0, 1)]).polled == polled


def test_a_broker_from_which_nothing_comes_is_not_asked_for_ever(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_SECONDS", 0.05)
    monkeypatch.setattr(reader, "poll", lambda **_: {})
    with pytest.raises(KafkaTimeoutError, match="nothing comes of transactions/0 from 3 on"):
        weigh(Settings(), [Range(A, 3, 20)])
    assert guesses(Settings(), [Range(A, 3, 20)], TOO_LARGE) == []


def test_what_is_left_out_is_in_no_range() -> None:
    left = without([Range(A, 0, 10), Range(B, 5, 6)], [Range(A, 3, 4), Range(A, 9, 10), Range(B, 5, 6)])
    assert [span for span in left if len(span)] == [Range(A, 0, 3), Range(A, 4, 9)]
    assert without([Range(A, 0, 10)], []) == [Range(A, 0, 10)]
