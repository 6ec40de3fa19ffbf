"""The first id that no event in the topics has yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import ID, PARTITION_KEY
from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.generator.reading import reader

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

# Ids ascend, so the largest are at the end of a partition. One record is not enough: a malformed record may have no
# key, and a duplicate has an old one.
TAIL_RECORDS = 200
_TIMEOUT_SECONDS = 60.0
_LARGEST_ID = 2**63 - 1


def next_id(settings: Settings, floor: int, topics: Sequence[str] = (TRANSACTIONS, LABELS)) -> int:
    """One more than the largest id in the tails of the topics, history and live traffic, at least ``floor``.

    Of records whose keys are the ids, only the keys are read. Two generators that start at the same moment get the same
    id; give one of them its first id.
    Raises :class:`BrokerUnavailable`, and :class:`BrokerRefused` if the tails cannot be read.
    """
    from fraudstream.core.kafka.clients import topic_partitions

    with reader(settings) as consumer:
        partitions = topic_partitions(consumer, topics)
        keys = _tail_keys(consumer, partitions, _TIMEOUT_SECONDS) if partitions else []
    return after(keys, floor)


def after(keys: list[bytes | None], floor: int) -> int:
    """One more than the largest key that is an event's id, at least ``floor``."""
    ids = (int(key) for key in keys if key is not None and key.isdigit() and len(key) <= len(str(_LARGEST_ID)))
    return max([floor, *(id_ + 1 for id_ in ids if id_ < _LARGEST_ID)])


def _tail_keys(consumer: KafkaConsumer, partitions: list[TopicPartition], timeout: float) -> list[bytes | None]:
    first, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, max(first[partition], ends[partition] - TAIL_RECORDS))
    keys: list[bytes | None] = []
    positions: list[int] = []
    deadline = time.monotonic() + timeout
    while behind := {str(part.topic) for part in partitions if consumer.position(part) < ends[part]}:
        # A tail of large records takes long; the deadline is for one that makes no progress.
        if positions != (positions := [consumer.position(partition) for partition in partitions]):
            deadline = time.monotonic() + timeout
        if time.monotonic() > deadline:
            raise BrokerUnavailable(
                f"Of the newest records of {', '.join(sorted(behind))} none came for {timeout:g} s, "
                "so that the next free id is not known. Try again, or give --first-id."
            )
        keys += _keys(consumer)
    return keys


def _keys(consumer: KafkaConsumer) -> list[bytes | None]:
    from kafka.errors import CorruptRecordError, KafkaError

    try:
        polled = [record for records in consumer.poll(timeout_ms=1_000).values() for record in records]
    except KafkaError:
        raise
    except Exception as error:
        # The library of a codec raises errors of its own for a batch that it cannot unpack.
        raise CorruptRecordError(f"a batch cannot be unpacked, {type(error).__name__}: {error}") from error
    return [record.key if PARTITION_KEY == ID else _id_in(record.value) for record in polled]


def _id_in(value: bytes | None) -> bytes | None:
    """The id's text in an event, where it is one."""
    try:
        event: Any = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    return str(event.get(ID)).encode() if isinstance(event, dict) else None
