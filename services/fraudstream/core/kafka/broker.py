"""The broker as it is asked a question: a client for as long as the questions take, whose errors are ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.clients import consumer


@contextmanager
def asking(settings: Settings, group: str | None = None, **options: Any) -> Iterator[KafkaConsumer]:
    """A consumer, of ``group`` where one is named. What it raises within the block is :class:`BrokerUnavailable`."""
    try:
        reader = consumer(settings, group_id=group, **options)
        try:
            yield reader
        finally:
            reader.close()
    except KafkaError as error:
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} did not answer ({type(error).__name__}: {error}). "
            "`fraudstream status` shows how it is."
        ) from error
