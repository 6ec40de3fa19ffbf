"""Kafka's frames as the namespace's gateway reads them: API, number of records, compression, consumer group."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kafka.protocol.consumer import (
    JoinGroupRequest,
    JoinGroupResponse,
    OffsetCommitRequest,
    OffsetCommitResponse,
)
from kafka.protocol.producer import ProduceRequest, ProduceResponse

PRODUCE = 0
FETCH = 1
OFFSET_COMMIT = 8
JOIN_GROUP = 11
SASL_AUTHENTICATE = 36

LEAST_FRAME_BYTES = 8

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")

_HEADER = struct.Struct(">hhi")
_FORMAT_AT = 16
_FORMAT = 2
_ATTRIBUTES_AT = 21
_COUNT_AT = 57
_BATCH_HEADER_BYTES = 61


@dataclass(frozen=True, slots=True)
class Frame:
    """A request without its length field: ``body`` begins with the API key."""

    api: int
    version: int
    correlation: int
    body: bytes


def read_frame(body: bytes) -> Frame:
    """The frame's header. Raises ``struct.error`` for fewer than eight bytes."""
    api, version, correlation = _HEADER.unpack_from(body)
    return Frame(api, version, correlation, body)


@dataclass(frozen=True, slots=True)
class Publication:
    """A produce request: its topics, records, largest batch in bytes, compression codecs and the client's timeout."""

    request: Any
    topics: tuple[str, ...]
    records: int
    largest_batch: int
    codecs: frozenset[str]
    timeout_ms: int


def publication(frame: Frame) -> Publication:
    """A produce request, read to its last byte. Raises any error of the parser for other bytes."""
    request = ProduceRequest.decode(frame.body, version=frame.version, header=True)
    batches = [
        batch for topic in request.topic_data for part in topic.partition_data for batch in _batches(part.records)
    ]
    return Publication(
        request,
        tuple(str(topic.name) for topic in request.topic_data),
        sum(count for _, _, count in batches),
        max((size for size, _, _ in batches), default=0),
        frozenset(CODECS[codec] if codec < len(CODECS) else str(codec) for _, codec, _ in batches),
        int(request.timeout_ms),
    )


def refused_publication(frame: Frame, refused: Publication, code: int, message: str) -> bytes:
    """The answer that refuses every partition of a produce request."""
    topic_response = ProduceResponse.TopicProduceResponse
    answer = ProduceResponse(
        version=frame.version,
        throttle_time_ms=0,
        responses=[
            topic_response(
                name=topic.name,
                topic_id=topic.topic_id,
                partition_responses=[
                    topic_response.PartitionProduceResponse(
                        index=part.index, error_code=code, base_offset=-1, error_message=message
                    )
                    for part in topic.partition_data
                ],
            )
            for topic in refused.request.topic_data
        ],
    )
    return _framed(answer, frame)


def delayed_answer(body: bytes, version: int, delay_ms: int) -> bytes:
    """A produce request's answer with the delay in ``throttle_time_ms``."""
    answer = ProduceResponse.decode(body, version=version, header=True)
    answer.throttle_time_ms = max(int(answer.throttle_time_ms), delay_ms)
    return bytes(answer.encode(header=True, framed=True))


def group_of(frame: Frame) -> str | None:
    """The consumer group of a request that creates one, else None. Raises any error of the parser for other bytes."""
    if frame.api not in (JOIN_GROUP, OFFSET_COMMIT):
        return None
    request = JoinGroupRequest if frame.api == JOIN_GROUP else OffsetCommitRequest
    group = request.decode(frame.body, version=frame.version, header=True).group_id
    if not isinstance(group, str):
        raise TypeError(f"a group named {group!r}")
    return group


def refused_group(frame: Frame, code: int) -> bytes:
    """The answer that refuses a group."""
    if frame.api == JOIN_GROUP:
        answer: Any = JoinGroupResponse(
            version=frame.version,
            throttle_time_ms=0,
            error_code=code,
            protocol_name="",
            leader="",
            member_id="",
            members=[],
        )
        return _framed(answer, frame)
    request = OffsetCommitRequest.decode(frame.body, version=frame.version, header=True)
    topic_response = OffsetCommitResponse.OffsetCommitResponseTopic
    answer = OffsetCommitResponse(
        version=frame.version,
        throttle_time_ms=0,
        topics=[
            topic_response(
                name=topic.name,
                topic_id=getattr(topic, "topic_id", None),
                partitions=[
                    topic_response.OffsetCommitResponsePartition(partition_index=part.partition_index, error_code=code)
                    for part in topic.partitions
                ],
            )
            for topic in request.topics
        ],
    )
    return _framed(answer, frame)


def _framed(answer: Any, frame: Frame) -> bytes:
    answer.with_header(correlation_id=frame.correlation)
    return bytes(answer.encode(header=True, framed=True))


def _batches(records: Any) -> Iterator[tuple[int, int, int]]:
    """Size, codec and number of records of each batch (format 2: RecordBatch); raises ``ValueError`` for others."""
    data = memoryview(records) if records is not None else memoryview(b"")
    position = 0
    while position < len(data):
        if position + _BATCH_HEADER_BYTES > len(data):
            raise ValueError(f"{len(data) - position} bytes after the last batch")
        length = int(struct.unpack_from(">i", data, position + 8)[0]) + 12
        if data[position + _FORMAT_AT] != _FORMAT:
            raise ValueError(f"a batch of format {data[position + _FORMAT_AT]}, not {_FORMAT}")
        if not _BATCH_HEADER_BYTES <= length <= len(data) - position:
            raise ValueError(f"a batch of {length} bytes, where {len(data) - position} are left")
        attributes = struct.unpack_from(">h", data, position + _ATTRIBUTES_AT)[0]
        yield length, attributes & 7, int(struct.unpack_from(">i", data, position + _COUNT_AT)[0])
        position += length
