"""Reads what topics hold: where their partitions end, and the keys of their newest records."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable

_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 1.0

if TYPE_CHECKING:
    from kafka import KafkaConsumer


@contextmanager
def reader(settings: Settings) -> Iterator[KafkaConsumer]:
    """A consumer without a group.

    Kafka's errors in the block become :class:`BrokerRefused` where it answered that these topics may not or cannot be
    read, and :class:`BrokerUnavailable` otherwise.
    """
    from kafka.errors import AuthorizationError, CorruptRecordError, KafkaError, UnsupportedCodecError

    from fraudstream.core.kafka.clients import consumer
    from fraudstream.core.kafka.deliveries import reason

    # A topic that a reader creates by asking for it would have the broker's defaults, not the table's settings.
    opened = consumer(settings, allow_auto_create_topics=False)
    try:
        yield opened
    except (AuthorizationError, CorruptRecordError, UnsupportedCodecError) as error:
        raise BrokerRefused(
            f"The newest records of Kafka at {settings.kafka_bootstrap_servers} cannot be read: {reason(error)}. "
            "Correct the sender or the sign-in, or give --first-id, which needs no reading."
        ) from error
    except KafkaError as error:
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} did not answer while its topics were read "
            f"({reason(error)}). Start it with `fraudstream up -d`, and try again."
        ) from error
    finally:
        opened.close()


def end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """Partition → offset of its next record. Raises :class:`BrokerUnavailable`, also when there is no such topic."""
    from fraudstream.core.kafka.clients import topic_partitions

    with reader(settings) as consumer:
        partitions = topic_partitions(consumer, [topic])
        if not partitions:
            raise BrokerUnavailable(
                f"Kafka at {settings.kafka_bootstrap_servers} has no topic {topic!r}. "
                "`fraudstream up -d` creates the topics; in Azure the templates do."
            )
        ends = consumer.end_offsets(partitions)
        return {partition.partition: ends[partition] for partition in partitions}


def await_topic(settings: Settings, topic: str, seconds: float) -> None:
    """Wait at most so long for a broker that is being started, and for the topic.

    Raises nothing: whoever reads or sends next says what is still missing.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        # The full client would try for its whole time limit, and log each refusal.
        if _listens(settings.kafka_bootstrap_servers.split(",")[0].strip()):
            try:
                end_offsets(settings, topic)
                return
            except BrokerUnavailable:
                pass
        time.sleep(_POLL_SECONDS)


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
