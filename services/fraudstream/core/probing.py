"""Guessing which records make a batch fail, by reading them: a right guess saves the search most of its tries."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError, KafkaError

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.failures import Failure
from fraudstream.core.kafka import consumer
from fraudstream.core.settings import Settings

_TOO_LARGE = re.compile(r"RecordTooLarge|MessageSizeTooLarge|RecordBatchTooLarge")
_UNREADABLE = re.compile(r"fetching the next record|CorruptRecord|Record is corrupt")
# A probe that takes longer saves nothing.
_SECONDS = 10.0
# Each is tried alone: more of them are no shorter way than halving.
_MOST_GUESSES = 50
_POLL_RECORDS = 500

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
    """The records that a failure of this kind is likely to be of, each alone; none where reading them tells nothing."""
    if not _TOO_LARGE.search(failure.reason) and not _UNREADABLE.search(failure.reason):
        return []
    try:
        reader = consumer(settings)
        try:
            unreadable, largest = _probe(reader, ranges)
        finally:
            reader.close()
    except (KafkaError, FraudstreamError) as error:
        log.info("not_probed", reason=f"{type(error).__name__}: {error}"[:200])
        return []
    return unreadable if _UNREADABLE.search(failure.reason) else [*unreadable, *largest]


def cut_out(ranges: Sequence[Range], guessed: Sequence[Range]) -> list[list[Range]]:
    """The ranges in parts that have each partition once at most: the rest first, then each guess alone."""
    waiting = list(ranges)
    alone: list[list[Range]] = []
    for guess in guessed:
        for place, found in enumerate(waiting):
            if found.partition == guess.partition and found.start <= guess.start < found.end:
                behind = Range(found.partition, guess.end, found.end)
                waiting[place : place + 1] = [Range(found.partition, found.start, guess.start), behind]
                alone.append([guess])
                break
    parts: list[list[Range]] = []
    for found in filter(len, waiting):
        part = next((one for one in parts if all(other.partition != found.partition for other in one)), None)
        if part is None:
            parts.append([found])
        else:
            part.append(found)
    return [*parts, *alone]


def _probe(reader: KafkaConsumer, ranges: Sequence[Range]) -> tuple[list[Range], list[Range]]:
    """The records that cannot be read, and the largest one. Raises ``KafkaError``."""
    unreadable: list[Range] = []
    largest, most = [], -1
    until = time.monotonic() + _SECONDS
    for wanted in filter(len, ranges):
        part, position = wanted.partition, wanted.start
        reader.assign([part])
        reader.seek(part, position)
        while position < wanted.end and time.monotonic() < until and len(unreadable) < _MOST_GUESSES:
            try:
                polled = reader.poll(timeout_ms=500, max_records=_POLL_RECORDS)
            except CorruptRecordError:
                position = reader.position(part)
                unreadable.append(Range(part, position, position + 1))
                reader.seek(part, position + 1)
                continue
            for record in polled.get(part, ()):
                size = len(record.key or b"") + len(record.value or b"")
                if record.offset < wanted.end and size > most:
                    largest, most = [Range(part, record.offset, record.offset + 1)], size
            position = reader.position(part)
    return [one for one in unreadable if any(_holds(wanted, one) for wanted in ranges)], largest


def _holds(wanted: Range, one: Range) -> bool:
    return wanted.partition == one.partition and wanted.start <= one.start < wanted.end
