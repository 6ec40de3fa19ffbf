"""Reads the records of a batch to guess which of them make it fail.

A right guess saves the search most of its tries; no other way finds a record that ends Spark's process.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError, KafkaError, KafkaTimeoutError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka.clients import consumer
from fraudstream.core.output.text import error_text
from fraudstream.spark.failures import Failure

_TOO_LARGE = re.compile(r"RecordTooLarge|MessageSizeTooLarge|RecordBatchTooLarge")
_UNREADABLE = re.compile(r"fetching the next record|CorruptRecord|Record is corrupt")
# A longer probe saves nothing. A broker that sends nothing for this long will not answer the probe.
_SECONDS = 10.0
# Each is tried alone: with more of them, halving is shorter.
_MOST_GUESSES = 50
_POLL_RECORDS = 500
# No event has a tenth of it. Spark holds a record in several forms, each of them in one piece.
MOST_UNPACKED_BYTES = 16 * 1024 * 1024
# The most that one reading task unpacks at once.
_POLLED_BYTES = 32 * 1024 * 1024

_UNREAD = -1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Range:
    """Records of one partition, from ``start`` to before ``end``."""

    partition: TopicPartition
    start: int
    end: int

    def __len__(self) -> int:
        return max(self.end - self.start, 0)


def guesses(settings: Settings, ranges: Sequence[Range], failure: Failure) -> list[Range]:
    """The records that probably caused a failure of this kind, each alone; none where reading them shows nothing."""
    if not _TOO_LARGE.search(failure.reason) and not _UNREADABLE.search(failure.reason):
        return []
    try:
        reader = consumer(settings)
        try:
            unreadable, largest = _probe(reader, ranges)
        finally:
            reader.close()
    except (KafkaError, FraudstreamError) as error:
        log.info("not_probed", reason=error_text(error))
        return []
    return unreadable if _UNREADABLE.search(failure.reason) else [*unreadable, *largest]


@dataclass(frozen=True, slots=True)
class Weights:
    """``outsized``: the records, each alone, that Spark's process has no room for, and their bytes.

    ``polled``: how many of the others a poll may have at most.
    """

    outsized: Sequence[tuple[Range, int]]
    polled: int


def weigh(settings: Settings, ranges: Sequence[Range]) -> Weights:
    """Read all records for their unpacked sizes. Raises :class:`BrokerUnavailable`, ``KafkaError``."""
    outsized, most = [], 1
    reader = consumer(settings)
    try:
        for record, size in _sizes(reader, ranges):
            if size > MOST_UNPACKED_BYTES:
                outsized.append((record, size))
            else:
                most = max(most, size)
    finally:
        reader.close()
    # A poll goes beyond the records that are asked for: it would unpack an outsized one that is left out.
    return Weights(outsized, 1 if outsized else max(min(_POLLED_BYTES // most, _POLL_RECORDS), 1))


def without(ranges: Sequence[Range], left_out: Sequence[Range]) -> list[Range]:
    """The ranges less some records of them; a partition may be in several pieces then."""
    parts = cut_out(ranges, left_out)
    return [records for part in parts for records in part if records not in left_out]


def cut_out(ranges: Sequence[Range], guessed: Sequence[Range]) -> list[list[Range]]:
    """The ranges in parts that have each partition once at most: the rest first, then each guess alone."""
    waiting = list(ranges)
    alone: list[list[Range]] = []
    for guess in guessed:
        for position, records in enumerate(waiting):
            if records.partition == guess.partition and records.start <= guess.start < records.end:
                behind = Range(records.partition, guess.end, records.end)
                waiting[position : position + 1] = [Range(records.partition, records.start, guess.start), behind]
                alone.append([guess])
                break
    parts: list[list[Range]] = []
    for records in filter(len, waiting):
        part = next((part for part in parts if all(other.partition != records.partition for other in part)), None)
        if part is None:
            parts.append([records])
        else:
            part.append(records)
    return [*parts, *alone]


def _probe(reader: KafkaConsumer, ranges: Sequence[Range]) -> tuple[list[Range], list[Range]]:
    """The records that cannot be read, and the largest one. Raises ``KafkaError``."""
    unreadable: list[Range] = []
    largest, most = [], -1
    until = time.monotonic() + _SECONDS
    with suppress(KafkaTimeoutError):
        for record, size in _sizes(reader, ranges):
            if size == _UNREAD:
                unreadable.append(record)
            elif size > most:
                largest, most = [record], size
            if time.monotonic() >= until or len(unreadable) >= _MOST_GUESSES:
                break
    return unreadable, largest


def _sizes(reader: KafkaConsumer, ranges: Sequence[Range]) -> Iterator[tuple[Range, int]]:
    """Each record alone, and its unpacked bytes; ``_UNREAD`` for one that cannot be read.

    Raises ``KafkaError``, and ``KafkaTimeoutError`` where nothing comes for :data:`_SECONDS`.
    """
    for wanted in filter(len, ranges):
        part, position = wanted.partition, wanted.start
        reader.assign([part])
        reader.seek(part, position)
        moved_at = time.monotonic()
        while position < wanted.end:
            if time.monotonic() - moved_at > _SECONDS:
                raise KafkaTimeoutError(f"nothing comes of {part.topic}/{part.partition} from {position} on")
            try:
                polled = reader.poll(timeout_ms=500, max_records=_POLL_RECORDS)
            except CorruptRecordError:
                position, moved_at = reader.position(part), time.monotonic()
                if position < wanted.end:
                    yield Range(part, position, position + 1), _UNREAD
                reader.seek(part, position + 1)
                continue
            for record in polled.get(part, ()):
                if record.offset < wanted.end:
                    yield (
                        Range(part, record.offset, record.offset + 1),
                        len(record.key or b"") + len(record.value or b""),
                    )
            if reader.position(part) > position:
                position, moved_at = reader.position(part), time.monotonic()
