"""How far a real-time query has come, while its batch of many seconds is still running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.clients import consumer, topic_partitions
from fraudstream.core.output.text import error_text

# What the contract function writes to.
OUTPUTS = (SCORED, REJECTED)

_POLL_MS = 1_000
_PASS_POLL_MS = 200

log = structlog.get_logger(__name__)


def output_ends(settings: Settings, topics: Sequence[str] = OUTPUTS) -> dict[TopicPartition, int]:
    """Where each partition of the topics ends that the query writes to. Raises :class:`BrokerUnavailable`."""
    with asking(settings) as reader:
        ends: dict[TopicPartition, int] = reader.end_offsets(topic_partitions(reader, topics))
        return ends


class OutputTail:
    """Reads the newest record of each output partition: its ``source`` tells which input is done.

    Spark names a batch's end offsets only when the batch has ended, which in real-time mode is every few minutes.
    A record that says no source shows nothing, as those of a query's own outputs may.
    ``done``: what was finished before. ``ends``: where the outputs ended before the query began; older records may
    have been made from a deleted topic of the same name, at offsets that the present one has not reached.
    """

    def __init__(
        self,
        settings: Settings,
        done: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        topics: Sequence[str] = OUTPUTS,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._reader: Any = None
        self._ends = dict(ends)
        self._done = dict(done)
        self._before: dict[TopicPartition, int] = {}
        self._inputs: dict[TopicPartition, int] = {}

    def offsets(self) -> dict[TopicPartition, int]:
        """For each partition of `transactions` the offset behind the newest record that has come out.

        A broker that is away only delays that.
        """
        try:
            if self._reader is None:
                self._reader = consumer(self._settings)
            self._read_newest()
            self._pass_markers()
        except (KafkaError, BrokerUnavailable, KeyError) as error:
            # Kafka's client raises KeyError where a busy broker's answer lacks a partition.
            log.warning("outputs_not_read", reason=error_text(error))
            self.close()
        return dict(self._done)

    def pass_committed(self, committed: Mapping[TopicPartition, int]) -> None:
        """Count what the checkpoint says is finished: records of which nothing has come out, as the query has it."""
        for part, offset in committed.items():
            self._done[part] = max(offset, self._done.get(part, 0))

    @property
    def has_caught_up(self) -> bool:
        """Whether all input that there was at the last look has come out."""
        return bool(self._inputs) and all(self._done.get(part, 0) >= end for part, end in self._inputs.items())

    def close(self) -> None:
        """Let go of the connection; the next call opens a new one."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read_newest(self) -> None:
        partitions = topic_partitions(self._reader, self._topics)
        ends: dict[TopicPartition, int] = self._reader.end_offsets(partitions)
        missing = {part for part, end in ends.items() if end != self._ends.get(part, 0)}
        self._reader.assign(list(missing))
        for part in missing:
            self._reader.seek(part, max(ends[part] - 1, 0))
        while missing:
            polled: dict[TopicPartition, list[Any]] = self._reader.poll(timeout_ms=_POLL_MS)
            if not polled:
                return
            for part, records in polled.items():
                self._take(records[-1].value)
                self._ends[part] = records[-1].offset + 1
                missing.discard(part)

    def _take(self, value: bytes) -> None:
        try:
            source = orjson.loads(value)["source"]
            if source["topic"] != TRANSACTIONS:
                return
            part, offset = TopicPartition(TRANSACTIONS, int(source["partition"])), int(source["offset"]) + 1
        except (ValueError, KeyError, TypeError):
            return  # another program writes to the topic too
        self._done[part] = max(offset, self._done.get(part, 0))

    def _pass_markers(self) -> None:
        """Pass offsets that hold no readable record: the markers of transactions, and aborted transactions."""
        parts = topic_partitions(self._reader, (TRANSACTIONS,))
        self._inputs = self._reader.end_offsets(parts) if parts else {}
        # Where records have come out since the last look, the next offsets may be records that are still on their way.
        still = [
            part
            for part, end in self._inputs.items()
            if self._done.get(part, 0) < end and self._before.get(part, -1) == self._done.get(part, 0)
        ]
        self._before = {part: self._done.get(part, 0) for part in parts}
        if not still:
            return
        begins: dict[TopicPartition, int] = self._reader.beginning_offsets(still)
        self._reader.assign(still)
        for part in still:
            self._reader.seek(part, max(self._done.get(part, 0), begins[part]))
        polled: dict[TopicPartition, list[Any]] = self._reader.poll(timeout_ms=_PASS_POLL_MS)
        for part in still:
            records = polled.get(part)
            self._done[part] = records[0].offset if records else self._reader.position(part)
