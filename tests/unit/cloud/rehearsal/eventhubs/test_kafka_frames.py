"""A produce request is read to its last byte, or not at all."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any

import pytest
from kafka.protocol.producer import ProduceRequest
from kafka.record import MemoryRecordsBuilder

from fraudstream.cloud.rehearsal.eventhubs import kafka_frames as frames
from fraudstream.cloud.rehearsal.net.unread import Unreadable, reading


def batch(count: int, magic: int = 2) -> bytes:
    builder = MemoryRecordsBuilder(magic=magic, compression_type=0, batch_size=100_000)
    for number in range(count):
        builder.append(timestamp=number, key=b"k", value=b"{}", headers=[])
    builder.close()
    return bytes(builder.buffer())


def frame(records: bytes) -> frames.Frame:
    topic = ProduceRequest.TopicProduceData
    request: Any = ProduceRequest(
        version=7,
        transactional_id=None,
        acks=-1,
        timeout_ms=60_000,
        topic_data=[topic(name="transactions", partition_data=[topic.PartitionProduceData(index=0, records=records)])],
    )
    request.with_header(correlation_id=3, client_id="raw")
    return frames.read_frame(bytes(request.encode(header=True)))


def test_all_batches_are_read() -> None:
    read = frames.publication(frame(batch(3) + batch(2)))
    assert (read.topics, read.records, read.codecs) == (("transactions",), 5, frozenset(["none"]))
    assert frames.publication(frame(b"")).records == 0


@pytest.mark.parametrize(
    "records",
    [
        b"garbage",
        batch(3) + b"\0" * 7,
        batch(3)[:-5],
        batch(3, magic=1),
        batch(3, magic=0),
        batch(1)[:8] + struct.pack(">i", -12) + batch(1)[12:],
        batch(1)[:8] + struct.pack(">i", 2**31 - 20) + batch(1)[12:],
    ],
    ids=["garbage", "a rest", "cut", "format 1", "format 0", "no length", "a huge length"],
)
def test_what_hides_records_is_not_taken_for_none(records: bytes) -> None:
    with pytest.raises(ValueError, match="batch"):
        frames.publication(frame(records))


def test_a_failure_to_read_is_counted_once_whatever_it_is() -> None:
    unread: Counter[str] = Counter()
    for error in (ValueError("x"), KeyError("x"), struct.error("x"), RecursionError("x"), NotImplementedError("x")):
        with pytest.raises(Unreadable, match="request"), reading("request", unread), reading("request", unread):
            raise error
    assert unread == {"request": 5}
