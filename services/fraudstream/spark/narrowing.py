"""Finding the records that make a batch fail, whatever reads them: by halving the batch until they stand alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka.broker import asking
from fraudstream.core.output.text import error_text
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import fitting
from fraudstream.core.streaming.health import Failing, announce_failing
from fraudstream.spark.failures import Failure, failure_of
from fraudstream.spark.lost_sessions import MOST_SESSIONS, forget_lost_sessions, lost_sessions
from fraudstream.spark.probing import MOST_UNPACKED_BYTES, Range, cut_out, guesses, weigh, without

# Where this many records fail one by one and none goes through, something else is to blame.
_MOST_WITHOUT_A_GOOD_ONE = 5
# This many of the records behind them are tried before that is reported.
_MOST_SAMPLES = 3
# A single one may be no event, such as the marker of a transaction.
_FORMER_RECORDS = 10
_READ_SECONDS = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that fails when it is processed alone, and how."""

    partition: TopicPartition
    offset: int
    failure: Failure

    @property
    def place(self) -> str:
        """``topic/partition/offset``."""
        return f"{self.partition.topic}/{self.partition.partition}/{self.offset}"

    @property
    def range(self) -> list[Range]:
        """The record alone."""
        return [Range(self.partition, self.offset, self.offset + 1)]


def halves(ranges: list[Range]) -> tuple[list[Range], list[Range]]:
    """The ranges cut into two of about the same number of records, in their order."""
    first_half: list[Range] = []
    remaining = sum(map(len, ranges)) // 2
    for position, records in enumerate(ranges):
        if len(records) >= remaining:
            middle = records.start + remaining
            piece = [Range(records.partition, records.start, middle)] if remaining else []
            return [*first_half, *piece], [Range(records.partition, middle, records.end), *ranges[position + 1 :]]
        first_half.append(records)
        remaining -= len(records)
    return first_half, []


@dataclass(slots=True)
class _Part:
    """A part of the batch. ``sibling``: the other half of what has failed; it ``fails`` where this one goes through."""

    ranges: list[Range]
    sibling: _Part | None = None
    fails: bool = False

    @classmethod
    def of(cls, ranges: list[Range], sibling: _Part | None = None) -> _Part:
        return cls([records for records in ranges if len(records)], sibling)

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    def halved(self) -> list[_Part]:
        """The second half and the first one, which is tried first."""
        first, second = halves(self.ranges)
        behind = _Part.of(second)
        return [behind, _Part.of(first, sibling=behind)]


def suspects(
    ranges: list[Range],
    process: Callable[[list[Range]], None],
    former: Sequence[Range] = (),
    guessed: Sequence[Range] = (),
) -> list[Suspect]:
    """The records that ``process`` cannot do, found by halving; all others are processed, each at least once.

    A record that fails is tried once more at the end, because its first failure may have passed. ``former``: records
    that were processed before; where the batch has no good record, they show whether any record goes through now.
    ``guessed``: records that probably fail; they are tried alone, and the rest without them.

    Raises what ``process`` raises where that concerns every record, and :class:`FraudstreamError` where none goes
    through, so that no single record can be blamed.
    """
    failed: list[Suspect] = []
    processed = 0
    waiting = [_Part.of(part) for part in reversed(cut_out(ranges, guessed))]
    while waiting:
        part = waiting.pop()
        records, count = part.ranges, len(part)
        if not count:
            continue
        if part.fails and count > 1:
            waiting += part.halved()
            continue
        try:
            process(records)
            processed += count
            if part.sibling is not None:
                part.sibling.fails = True
        except Exception as error:
            failure = failure_of(error)
            if failure.kind != "record":
                raise
            if count > 1:
                waiting += part.halved()
                continue
            failed.append(Suspect(records[0].partition, records[0].start, failure))
            own = all(suspect.failure.is_a_records_own for suspect in failed)
            if not processed and not own and len(failed) >= _MOST_WITHOUT_A_GOOD_ONE:
                if not _any_goes_through(process, [*_samples(waiting), *former[:_MOST_SAMPLES]]):
                    break
                processed += 1
    if (
        failed
        and not processed
        and not all(suspect.failure.is_a_records_own for suspect in failed)
        and (len(failed) >= _MOST_WITHOUT_A_GOOD_ONE or not _any_goes_through(process, former[:_MOST_SAMPLES]))
    ):
        raise FraudstreamError(
            f"No record of the batch goes through ({failed[0].failure.reason}), so that none of them can be to blame. "
            "The job's log has the whole error."
        )
    return [
        suspect for suspect in failed if suspect.failure.is_a_records_own or not _goes_through(process, suspect.range)
    ]


def _samples(waiting: list[_Part]) -> list[Range]:
    """The last records of the largest parts that wait."""
    lasts = [part.ranges[-1] for part in waiting if part.ranges]
    return [Range(last.partition, last.end - 1, last.end) for last in lasts][:_MOST_SAMPLES]


def _any_goes_through(process: Callable[[list[Range]], None], ranges: Sequence[Range]) -> bool:
    return any(_goes_through(process, [records]) for records in ranges)


def _goes_through(process: Callable[[list[Range]], None], ranges: list[Range]) -> bool:
    """Whether ``process`` does these records. Raises an error that is no record's fault."""
    try:
        process(ranges)
    except Exception as error:
        if failure_of(error).kind != "record":
            raise
        return False
    return True


def narrow_down(
    settings: Settings,
    query: str,
    process: Callable[[list[Range], int | None], None],
    set_aside: Callable[[list[Suspect]], None],
    failure: Failure,
) -> bool:
    """Take the batch that fails through in parts, set aside what cannot be done, and move the checkpoint past it.

    ``query`` names the checkpoint. ``process`` gets the ranges and the most records of a poll, None for Kafka's
    default. Returns whether the query is past the batch; raises what stops the search.
    """
    began = time.monotonic()
    checkpoint, state = fitting(settings, query)
    committed, planned = checkpoint.committed(), checkpoint.planned() or {}
    starts = {part: committed.get(part, begin) for part, begin in state.begins.items()}
    # Records behind an open transaction cannot be read: waiting for them would stop the search until it ends.
    readable = _readable_ends(settings, list(state.ends))
    ends = {part: max(planned.get(part, readable[part]), starts[part]) for part in state.ends}
    ranges = [Range(part, start, ends[part]) for part, start in starts.items()]
    log.info("narrowing_down", query=query, records=sum(map(len, ranges)), reason=failure.reason)
    former = [
        Range(part, max(start - _FORMER_RECORDS, state.begins[part]), start)
        for part, start in starts.items()
        if start > state.begins[part]
    ]
    polled, outsized = None, list[Suspect]()
    if lost_sessions(checkpoint):
        weights = weigh(settings, ranges)
        polled = weights.polled
        outsized = [Suspect(record.partition, record.start, _too_large(size)) for record, size in weights.outsized]
        ranges = without(ranges, [record for record, _ in weights.outsized])

    def try_out(records: list[Range]) -> None:
        process(records, polled)

    failed = [*outsized, *suspects(ranges, try_out, former, guesses(settings, ranges, failure))]
    if failed:
        set_aside(failed)
    checkpoint.moved_to(ends, state.ids)
    forget_lost_sessions(checkpoint)
    log.warning(
        "batch_narrowed_down",
        query=query,
        set_aside=[suspect.place for suspect in failed[:20]],
        records_set_aside=len(failed),
        seconds=round(time.monotonic() - began, 1),
    )
    return True


def narrow_deadly(settings: Settings, query: str, narrow: Callable[[Failure], bool]) -> None:
    """Take a batch that has ended several of Spark's processes through in parts. Raises what ``narrow`` raises."""
    ended = lost_sessions(Checkpoint.of(settings, query))
    if ended < MOST_SESSIONS:
        return
    reason = f"Spark's process ended {ended} times at the same records"
    failure = Failure("session", reason, "They are taken in parts now. `fraudstream logs` shows how it ended.")
    announce_failing(Failing(datetime.now(UTC), f"{query}: {reason}", failure.advice))
    narrow(failure)


def _too_large(size: int) -> Failure:
    return Failure("record", f"{size:,} bytes, more than the {MOST_UNPACKED_BYTES:,} that are unpacked at once", "")


def _readable_ends(settings: Settings, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Where reading of committed records ends. Raises :class:`BrokerUnavailable`."""
    with asking(settings) as reader:
        ends: dict[TopicPartition, int] = reader.end_offsets(partitions)
        return ends


def read_record(reader: Any, suspect: Suspect) -> Any:
    """The record itself; None where it cannot be read."""
    reader.assign([suspect.partition])
    reader.seek(suspect.partition, suspect.offset)
    until = time.monotonic() + _READ_SECONDS
    try:
        while time.monotonic() < until:
            for records in reader.poll(timeout_ms=500, max_records=1).values():
                return records[0] if records[0].offset == suspect.offset else None
            if reader.position(suspect.partition) > suspect.offset:
                return None
    except KafkaError as error:
        log.warning("record_not_read", offset=suspect.offset, reason=error_text(error))
    return None
