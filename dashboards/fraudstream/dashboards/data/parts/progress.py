"""How far the two jobs have come: the offsets that they committed, against the ends of the topics they read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.clients import consumer
from fraudstream.core.kafka.progress import GROUP_TOPICS, STORE_GROUP, STREAM_GROUP, group_progress, lag
from fraudstream.core.output.text import error_text, told_text
from fraudstream.core.streaming.health import Failing

# A job's group and the topics that it reads.
JOBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stream": (STREAM_GROUP, GROUP_TOPICS[STREAM_GROUP]),
    "store": (STORE_GROUP, GROUP_TOPICS[STORE_GROUP]),
}
_TIMEOUT_MS = 3_000
_ASKED_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """First and end offsets of all partitions, and what each group has finished (absent: nothing committed).

    ``failing``: what a job says of a failure that it repeats.
    """

    ends: Mapping[TopicPartition, int]
    committed: Mapping[str, Mapping[TopicPartition, int]]
    begins: Mapping[TopicPartition, int] = field(default_factory=dict)
    failing: Mapping[str, Failing] = field(default_factory=dict)

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
        unfinished = lag(ends, self.begins, committed)
        return unfinished if committed or unfinished else None


class ProgressReader:
    """Reads progress over connections that it keeps; a broker that comes back is connected to again. For one thread."""

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
        begins: dict[TopicPartition, int] = {}
        committed: dict[str, Mapping[TopicPartition, int]] = {}
        failing: dict[str, Failing] = {}
        for job, (group, topics) in JOBS.items():
            reader = self._readers.get(job)
            if reader is None:
                reader = self._readers[job] = consumer(self._settings, group_id=group, request_timeout_ms=20_000)
            progress = group_progress(reader, topics, _TIMEOUT_MS)
            committed[job] = progress.committed
            if progress.failing:
                failing[job] = progress.failing
            begins |= progress.begins
            ends |= progress.ends
        return Progress(ends, committed, begins, failing)

    def _close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()


class JobsFailing:
    """What the jobs say of failures that they repeat, for callers that ask often and must never wait for the answer."""

    def __init__(self, read: Callable[[], Progress], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._failures: dict[str, str] = {}
        self._asked_at = float("-inf")
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def look(self) -> dict[str, str]:
        """Job → its failure in one line, as of some seconds ago; a newer answer is asked for in the background."""
        with self._lock:
            idle = self._asking is None or not self._asking.is_alive()
            if idle and self._clock() - self._asked_at >= _ASKED_EVERY_SECONDS:
                self._asked_at = self._clock()
                self._asking = threading.Thread(target=self._ask, name="jobs-failing", daemon=True)
                self._asking.start()
            return dict(self._failures)

    def _ask(self) -> None:
        try:
            failures = {job: told_text(failing.sentence) for job, failing in self._read().failing.items()}
        except Exception as error:  # whatever a client raises: the broker is away, and says nothing of the jobs
            failures = {"jobs": f"not known: {error_text(error)}"}
        with self._lock:
            self._failures = failures
