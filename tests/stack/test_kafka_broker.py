"""The embedded broker is Kafka: it keeps acknowledged records, stamps them itself, and takes large ones."""

from __future__ import annotations

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import MAX_EVENT_BYTES, TOPICS, TRANSACTIONS
from fraudstream.core.kafka.clients import consumer, create_topics, producer
from fraudstream.runtime.accounting import end_offsets
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack


def test_topics_come_from_the_table(broker: Running, settings: Settings) -> None:
    assert create_topics(settings) == [topic.name for topic in TOPICS]
    assert create_topics(settings) == []
    reader = consumer(settings)
    partitions = {topic.name: len(reader.partitions_for_topic(topic.name)) for topic in TOPICS}
    reader.close()
    assert partitions == {topic.name: settings.topic_partitions for topic in TOPICS}


def test_acknowledged_records_survive_a_kill(broker: Running, settings: Settings) -> None:
    create_topics(settings)
    before = sum(end_offsets(settings, TRANSACTIONS).values())
    sender = producer(settings)
    sent = [sender.send(TRANSACTIONS, key=str(n).encode(), value=b"{}") for n in range(5_000)]
    for delivery in sent:
        delivery.get(timeout=60)
    sender.close()
    broker.kill()
    broker.start()
    assert sum(end_offsets(settings, TRANSACTIONS).values()) == before + 5_000


def test_oversized_events_are_taken_so_that_they_can_be_rejected(broker: Running, settings: Settings) -> None:
    create_topics(settings)
    sender = producer(settings)
    stamped = sender.send(TRANSACTIONS, value=b"x" * (2 * MAX_EVENT_BYTES), timestamp_ms=1_000).get(timeout=60)
    sender.close()
    assert stamped.timestamp > 1_700_000_000_000
