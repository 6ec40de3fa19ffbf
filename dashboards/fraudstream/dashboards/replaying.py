"""Sending a rejected event to `transactions` again, corrected: at a reader's click, never by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from kafka.errors import KafkaError

from fraudstream.core.errors import BrokerUnavailable, EventError
from fraudstream.core.event import parse_event
from fraudstream.core.kafka import producer
from fraudstream.core.settings import Settings
from fraudstream.core.topics import MAX_EVENT_BYTES, TRANSACTIONS

_SEND_SECONDS = 10

log = structlog.get_logger(__name__)


class Replay:
    """Sends one event at a time; the connection is made at the first one and kept."""

    def __init__(self, settings: Settings, connect: Callable[[Settings], Any] | None = None) -> None:
        self._settings = settings
        self._connect = connect or (lambda settings: producer(settings, max_block_ms=_SEND_SECONDS * 1000))
        self._sender: Any = None
        self._lock = threading.Lock()

    def send(self, rejected_id: str, value: bytes) -> str:
        """Check the event against the contract and send it; returns where it landed, ``topic/partition/offset``.

        Raises :class:`EventError` where it is still not valid, :class:`BrokerUnavailable` where Kafka does not take it.
        """
        event = parse_event(value)
        if len(value) > MAX_EVENT_BYTES:
            raise EventError(f"value: has {len(value):,} bytes, more than the {MAX_EVENT_BYTES:,} that a topic takes")
        with self._lock:
            try:
                self._sender = self._sender or self._connect(self._settings)
                sent = self._sender.send(TRANSACTIONS, key=str(event.id).encode(), value=value)
                landed = sent.get(timeout=_SEND_SECONDS)
            except KafkaError as error:
                raise BrokerUnavailable(
                    f"Kafka did not take the event ({type(error).__name__}: {str(error)[:200]}). Try again."
                ) from error
        place = f"{landed.topic}/{landed.partition}/{landed.offset}"
        log.info("replayed", rejected=rejected_id, transaction=event.id, place=place)
        return place
