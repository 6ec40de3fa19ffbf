"""What every broker has to do for us: the same cases against the embedded one and against Compose's container."""

from __future__ import annotations

import pytest

from fraudstream.core.contract.topics import MAX_EVENT_BYTES, TOPICS, TRANSACTIONS
from fraudstream.core.kafka.clients import consumer, create_topics, producer
from fraudstream.runtime.accounting import end_offsets
from tests.contract.conftest import Deployment


class BrokerContract:
    """The cases; a subclass says where the broker runs."""

    @pytest.fixture
    def deployment(self) -> Deployment:
        raise NotImplementedError

    def test_topics_come_from_the_table_and_are_created_once(self, deployment: Deployment) -> None:
        create_topics(deployment.settings)
        assert create_topics(deployment.settings) == []
        reader = consumer(deployment.settings)
        partitions = {topic.name: len(reader.partitions_for_topic(topic.name)) for topic in TOPICS}
        reader.close()
        assert partitions == {topic.name: deployment.settings.topic_partitions for topic in TOPICS}

    def test_no_topic_comes_into_being_by_being_asked_for(self, deployment: Deployment) -> None:
        reader = consumer(deployment.settings)
        assert not reader.partitions_for_topic("misspelt")
        assert "misspelt" not in reader.topics()
        reader.close()

    def test_acknowledged_records_survive_a_kill(self, deployment: Deployment) -> None:
        create_topics(deployment.settings)
        before = sum(end_offsets(deployment.settings, TRANSACTIONS).values())
        sender = producer(deployment.settings)
        sent = [sender.send(TRANSACTIONS, key=str(n).encode(), value=b"{}") for n in range(5_000)]
        for delivery in sent:
            delivery.get(timeout=60)
        sender.close()
        deployment.kill("broker")
        assert sum(end_offsets(deployment.settings, TRANSACTIONS).values()) == before + 5_000

    def test_records_carry_the_brokers_time(self, deployment: Deployment) -> None:
        create_topics(deployment.settings)
        sender = producer(deployment.settings)
        stamped = sender.send(TRANSACTIONS, value=b"{}", timestamp_ms=1_000).get(timeout=60)
        sender.close()
        assert stamped.timestamp > 1_700_000_000_000

    def test_oversized_events_are_taken_so_that_they_can_be_rejected(self, deployment: Deployment) -> None:
        create_topics(deployment.settings)
        sender = producer(deployment.settings)
        taken = sender.send(TRANSACTIONS, value=b"x" * (2 * MAX_EVENT_BYTES)).get(timeout=60)
        sender.close()
        assert taken.offset >= 0


@pytest.mark.stack
@pytest.mark.parity("topics from one table", "local")
class TestLocalBroker(BrokerContract):
    @pytest.fixture
    def deployment(self, local_parts: Deployment) -> Deployment:
        return local_parts


@pytest.mark.containers
@pytest.mark.parity("topics from one table", "compose")
class TestContainerBroker(BrokerContract):
    @pytest.fixture
    def deployment(self, containers: Deployment) -> Deployment:
        return containers
