"""What is set aside of a record that cannot be scored."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from kafka import TopicPartition

from fraudstream.core.contract.limits import CUT_RAW_BYTES, WHOLE_KEY_BYTES
from fraudstream.core.contract.topics import MOST_RECORD_BYTES
from fraudstream.spark.failures import Failure
from fraudstream.spark.narrowing import Suspect
from fraudstream.stream.narrowing import set_aside_row

SUSPECT = Suspect(TopicPartition("transactions", 1), 7, Failure("record", "RecordTooLargeException: too large", ""))


def row(size: int, most: int = MOST_RECORD_BYTES) -> tuple[bytes, str]:
    record = SimpleNamespace(timestamp=1_800_000_000_000, key=b"1", value=b"x" * size)
    value, *_, reason = set_aside_row(SUSPECT, record, most)
    return value, reason


@pytest.mark.parametrize("size", [0, 100, 256 * 1024, 900_000])
def test_an_event_is_handed_on_whole_where_requests_are_of_the_usual_size(size: int) -> None:
    value, reason = row(size)
    assert len(value) == size
    assert reason == "cannot be scored: RecordTooLargeException: too large"


@pytest.mark.parametrize("most", [65_536, 200_000, 300_000])
def test_of_an_event_that_no_request_holds_its_beginning_is_set_aside(most: int) -> None:
    value, reason = row(250_000, most)
    assert value == b"x" * len(value)
    # In base64, with what else a record of `rejected` has.
    assert 0 < len(value) * 4 / 3 + 8_192 < most
    assert reason.startswith(f"cannot be scored: 250,000 bytes, of which a request of {most:,} holds these; ")
    # Of a larger one no more than this is kept anyway.
    assert len(row(900_000, 200_000)[0]) == 900_000


def test_of_what_spark_has_no_room_for_the_beginning_is_handed_on() -> None:
    record = SimpleNamespace(timestamp=1_800_000_000_000, key=b"k" * 9_000_000, value=b"x" * 9_000_000)
    value, key, topic, partition, offset, timestamp, field, reason = set_aside_row(SUSPECT, record)
    assert (topic, partition, offset) == ("transactions", 1, 7)
    assert timestamp == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert (key, value) == (b"k" * WHOLE_KEY_BYTES, b"x" * CUT_RAW_BYTES)
    assert (field, reason) == ("cannot be scored", "cannot be scored: RecordTooLargeException: too large")
