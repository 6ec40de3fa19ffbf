"""The first id that no event in the topics has yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.generator.reading import reader

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

# Ids ascend, so that a partition's newest are in its tail; more than one record, because malformed records may have
# no key, and duplicates have an old one.
TAIL_RECORDS = 200
_TIMEOUT_SECONDS = 60.0
_LARGEST_ID = 2**63 - 1


def next_id(settings: Settings, floor: int) -> int:
    """One more than the largest id in the tails of history and live traffic, at least ``floor``.

    Only keys are looked at. Two generators that start at the same moment get the same answer: give one of them its
    first id. Raises :class:`BrokerUnavailable`, and :class:`BrokerRefused` where the tails cannot be read.
    """
    from fraudstream.core.kafka.clients import topic_partitions

    with reader(settings) as consumer:
        partitions = topic_partitions(consumer, (TRANSACTIONS, LABELS))
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
    while behind := [str(each.topic) for each in partitions if consumer.position(each) < ends[each]]:
        # A tail of large records takes its time; one that stands still is none.
        if positions != (positions := [consumer.position(each) for each in partitions]):
            deadline = time.monotonic() + timeout
        if time.monotonic() > deadline:
            raise BrokerUnavailable(
                f"Of the newest records of {', '.join(sorted(set(behind)))} none came for {timeout:g} s, "
                "so that the next free id is not known. Try again, or give --first-id."
            )
        keys += _keys(consumer)
    return keys


def _keys(consumer: KafkaConsumer) -> list[bytes | None]:
    from kafka.errors import CorruptRecordError, KafkaError

    try:
        return [record.key for records in consumer.poll(timeout_ms=1_000).values() for record in records]
    except KafkaError:
        raise
    except Exception as error:
        # A batch that its codec's library cannot unpack: each has errors of its own, and none is Kafka's.
        raise CorruptRecordError(f"a batch cannot be unpacked, {type(error).__name__}: {error}") from error
