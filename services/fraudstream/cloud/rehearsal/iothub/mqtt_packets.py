"""MQTT 3.1.1 as far as a hub's limits need it: the packets of one stream, and what a PUBLISH says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

CONNECT, PUBLISH = 1, 3
# The fixed header counts the rest in four bytes of seven bits each.
_MOST_LENGTH_BYTES = 4
_CONTINUES = 0x80
_SERVER_UNAVAILABLE = bytes((0x20, 2, 0, 3))


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its first byte, what follows the length, and all of it as it came."""

    head: int
    body: bytes
    raw: bytes

    @property
    def kind(self) -> int:
        """The packet's type."""
        return self.head >> 4


@dataclass(frozen=True, slots=True)
class Publication:
    """A PUBLISH: ``number`` is 0 at QoS 0; ``size`` the bytes of its payload."""

    topic: str
    qos: int
    number: int
    size: int


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    """The next packet. Raises :class:`asyncio.IncompleteReadError` at the end, ValueError for what is none."""
    header = await reader.readexactly(1)
    length, raw = 0, bytearray(header)
    for place in range(_MOST_LENGTH_BYTES):
        byte = (await reader.readexactly(1))[0]
        raw.append(byte)
        length |= (byte & ~_CONTINUES) << (7 * place)
        if not byte & _CONTINUES:
            break
    else:
        raise ValueError("a length of more than four bytes")
    body = await reader.readexactly(length)
    return Packet(header[0], body, bytes(raw) + body)


def publication(packet: Packet) -> Publication:
    """What a PUBLISH says. Raises ValueError for one that is cut short."""
    qos = packet.head >> 1 & 3
    end = 2 + int.from_bytes(packet.body[:2], "big")
    start = end + (2 if qos else 0)
    if len(packet.body) < start:
        raise ValueError("a PUBLISH that is cut short")
    number = int.from_bytes(packet.body[end:start], "big")
    return Publication(packet.body[2:end].decode("utf-8"), qos, number, len(packet.body) - start)


def acknowledgement(number: int) -> bytes:
    """A PUBACK."""
    return bytes((0x40, 2)) + number.to_bytes(2, "big")


def message(topic: str) -> bytes:
    """A PUBLISH at QoS 0 without payload, of less than 128 bytes."""
    name = topic.encode()
    return bytes((0x30, len(name) + 2)) + len(name).to_bytes(2, "big") + name


def refused_connection() -> bytes:
    """A CONNACK with which a client tries again later: server unavailable."""
    return _SERVER_UNAVAILABLE
