"""Sending a rejected event again, corrected, to the topic it came from: at a reader's click, never by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable
from fraudstream.core.kafka import deliveries
from fraudstream.core.kafka.clients import producer
from fraudstream.core.kafka.resend import outgoing

log = structlog.get_logger(__name__)


class Replay:
    """Sends one event at a time, over a connection of its own: a reader does it now and then."""

    def __init__(self, settings: Settings, connect: Callable[[Settings], Any] | None = None) -> None:
        self._settings = settings
        self._connect = connect or (lambda settings: producer(settings, **deliveries.OPTIONS))

    def send(self, rejected_id: str, value: bytes) -> str:
        """Check the event against the contract and send it; returns where it landed, ``topic/partition/offset``.

        Raises :class:`EventError` where it is still not valid, :class:`BrokerUnavailable` where Kafka does not
        answer, :class:`BrokerRefused` where it does not take the event.
        """
        record = outgoing(rejected_id, rejected_id.split("/", 1)[0], value)
        answer = deliveries.send_each(lambda: self._connect(self._settings), [record])
        if record.name in answer.refused:
            told = f"Kafka did not take the event: {answer.refused[record.name]}."
            if record.name in answer.unanswered:
                raise BrokerUnavailable(f"{told} Look for it before you try again.")
            raise BrokerRefused(told)
        place = answer.places[record.name]
        log.info("replayed", rejected=rejected_id, place=place)
        return place
