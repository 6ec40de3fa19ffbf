"""The hub's MQTT endpoint: limits that no broker has, in front of the local hub's broker, over TLS.

An MQTT client has no other error than the end of its connection. What was not acknowledged before, it sends again.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import parse_qs, quote

from fraudstream.cloud.rehearsal.iothub import mqtt_packets as mqtt
from fraudstream.cloud.rehearsal.iothub.hub import IotHub
from fraudstream.cloud.rehearsal.net.listening import Listening
from fraudstream.cloud.rehearsal.net.unread import Unreadable, reading
from fraudstream.cloud.rules.iothub_limits import MOST_MESSAGE_BYTES

_TWIN_GET = "$iothub/twin/GET/"
_TWIN_PATCH = "$iothub/twin/PATCH/properties/reported/"
_CHUNK_BYTES = 64 * 1024
_TOO_MANY_REQUESTS = 429


class MqttGateway(Listening):
    """Listens with TLS, and passes packets on to the broker's plain port."""

    def __init__(self, hub: IotHub, broker_port: int) -> None:
        super().__init__()
        self.hub = hub
        self._broker_port = broker_port

    async def start(self, context: ssl.SSLContext, port: int) -> None:
        """Listen with TLS."""
        await self.listen(self._serve, context, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hub.figures.connections += 1
        behind: asyncio.StreamWriter | None = None
        try:
            behind_reader, behind = await asyncio.open_connection("127.0.0.1", self._broker_port)
            answers = asyncio.create_task(_copy(behind_reader, writer))
            requests = asyncio.create_task(self._requests(reader, writer, behind))
            try:
                done, _ = await asyncio.wait((answers, requests), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                answers.cancel()
                requests.cancel()
                await asyncio.gather(answers, requests, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError, Unreadable):
            pass  # the connection ended, or the unreadable packet was counted
        finally:
            if behind is not None:
                behind.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: asyncio.StreamWriter
    ) -> None:
        while True:
            try:
                packet = await mqtt.read_packet(reader)
            except ValueError as error:
                with reading("MQTT packet", self.hub.figures.unread):
                    raise error
            if packet.kind == mqtt.CONNECT and not await self._waited("IH003"):
                writer.write(mqtt.refused_connection())
                await writer.drain()
                return
            if packet.kind == mqtt.PUBLISH:
                with reading("MQTT publication", self.hub.figures.unread):
                    published = mqtt.publication(packet)
                if (rule := _twin_rule(published.topic)) is not None:
                    if not await self._waited(rule):
                        writer.write(_refused_request(published))
                        await writer.drain()
                        continue
                elif not await self._taken(published):
                    return
            behind.write(packet.raw)
            await behind.drain()

    async def _taken(self, published: mqtt.Publication) -> bool:
        """Whether the hub takes the message of a device, after it has waited; else its connection ends."""
        if not published.topic.startswith("devices/"):
            return True
        if published.size > MOST_MESSAGE_BYTES:
            self.hub.refuse("IH004")
            return False
        if not await self._waited("IH002") or not self.hub.charge(published.size):
            return False
        self.hub.figures.telemetry += 1
        return True

    async def _waited(self, rule: str) -> bool:
        seconds = self.hub.wait(rule)
        if seconds is None:
            return False
        if seconds:
            await asyncio.sleep(seconds)
        return True


def _twin_rule(topic: str) -> str | None:
    if topic.startswith(_TWIN_GET):
        return "IH006"
    return "IH007" if topic.startswith(_TWIN_PATCH) else None


def _refused_request(published: mqtt.Publication) -> bytes:
    """The answer about a twin that is not read or changed, and the acknowledgement of its question."""
    number = parse_qs(published.topic.partition("?")[2]).get("$rid", [""])[0]
    answer = mqtt.message(f"$iothub/twin/res/{_TOO_MANY_REQUESTS}/?$rid={quote(number[:32], safe='')}")
    return (mqtt.acknowledgement(published.number) if published.qos else b"") + answer


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
