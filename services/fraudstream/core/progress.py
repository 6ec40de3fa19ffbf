"""Progress of the streaming jobs, made visible as the committed offsets of a consumer group.

Spark resumes from its checkpoint, never from these offsets; every Kafka tool can read them, and a topic's end
offsets minus them are the lag.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka import consumer
from fraudstream.core.settings import Settings

STREAM_GROUP = "fraudstream-stream"
STORE_GROUP = "fraudstream-store"

# A launcher that waits for a part names the file that the part makes once it works.
READY_FILE_VARIABLE = "FRAUDSTREAM_READY_FILE"

log = structlog.get_logger(__name__)


class ProgressReporter:
    """Commits a query's finished offsets to ``group``; a broker that is away only delays that."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._reported: dict[TopicPartition, int] = {}
        self._reader: Any = None

    def report(self, progress: Any) -> None:
        """Commit the end offsets of a ``StreamingQueryProgress`` (its JSON form), if they moved."""
        self.commit(end_offsets(progress))

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets up to which the records are processed, if they moved."""
        if not offsets or offsets == self._reported:
            return
        try:
            if self._reader is None:
                self._reader = consumer(self._settings, group_id=self._group)
            self._reader.assign(list(offsets))
            self._reader.commit({part: OffsetAndMetadata(offset, "", -1) for part, offset in offsets.items()})
            self._reported = dict(offsets)
        except (KafkaError, BrokerUnavailable) as error:
            log.warning("progress_not_committed", group=self._group, reason=str(error)[:200])
            self.close()

    def close(self) -> None:
        """Let go of the connection; the next report opens a new one."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def end_offsets(progress: Any) -> dict[TopicPartition, int]:
    """The offsets up to which a query's Kafka source has been processed."""
    found: dict[TopicPartition, int] = {}
    for source in progress["sources"] if progress else ():
        end = source["endOffset"]
        by_topic = json.loads(end) if isinstance(end, str) else end
        for topic, partitions in (by_topic or {}).items():
            for number, offset in partitions.items():
                found[TopicPartition(topic, int(number))] = int(offset)
    return found


def heartbeat(seconds: float = 1.0) -> Callable[[], None]:
    """A function that announces readiness anew at most every ``seconds``: the file's age says when work last got on."""
    last = float("-inf")

    def beat() -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= seconds:
            last = now
            announce_ready()

    return beat


def announce_ready() -> None:
    """Tell whoever started this process that it works; does nothing when nobody asked."""
    if path := os.environ.get(READY_FILE_VARIABLE):
        Path(path).touch()
