"""What the endpoints cannot read is counted and not passed over: it could hide that nothing was read."""

from __future__ import annotations

import socket
import struct

import pytest

from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.documents import client as documents
from fraudstream.core.kafka import clients as kafka
from fraudstream.runtime.supervise.process import await_condition
from tests.rehearsal.conftest import Cloud
from tests.rehearsal.raw_connection import Closed
from tests.rehearsal.raw_kafka import RawKafka

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(300)]


def test_what_our_clients_send_is_read_to_the_last_byte(cloud: Cloud) -> None:
    sender = kafka.producer(cloud.front)
    sender.send(TRANSACTIONS, value=b"{}").get(60)
    sender.close()
    documents.database(cloud.front)["alerts"].count_documents({})
    assert cloud.endpoints.gateway.figures.events_in >= 1
    assert cloud.endpoints.gateway.figures.unread == {}
    assert cloud.endpoints.cosmos.figures.unread == {}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (struct.pack(">i", 3) + b"abc", "Kafka request"),
        (struct.pack(">i", -1), "Kafka request"),
        (struct.pack(">ihhi", 40, 0, 7, 1) + b"\xff" * 32, "Kafka publication"),
        (struct.pack(">ihhi", 40, 11, 5, 1) + b"\xff" * 32, "Kafka group"),
        (struct.pack(">ihhi", 40, 36, 1, 1) + b"\xff" * 32, "Kafka sign-in"),
    ],
)
def test_garbage_in_kafkas_frames_is_counted(cloud: Cloud, sent: bytes, kind: str) -> None:
    figures = cloud.endpoints.gateway.figures
    before = figures.unread[kind]
    with RawKafka(cloud.ports.namespace, cloud.trust) as client:
        client.send(sent)
        with pytest.raises(Closed):
            client.read()
    assert await_condition(lambda: figures.unread[kind] == before + 1, 10)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (struct.pack("<iiii", 5, 1, 0, 2013), "MongoDB message"),
        (struct.pack("<iiii", 30, 1, 0, 2013) + b"\xff" * 14, "MongoDB message"),
        (struct.pack("<iiii", 30, 1, 0, 99) + b"\xff" * 14, "MongoDB message"),
    ],
)
def test_garbage_in_mongodbs_messages_is_counted(cloud: Cloud, sent: bytes, kind: str) -> None:
    figures = cloud.endpoints.cosmos.figures
    before = figures.unread[kind]
    plain = socket.create_connection(("localhost", cloud.ports.cosmos), 10)
    with cloud.trust.wrap_socket(plain, server_hostname="localhost") as client:
        client.sendall(sent)
        assert client.recv(100) == b""
    assert await_condition(lambda: figures.unread[kind] == before + 1, 10)
