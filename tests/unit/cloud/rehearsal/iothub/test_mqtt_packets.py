"""Packets are read from a stream byte by byte, however it is cut; what is none is told as such."""

from __future__ import annotations

import asyncio

import pytest

from fraudstream.cloud.rehearsal.iothub.mqtt_packets import Packet, message, publication, read_packet


def read(data: bytes) -> list[Packet]:
    async def packets() -> list[Packet]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        found = []
        while True:
            try:
                found.append(await read_packet(reader))
            except asyncio.IncompleteReadError:
                return found

    return asyncio.run(packets())


def published(topic: str, payload: bytes, qos: int) -> bytes:
    number = b"\0\7" if qos else b""
    body = len(topic).to_bytes(2, "big") + topic.encode() + number + payload
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest % 128 | 128)
        rest //= 128
    return bytes((0x30 | qos << 1,)) + bytes((*length, rest)) + body


@pytest.mark.parametrize("size", [0, 1, 118, 119, 16_000, 16_400, 262_144])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_publication_has_its_topic_number_and_size(size: int, qos: int) -> None:
    data = published("devices/till", b"x" * size, qos)
    (packet,) = read(data)
    assert packet.raw == data
    said = publication(packet)
    assert (said.topic, said.qos, said.number, said.size) == ("devices/till", qos, 7 if qos else 0, size)


def test_packets_follow_each_other() -> None:
    assert [packet.kind for packet in read(published("a", b"", 0) + b"\xc0\0" + published("b", b"", 1))] == [3, 12, 3]


def test_a_packet_that_is_cut_short_is_none() -> None:
    assert read(published("devices/till", b"xyz", 1)[:-1]) == []


def test_a_length_of_five_bytes_is_none() -> None:
    with pytest.raises(ValueError, match="four bytes"):
        read(b"\x10\xff\xff\xff\xff\x01")


@pytest.mark.parametrize("body", [b"", b"\0", b"\0\x09abc", b"\0\1a\0", b"\0\1\xff\0\1"])
def test_a_publication_without_its_parts_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|decode"):
        publication(Packet(0x32, body, b""))


def test_a_message_is_a_packet() -> None:
    (packet,) = read(message("$iothub/twin/res/429/?$rid=1"))
    assert publication(packet).topic == "$iothub/twin/res/429/?$rid=1"
