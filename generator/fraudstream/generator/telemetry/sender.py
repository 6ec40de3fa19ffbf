"""Publishes records at QoS 1, each terminal over a connection of its own.

Records with one key go through one terminal, which keeps their order. What was not acknowledged when a connection ended
is sent again over the next one.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from typing import Any

from kafka.errors import MessageSizeTooLargeError, TopicAuthorizationFailedError
from paho.mqtt import client as mqtt

from fraudstream.core.access.hub_connection import connect, device_client
from fraudstream.core.configuration.settings import Settings
from fraudstream.generator.outcome import Outcome
from fraudstream.generator.pacing import Interruption
from fraudstream.generator.publish import Deliver, Result
from fraudstream.generator.telemetry.terminals import Terminal, registered

# The hub's limit for a message, of which its properties take a few bytes.
LARGEST_MESSAGE = 256 * 1024 - 64


def through_devices(settings: Settings, count: int, deliver_all: Deliver) -> Result:
    """Deliver through so many terminals until SIGINT or SIGTERM.

    Raises as :func:`fraudstream.generator.publish.publish` and :func:`registered` do.
    """
    sender = MqttProducer(registered(settings, count), settings.iot_hub_mqtt_url)
    try:
        with Interruption() as clock:
            return deliver_all(sender, clock)
    finally:
        sender.close()


class MqttProducer:
    """Takes records as a Kafka producer does, and sends them through terminals."""

    def __init__(self, terminals: Sequence[Terminal], url: str) -> None:
        """``url``: where they connect; empty for the hub's host with TLS."""
        self._lines = [_Line(terminal, url) for terminal in terminals]
        self._next = 0

    def send(self, topic: str, value: bytes, key: bytes | None) -> Outcome:  # noqa: ARG002 - the hub's own topic
        """Take a record; it is on its way when this returns. Raises what the hub would end the connection for."""
        if len(value) > LARGEST_MESSAGE:
            raise MessageSizeTooLargeError(f"{len(value)} bytes, and an IoT hub takes {LARGEST_MESSAGE}")
        if key is None:
            self._next += 1
        line = self._lines[(self._next if key is None else zlib.crc32(key)) % len(self._lines)]
        return line.publish(value)

    def renew(self) -> None:
        """Nothing that failed stays behind."""

    def close(self) -> None:
        """End all connections."""
        for line in self._lines:
            line.close()


class _Line:
    """One terminal's connection, with its thread."""

    def __init__(self, terminal: Terminal, url: str) -> None:
        self._terminal = terminal
        self._pending: dict[int, Outcome] = {}
        self._early: set[int] = set()
        self._lock = threading.Lock()
        client = device_client(terminal.host, terminal.device_id, terminal.password)
        client.on_connect = self._connected
        client.on_publish = self._acknowledged
        self._client = client
        connect(client, terminal.host, url)

    def publish(self, value: bytes) -> Outcome:
        delivery = Outcome()
        number = self._client.publish(self._terminal.topic, value, qos=1).mid
        with self._lock:
            # The acknowledgement may have been quicker than this thread.
            if number in self._early:
                self._early.discard(number)
                delivery.settle()
            else:
                self._pending[number] = delivery
        return delivery

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure or reason.getName() == "Server unavailable":
            return
        failure = TopicAuthorizationFailedError(f"the IoT hub refused {self._terminal.device_id}: {reason}")
        with self._lock:
            pending, self._pending = self._pending, {}
        for delivery in pending.values():
            delivery.settle(failure)

    def _acknowledged(self, _client: mqtt.Client, _data: Any, number: int, _reason: Any, _properties: Any) -> None:
        with self._lock:
            delivery = self._pending.pop(number, None)
            if delivery is None:
                self._early.add(number)
                return
        delivery.settle()
