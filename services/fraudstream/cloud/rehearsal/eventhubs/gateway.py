"""The namespace's gateway: Event Hubs' rules that no Kafka broker enforces.

It ends the client's TLS, reads the frames, and passes them on over TLS to the real broker, which does the sign-in, the
authorization, the quotas in bytes and all the rest. In Azure too one address serves for all brokers.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from fraudstream.cloud.rehearsal.eventhubs import kafka_frames as frames
from fraudstream.cloud.rehearsal.eventhubs.namespace import Namespace
from fraudstream.cloud.rehearsal.net.listening import Listening
from fraudstream.cloud.rehearsal.net.rate import Rate
from fraudstream.cloud.rehearsal.net.unread import Unreadable, reading
from fraudstream.cloud.rules.quotas import MOST_GROUP_ID_CHARACTERS, MOST_REQUEST_BYTES, TIERS, UNIT_INGRESS_EVENTS
from fraudstream.core.configuration.connection_strings import parse_event_hubs
from fraudstream.core.contract.topics import TRANSACTIONS

_TOPIC_AUTHORIZATION_FAILED = 29
_INVALID_GROUP_ID = 24
_UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
_POLICY_VIOLATION = 44


@dataclass(slots=True)
class NamespaceFigures:
    """The gateway's counts: ``refusals`` by rule, ``unread`` frames by kind, delays in milliseconds.

    ``producer_…`` are the delays of the topic `transactions` alone.
    """

    events_in: int = 0
    bytes_in: int = 0
    delayed_requests: int = 0
    delayed_ms: float = 0.0
    producer_delays: int = 0
    producer_delayed_ms: float = 0.0
    most_events_per_second: float = 0.0
    most_bytes_per_second: float = 0.0
    connections: int = 0
    idle_cuts: int = 0
    groups: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


class Meter:
    """The largest amount in one second."""

    def __init__(self) -> None:
        self._second = 0
        self._amount = 0.0
        self.most = 0.0

    def add(self, amount: float) -> None:
        """Count an amount for this second."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._amount = second, 0.0
        self._amount += amount
        self.most = max(self.most, self._amount)


class Gateway(Listening):
    """Listens on a port for each kind of sign-in, and passes frames on to the broker's listeners."""

    def __init__(self, namespace: Namespace, behind: ssl.SSLContext) -> None:
        super().__init__()
        self.namespace = namespace
        self.figures = NamespaceFigures()
        self.rate = Rate(namespace.units * UNIT_INGRESS_EVENTS)
        # The connection strings that sign in now. The broker gets any other one unchanged, and refuses it.
        self.accepted: list[str] = [namespace.connection_string]
        self._behind = behind
        self._events = Meter()
        self._bytes = Meter()

    async def start(self, context: ssl.SSLContext) -> None:
        """Listen with TLS on the namespace's two ports."""
        ports = (
            (self.namespace.gateway_port, self.namespace.plain_port),
            (self.namespace.gateway_tokens_port, self.namespace.tokens_port),
        )
        for port, broker in ports:
            await self.listen(partial(self._serve, broker), context, port)

    def count(self, events: int, size: int) -> None:
        """Count a produce request."""
        self.figures.events_in += events
        self.figures.bytes_in += size
        self._events.add(events)
        self._bytes.add(size)
        self.figures.most_events_per_second = self._events.most
        self.figures.most_bytes_per_second = self._bytes.most

    async def _serve(self, broker: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.figures.connections += 1
        if len(self._connections) > TIERS[self.namespace.tier].connections:
            return
        behind: asyncio.StreamWriter | None = None
        try:
            behind_reader, behind = await asyncio.open_connection(
                "127.0.0.1", broker, ssl=self._behind, server_hostname="localhost"
            )
            await _Passage(self, reader, writer, behind_reader, behind).run()
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, Unreadable):
            pass  # the connection ended, or the unreadable frame was counted
        finally:
            if behind is not None:
                behind.close()


class _Passage:
    """One client's connection, and the connection to the broker for it."""

    def __init__(
        self,
        gateway: Gateway,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behind_reader: asyncio.StreamReader,
        behind: asyncio.StreamWriter,
    ) -> None:
        self._gateway = gateway
        self._reader, self._writer = reader, writer
        self._behind_reader, self._behind = behind_reader, behind
        self._active_at = time.monotonic()
        self._delays: dict[int, tuple[int, int]] = {}
        self._only_hub = ""

    async def run(self) -> None:
        """Pass frames on until either side ends the connection, or until it is idle for too long."""
        tasks = [asyncio.create_task(coroutine) for coroutine in (self._requests(), self._answers(), self._idle())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self) -> None:
        while True:
            size = struct.unpack(">i", await self._reader.readexactly(4))[0]
            if size > MOST_REQUEST_BYTES:
                self._refuse("EH011")
                return
            with self._reading("request"):
                if size < frames.LEAST_FRAME_BYTES:
                    raise ValueError(f"a frame of {size} bytes")
            body = await self._reader.readexactly(size)
            with self._reading("request"):
                frame = frames.read_frame(body)
            self._active_at = time.monotonic()
            answer, frame = await self._checked(frame)
            if answer is not None:
                self._writer.write(answer)
                await self._writer.drain()
                continue
            self._behind.write(struct.pack(">i", len(frame.body)) + frame.body)
            await self._behind.drain()

    async def _answers(self) -> None:
        while True:
            size = struct.unpack(">i", await self._behind_reader.readexactly(4))[0]
            body = await self._behind_reader.readexactly(size)
            self._active_at = time.monotonic()
            delayed = self._delays.pop(int.from_bytes(body[:4], "big", signed=True), None)
            framed = struct.pack(">i", size) + body
            if delayed is not None:
                with self._reading("answer"):
                    framed = frames.delayed_answer(body, *delayed)
            self._writer.write(framed)
            await self._writer.drain()

    async def _idle(self) -> None:
        limit = self._gateway.namespace.idle_seconds
        while (seconds := self._active_at + limit - time.monotonic()) > 0:
            await asyncio.sleep(seconds)
        self._gateway.figures.idle_cuts += 1

    async def _checked(self, frame: frames.Frame) -> tuple[bytes | None, frames.Frame]:
        """The gateway's own answer (None: pass the frame on), and the frame."""
        if frame.api == frames.PRODUCE:
            return await self._published(frame), frame
        if frame.api == frames.SASL_AUTHENTICATE:
            with self._reading("sign-in"):
                return None, self._signed_in(frame)
        with self._reading("group"):
            group = frames.group_of(frame)
            return (None if group is None else self._grouped(frame, group)), frame

    async def _published(self, frame: frames.Frame) -> bytes | None:
        gateway, namespace = self._gateway, self._gateway.namespace
        tier = TIERS[namespace.tier]
        with self._reading("publication"):
            publication = frames.publication(frame)
        foreign = self._only_hub and set(publication.topics) != {self._only_hub}
        if not tier.kafka or foreign:
            self._refuse("EH008" if foreign else "EH010")
            text = "Not authorized to access topics: [Topic authorization failed.]"
            return frames.refused_publication(frame, publication, _TOPIC_AUTHORIZATION_FAILED, text)
        if not publication.codecs <= {"none", *tier.compression}:
            self._refuse("EH013")
            text = "The message format version on the broker does not support the request."
            return frames.refused_publication(frame, publication, _UNSUPPORTED_FOR_MESSAGE_FORMAT, text)
        delay = gateway.rate.delay(publication.records)
        gateway.count(publication.records, len(frame.body))
        if delay * 1000 > publication.timeout_ms:
            self._refuse("EH016")
            text = "The request was throttled for longer than its timeout."
            return frames.refused_publication(frame, publication, _POLICY_VIOLATION, text)
        if delay > 0.001:
            gateway.figures.delayed_requests += 1
            gateway.figures.delayed_ms += delay * 1000
            if TRANSACTIONS in publication.topics:
                gateway.figures.producer_delays += 1
                gateway.figures.producer_delayed_ms += delay * 1000
            self._delays[frame.correlation] = (frame.version, round(delay * 1000))
            await asyncio.sleep(delay)
        return None

    def _grouped(self, frame: frames.Frame, group: str) -> bytes | None:
        groups = self._gateway.figures.groups
        if len(group) > MOST_GROUP_ID_CHARACTERS:
            self._refuse("EH025")
            return frames.refused_group(frame, _INVALID_GROUP_ID)
        if group not in groups and len(groups) >= TIERS[self._gateway.namespace.tier].consumer_groups:
            self._refuse("EH019")
            return frames.refused_group(frame, _POLICY_VIOLATION)
        groups.add(group)
        return None

    def _signed_in(self, frame: frames.Frame) -> frames.Frame:
        """Note the hub of the EntityPath, and sign in at the broker with the one string that it accepts."""
        from kafka.protocol.sasl import SaslAuthenticateRequest

        request = SaslAuthenticateRequest.decode(frame.body, version=frame.version, header=True)
        parts = bytes(request.auth_bytes).split(b"\0")
        if len(parts) != 3:
            return frame
        password = parts[2].decode("utf-8", "replace")
        connection_string = password.partition(";EntityPath=")[0]
        self._only_hub = parse_event_hubs(password).entity_path
        if connection_string not in self._gateway.accepted:
            return frame
        request.auth_bytes = b"\0".join([*parts[:2], self._gateway.namespace.connection_string.encode()])
        body = bytes(request.encode(version=frame.version, header=True))
        return frames.Frame(frame.api, frame.version, frame.correlation, body)

    def _reading(self, what: str) -> AbstractContextManager[None]:
        return reading(f"Kafka {what}", self._gateway.figures.unread)

    def _refuse(self, rule: str) -> None:
        self._gateway.figures.refusals[rule] += 1
