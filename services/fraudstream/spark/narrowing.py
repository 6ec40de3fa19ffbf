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

# So many records that fail one by one, while none goes through, are not to blame: something else is.
_MOST_WITHOUT_A_GOOD_ONE = 5
# So many of those behind them are tried before that is said.
_MOST_SAMPLES = 3
# One alone may be nothing that has to be processed, such as the marker of a transaction.
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
    left: list[Range] = []
    wanted = sum(map(len, ranges)) // 2
    for place, found in enumerate(ranges):
        if len(found) >= wanted:
            middle = found.start + wanted
            first = [Range(found.partition, found.start, middle)] if wanted else []
            return [*left, *first], [Range(found.partition, middle, found.end), *ranges[place + 1 :]]
        left.append(found)
        wanted -= len(found)
    return left, []


@dataclass(slots=True)
class _Part:
    """A part of the batch. ``sibling``: the other half of what has failed; it ``fails`` where this one goes through."""

    ranges: list[Range]
    sibling: _Part | None = None
    fails: bool = False

    @classmethod
    def of(cls, ranges: list[Range], sibling: _Part | None = None) -> _Part:
        return cls([one for one in ranges if len(one)], sibling)

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

    A record that fails is tried once more at the end: what failed may have been a passing trouble. ``former``: records
    that were processed before, which tell a bad record from a bad time where no other is there to compare with.
    ``guessed``: records that are likely to be to blame; they are tried alone, and the rest without them.

    Raises what ``process`` raises where that concerns every record, and :class:`FraudstreamError` where none goes
    through, so that no record can be told from the rest.
    """
    found: list[Suspect] = []
    processed = 0
    waiting = [_Part.of(part) for part in reversed(cut_out(ranges, guessed))]
    while waiting:
        part = waiting.pop()
        some, count = part.ranges, len(part)
        if not count:
            continue
        if part.fails and count > 1:
            waiting += part.halved()
            continue
        try:
            process(some)
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
            found.append(Suspect(some[0].partition, some[0].start, failure))
            own = all(suspect.failure.is_a_records_own for suspect in found)
            if not processed and not own and len(found) >= _MOST_WITHOUT_A_GOOD_ONE:
                if not _any_goes_through(process, [*_samples(waiting), *former[:_MOST_SAMPLES]]):
                    break
                processed += 1
    if (
        found
        and not processed
        and not all(suspect.failure.is_a_records_own for suspect in found)
        and (len(found) >= _MOST_WITHOUT_A_GOOD_ONE or not _any_goes_through(process, former[:_MOST_SAMPLES]))
    ):
        raise FraudstreamError(
            f"No record of the batch goes through ({found[0].failure.reason}), so that none of them can be to blame. "
            "The job's log has the whole error."
        )
    return [one for one in found if one.failure.is_a_records_own or not _goes_through(process, one.range)]


def _samples(waiting: list[_Part]) -> list[Range]:
    """The last records of the largest parts that wait."""
    lasts = [part.ranges[-1] for part in waiting if part.ranges]
    return [Range(last.partition, last.end - 1, last.end) for last in lasts][:_MOST_SAMPLES]


def _any_goes_through(process: Callable[[list[Range]], None], some: Sequence[Range]) -> bool:
    return any(_goes_through(process, [one]) for one in some)


def _goes_through(process: Callable[[list[Range]], None], some: list[Range]) -> bool:
    """Raises what is no record's fault."""
    try:
        process(some)
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

    ``query`` names the checkpoint. ``process`` is told how many records a poll may have at most, None for as many as
    usual. Answers whether the query is past the batch; raises what stands in the way.
    """
    began = time.monotonic()
    checkpoint, state = fitting(settings, query)
    committed, planned = checkpoint.committed(), checkpoint.planned() or {}
    starts = {part: committed.get(part, begin) for part, begin in state.begins.items()}
    # Nothing beyond an open transaction can be read, which would hold the search up for as long as it is open.
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
        outsized = [Suspect(one.partition, one.start, _too_large(size)) for one, size in weights.outsized]
        ranges = without(ranges, [one for one, _ in weights.outsized])

    def try_out(some: list[Range]) -> None:
        process(some, polled)

    found = [*outsized, *suspects(ranges, try_out, former, guesses(settings, ranges, failure))]
    if found:
        set_aside(found)
    checkpoint.moved_to(ends, state.ids)
    forget_lost_sessions(checkpoint)
    log.warning(
        "batch_narrowed_down",
        query=query,
        set_aside=[suspect.place for suspect in found[:20]],
        records_set_aside=len(found),
        seconds=round(time.monotonic() - began, 1),
    )
    return True


def narrow_deadly(settings: Settings, query: str, narrow: Callable[[Failure], bool]) -> None:
    """Take the batch through in parts at which one process of Spark's after the other has ended. Raises as it does."""
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
