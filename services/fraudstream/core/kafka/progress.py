"""Progress of the streaming jobs, made visible as the committed offsets of a consumer group.

Spark resumes from its checkpoint, never from these offsets; every Kafka tool can read them, and a topic's end
offsets minus them are the lag. While a job repeats a failure, their metadata says so
(:mod:`fraudstream.core.streaming.health`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.clients import consumer, topic_partitions
from fraudstream.core.output.text import error_text
from fraudstream.core.streaming.health import Failing, announce_ready

STREAM_GROUP = "fraudstream-stream"
STORE_GROUP = "fraudstream-store"
# The topics that each group's job reads.
GROUP_TOPICS: Mapping[str, tuple[str, ...]] = {
    STREAM_GROUP: (TRANSACTIONS,),
    STORE_GROUP: (SCORED, LABELS, REJECTED),
}

log = structlog.get_logger(__name__)

Offsets = Mapping[TopicPartition, int]


def lag(ends: Offsets, begins: Offsets, committed: Offsets) -> int:
    """Records of the partitions in ``ends`` that a group has not finished; ask for ``committed`` before ``ends``.

    A partition without a commit is read from its beginning, and records that retention removed do not count. A commit
    beyond the end is of a former topic of that name: of this one nothing is finished.
    """
    unfinished = 0
    for part, end in ends.items():
        begin, finished = begins.get(part, 0), committed.get(part, 0)
        unfinished += max(end - max(finished if finished <= end else begin, begin), 0)
    return unfinished


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """First and end offsets of all partitions that a group reads, and what it has committed of them.

    A partition without a commit is absent from ``committed``. ``failing``: the failure that the job repeats.
    """

    ends: Offsets
    begins: Offsets
    committed: Offsets
    failing: Failing | None

    @property
    def lag(self) -> int:
        """Records that the group has not finished."""
        return lag(self.ends, self.begins, self.committed)


def group_progress(reader: KafkaConsumer, topics: Iterable[str], timeout_ms: int | None = None) -> GroupProgress:
    """The progress of the reader's own group in these topics; those that do not exist yet have no partitions.

    ``timeout_ms`` bounds each request. Raises ``KafkaError``.
    """
    parts = topic_partitions(reader, topics)
    if not parts:
        return GroupProgress({}, {}, {}, None)
    answers = {part: reader.committed(part, metadata=True, timeout_ms=timeout_ms) for part in parts}
    commits = {part: commit for part, commit in answers.items() if commit is not None}
    return GroupProgress(
        # The ends come after the commits: the other way round, a job that is quick would be ahead of them.
        ends=reader.end_offsets(parts, timeout_ms=timeout_ms),
        begins=reader.beginning_offsets(parts, timeout_ms=timeout_ms),
        committed={part: commit.offset for part, commit in commits.items()},
        failing=failing_of([commit.metadata for commit in commits.values()]),
    )


class ProgressReporter:
    """Commits a job's finished offsets to ``group``, and what it fails of; a broker that is away only delays that."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._finished: dict[TopicPartition, int] = {}
        self._reported: tuple[dict[TopicPartition, int], str] = ({}, "")
        self._metadata = ""
        self._reader: Any = None

    def begin(self) -> None:
        """A query starts: until it has finished records, the group's offsets stay as they are committed."""
        self._finished = {}
        self._reported = ({}, self._reported[1])

    def commit(self, offsets: Offsets) -> None:
        """Commit the offsets up to which the records are processed, if they moved."""
        self._finished |= offsets
        self._report()

    def fail(self, failing: Failing | None) -> None:
        """Say that the job repeats a failure, or that it works (None)."""
        self._metadata = failing.to_text() if failing else ""
        self._report()

    def _report(self) -> None:
        if (self._finished, self._metadata) == self._reported:
            return
        try:
            if self._reader is None:
                self._reader = consumer(self._settings, group_id=self._group)
            finished = self._finished or self._committed()
            _commit(self._reader, {part: OffsetAndMetadata(at, self._metadata, -1) for part, at in finished.items()})
            self._reported = (dict(self._finished), self._metadata)
        except (KafkaError, BrokerUnavailable) as error:
            log.warning("progress_not_committed", group=self._group, reason=error_text(error))
            self.close()

    def _committed(self) -> dict[TopicPartition, int]:
        """What was committed before; a partition without a commit stands at its beginning."""
        parts = topic_partitions(self._reader, GROUP_TOPICS[self._group])
        begins: dict[TopicPartition, int] = self._reader.beginning_offsets(parts) if parts else {}
        return {part: self._reader.committed(part) or begins[part] for part in parts}

    def close(self) -> None:
        """Let go of the connection; the next report opens a new one."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def set_group(settings: Settings, group: str, offsets: Offsets) -> None:
    """Commit ``offsets`` for the group, behind or ahead of where it stood; what it says of a failure stays.

    Raises :class:`BrokerUnavailable`.
    """
    try:
        reader = consumer(settings, group_id=group)
        try:
            commits = {part: reader.committed(part, metadata=True) for part in offsets}
            texts = {part: commit.metadata if commit else "" for part, commit in commits.items()}
            _commit(reader, {part: OffsetAndMetadata(at, texts[part], -1) for part, at in offsets.items()})
        finally:
            reader.close()
    except KafkaError as error:
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} did not take the offsets of the group {group} "
            f"({type(error).__name__}: {error}). `fraudstream status` shows how it is."
        ) from error


def _commit(reader: Any, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
    reader.assign(list(offsets))
    reader.commit(dict(offsets))


def end_offsets(progress: Any) -> dict[TopicPartition, int]:
    """The offsets up to which a query's Kafka source has been processed."""
    offsets: dict[TopicPartition, int] = {}
    for source in progress["sources"] if progress else ():
        if str(source["description"]).startswith("Kafka"):
            end = source["endOffset"]
            offsets |= parsed_offsets(json.loads(end) if isinstance(end, str) else end)
    return offsets


def parsed_offsets(by_topic: Any) -> dict[TopicPartition, int]:
    """Offsets as Spark writes them, topic → partition number as text → offset; empty for None."""
    return {
        TopicPartition(topic, int(number)): int(offset)
        for topic, partitions in (by_topic or {}).items()
        for number, offset in partitions.items()
    }


def written_offsets(offsets: Offsets) -> str:
    """The offsets as the text that Spark's ``startingOffsets`` and ``endingOffsets`` take."""
    by_topic: dict[str, dict[str, int]] = {}
    for part, offset in offsets.items():
        by_topic.setdefault(part.topic, {})[str(part.partition)] = offset
    return json.dumps(by_topic)


def failing_of(metadata: Sequence[str | None]) -> Failing | None:
    """What the metadata of a group's committed offsets say of a failure; None while the job works."""
    return next((failing for text in metadata if text and (failing := Failing.of_text(text))), None)


def heartbeat(seconds: float = 1.0) -> Callable[[], None]:
    """A function that announces readiness at most every ``seconds``: its file's age says when work last got on."""
    last = float("-inf")

    def beat() -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= seconds:
            last = now
            announce_ready()

    return beat
