"""MQTT 3.1.1 by hand: what a broker does with exactly this packet, without a client that connects again."""

from __future__ import annotations

from tests.rehearsal.raw_connection import RawConnection

PUBACK, PUBLISHED = 4, 3
_CONNECT, _PUBLISH_QOS_1, _SUBSCRIBE = 0x10, 0x32, 0x82


class RawMqtt(RawConnection):
    """A connection of one device."""

    def sign_in(self, device_id: str, password: str) -> int:
        """Connect as a device of `localhost`; the code of the CONNACK."""
        user = f"localhost/{device_id}/?api-version=2021-04-12"
        flags = bytes((4, 0b1100_0010)) + (60).to_bytes(2, "big")
        self.write(_CONNECT, b"".join((_text("MQTT"), flags, _text(device_id), _text(user), _text(password))))
        return self.read()[1][1]

    def subscribe(self, topic: str) -> None:
        """Subscribe at QoS 0, and wait for the answer."""
        self.write(_SUBSCRIBE, (1).to_bytes(2, "big") + _text(topic) + b"\0")
        self.read()

    def publish(self, topic: str, payload: bytes = b"{}") -> tuple[int, bytes]:
        """Publish at QoS 1; the next packet that comes: its type and its body. Raises :class:`Closed`."""
        self.write(_PUBLISH_QOS_1, _text(topic) + (1).to_bytes(2, "big") + payload)
        return self.read()

    def write(self, head: int, body: bytes) -> None:
        """Send a packet."""
        length, written = len(body), bytearray((head,))
        while length > 127:
            written.append(length % 128 | 128)
            length //= 128
        self.send(bytes(written) + bytes((length,)) + body)

    def read(self) -> tuple[int, bytes]:
        """The next packet. Raises :class:`Closed`."""
        head, length, place = self.exactly(1)[0], 0, 0
        while (byte := self.exactly(1)[0]) > 127:
            length |= (byte & 127) << place
            place += 7
        return head >> 4, self.exactly(length | byte << place)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded
