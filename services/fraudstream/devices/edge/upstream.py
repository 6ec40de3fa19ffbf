"""A child's connection to the hub, which its edge device keeps for it and signs with its own key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from paho.mqtt import client as mqtt

from fraudstream.core.access.hub_connection import MOST_IN_FLIGHT, connect, device_client
from fraudstream.core.access.iot_hub import token
from fraudstream.devices.edge.outbox import Outbox

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Signer:
    """The edge device that signs: the hub's name for itself, where it is, and the edge's own id and key."""

    host: str
    url: str
    device_id: str
    key: str = field(repr=False)

    def token(self) -> str:
        """A token for an hour."""
        return token(f"{self.host}/devices/{self.device_id}", self.key)


class Upstream:
    """One child's connection. Its methods are called in the event loop's thread; the client has one of its own."""

    def __init__(
        self, signer: Signer, device_id: str, outbox: Outbox, on_message: Callable[[str, mqtt.MQTTMessage], None]
    ) -> None:
        """``on_message`` gets, in the event loop's thread, what the hub sends to the child."""
        self._signer = signer
        self._device_id = device_id
        self._outbox = outbox
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._filters: dict[str, int] = {}
        self._in_flight: dict[int, int] = {}
        self._last = 0
        self._connected = False
        self._client = self._make_client()

    @property
    def is_idle(self) -> bool:
        """Nothing of the child's waits for the hub's acknowledgement."""
        return not self._in_flight and not self._outbox.next(self._device_id, self._last, 1)

    def start(self) -> None:
        """Connect, and again whenever the connection ends."""
        connect(self._client, self._signer.host, self._signer.url)

    def stop(self) -> None:
        """End the connection in order."""
        self._connected = False
        self._client.disconnect()
        self._client.loop_stop()

    def forward(self) -> None:
        """Send what waits, as far as the hub keeps up."""
        if not self._connected:
            return
        room = MOST_IN_FLIGHT - len(self._in_flight)
        for message in self._outbox.next(self._device_id, self._last, max(0, room)):
            sent = self._client.publish(message.topic, message.body, qos=1)
            self._in_flight[sent.mid] = message.sequence
            self._last = message.sequence

    def request(self, topic: str, body: bytes) -> None:
        """Pass a request of the child on; not while the hub is away, when nobody would answer."""
        if self._connected:
            self._client.publish(topic, body, qos=0)

    def subscribe(self, filters: list[str]) -> None:
        """Have the hub send what the child has subscribed to."""
        new = {name: 1 for name in filters if name not in self._filters}
        self._filters |= new
        if self._connected and new:
            self._client.subscribe(list(new.items()))

    def acknowledge(self, number: int) -> None:
        """The child has a message of the hub's."""
        self._client.ack(number, 1)

    def _make_client(self) -> mqtt.Client:
        signer = self._signer
        client = device_client(signer.host, self._device_id, signer.token, clean_session=False, manual_ack=True)
        client.on_connect = self._handle_connect
        client.on_disconnect = self._handle_disconnect
        client.on_publish = self._handle_publish
        client.on_message = self._handle_message
        return client

    # These run in the client's thread.

    def _handle_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("hub_refused", device=self._device_id, reason=str(reason))
            return
        if self._filters:
            client.subscribe(list(self._filters.items()))
        self._loop.call_soon_threadsafe(self._settle)

    def _handle_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._lost, str(reason))

    def _handle_publish(self, _client: mqtt.Client, _data: Any, number: int, _reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._acknowledged, number)

    def _handle_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._on_message, self._device_id, message)

    # And these again in the event loop's.

    def _settle(self) -> None:
        self._connected = True
        self.forward()

    def _lost(self, reason: str) -> None:
        if self._connected:
            log.warning("hub_away", device=self._device_id, reason=reason)
        self._connected = False

    def _acknowledged(self, number: int) -> None:
        sequence = self._in_flight.pop(number, None)
        if sequence is not None:
            self._outbox.remove(sequence)
        self.forward()
