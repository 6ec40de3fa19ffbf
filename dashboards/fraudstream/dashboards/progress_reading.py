"""How far the two jobs have come: the offsets that they committed, against the ends of the topics they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka import consumer, topic_partitions
from fraudstream.core.progress import STORE_GROUP, STREAM_GROUP
from fraudstream.core.settings import Settings
from fraudstream.core.topics import LABELS, REJECTED, SCORED, TRANSACTIONS

# A job's group and the topics that it reads.
JOBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stream": (STREAM_GROUP, (TRANSACTIONS,)),
    "store": (STORE_GROUP, (SCORED, LABELS, REJECTED)),
}
_TIMEOUT_MS = 3_000


@dataclass(frozen=True, slots=True)
class Progress:
    """End offsets of all partitions, and what each group has finished (absent: nothing committed)."""

    ends: Mapping[TopicPartition, int]
    committed: Mapping[str, Mapping[TopicPartition, int]]

    @property
    def topics(self) -> int:
        return len({part.topic for part in self.ends})

    def finished(self, job: str) -> int:
        """Records finished so far, over all partitions."""
        return sum(self.committed.get(job, {}).values())

    def lags(self) -> dict[str, int | None]:
        """Records not finished yet, by job; None before a job's first commit while there is nothing to do."""
        return {job: self._lag(job, topics) for job, (_, topics) in JOBS.items()}

    def _lag(self, job: str, topics: tuple[str, ...]) -> int | None:
        committed = self.committed.get(job, {})
        ends = {part: end for part, end in self.ends.items() if part.topic in topics}
        lag = sum(max(end - committed.get(part, 0), 0) for part, end in ends.items())
        return lag if committed or lag else None


class ProgressReader:
    """Reads progress over connections that it keeps; a broker that comes back is connected to anew. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers: dict[str, Any] = {}

    def read(self) -> Progress:
        """Raises :class:`BrokerUnavailable`."""
        try:
            return self._read()
        except KafkaError as error:
            self._close()
            raise BrokerUnavailable(
                f"Kafka at {self._settings.kafka_bootstrap_servers} does not answer ({type(error).__name__})."
            ) from error
        except BrokerUnavailable:
            self._close()
            raise

    def _read(self) -> Progress:
        ends: dict[TopicPartition, int] = {}
        committed: dict[str, dict[TopicPartition, int]] = {}
        for job, (group, topics) in JOBS.items():
            reader = self._readers.get(job)
            if reader is None:
                reader = self._readers[job] = consumer(self._settings, group_id=group, request_timeout_ms=20_000)
            parts = topic_partitions(reader, topics)
            ends |= reader.end_offsets(parts, timeout_ms=_TIMEOUT_MS) if parts else {}
            committed[job] = {
                part: offset for part in parts if (offset := reader.committed(part, timeout_ms=_TIMEOUT_MS)) is not None
            }
        return Progress(ends, committed)

    def _close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
