"""Finding the records that make a batch fail, whatever reads them: by halving the batch until they stand alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.failures import Failure, failure_of
from fraudstream.core.fit import fitting
from fraudstream.core.settings import Settings

# What can only be a record's own fault, also where there is no other record to compare it with.
OWN_FAULT = re.compile(
    r"RecordTooLarge|MessageSizeTooLarge|RecordBatchTooLarge|InvalidRecord|CorruptRecord|Record is corrupt"
    r"|fetching the next record|SerializationException"
)
# So many records that fail one by one, while none goes through, are not to blame: something else is.
_MOST_WITHOUT_A_GOOD_ONE = 5
_READ_SECONDS = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Range:
    """Records of one partition, from ``start`` to before ``end``."""

    partition: TopicPartition
    start: int
    end: int

    def __len__(self) -> int:
        return max(self.end - self.start, 0)


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


def suspects(ranges: list[Range], process: Callable[[list[Range]], None]) -> list[Suspect]:
    """The records that ``process`` cannot do, found by halving; all others are processed, each at least once.

    Raises what ``process`` raises where that concerns every record, and :class:`FraudstreamError` where none goes
    through, so that no record can be told from the rest.
    """
    found: list[Suspect] = []
    processed = 0
    waiting = [ranges]
    while waiting:
        some = [one for one in waiting.pop() if len(one)]
        count = sum(map(len, some))
        if not count:
            continue
        try:
            process(some)
            processed += count
        except Exception as error:
            failure = failure_of(error)
            if failure.kind != "record":
                raise
            if count > 1:
                first, second = halves(some)
                waiting += [second, first]
                continue
            found.append(Suspect(some[0].partition, some[0].start, failure))
            own = all(OWN_FAULT.search(suspect.failure.reason) for suspect in found)
            if not processed and not own and len(found) >= _MOST_WITHOUT_A_GOOD_ONE:
                break
    if found and not processed and not all(OWN_FAULT.search(suspect.failure.reason) for suspect in found):
        raise FraudstreamError(
            f"No record of the batch goes through ({found[0].failure.reason}), so that none of them can be to blame. "
            "The job's log has the whole error."
        )
    return found


def narrow_down(
    settings: Settings,
    query: str,
    process: Callable[[list[Range]], None],
    set_aside: Callable[[list[Suspect]], None],
    failure: Failure,
) -> bool:
    """Take the batch that fails through in parts, set aside what cannot be done, and move the checkpoint past it.

    ``query`` names the checkpoint. Answers whether the query is past the batch; raises what stands in the way.
    """
    began = time.monotonic()
    checkpoint, state = fitting(settings, query)
    committed, planned = checkpoint.committed(), checkpoint.planned() or {}
    starts = {part: committed.get(part, begin) for part, begin in state.begins.items()}
    ends = {part: max(planned.get(part, end), starts[part]) for part, end in state.ends.items()}
    ranges = [Range(part, start, ends[part]) for part, start in starts.items()]
    log.info("narrowing_down", query=query, records=sum(map(len, ranges)), reason=failure.reason)
    found = suspects(ranges, process)
    if found:
        set_aside(found)
    checkpoint.moved_to(ends, state.ids)
    log.warning(
        "batch_narrowed_down",
        query=query,
        set_aside=[suspect.place for suspect in found[:20]],
        records_set_aside=len(found),
        seconds=round(time.monotonic() - began, 1),
    )
    return True


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
        log.warning("record_not_read", offset=suspect.offset, reason=f"{type(error).__name__}: {error}"[:200])
    return None
