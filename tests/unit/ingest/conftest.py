"""The application with a producer that tests answer for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from kafka.future import Future

from fraudstream.core.access import shared_access
from fraudstream.core.access.policies import policies
from fraudstream.core.contract.topics import VIA_HEADER
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.ingest.access.quota import Quota
from fraudstream.ingest.access.tokens import Gate
from fraudstream.ingest.app import Service, create_app
from fraudstream.ingest.hubs import Hubs
from fraudstream.ingest.sender import Sender
from tests.azure import SAS_KEY

STRING = f"Endpoint=sb://localhost/;SharedAccessKeyName=send;SharedAccessKey={SAS_KEY}"


@dataclass
class Producer:
    """Takes records as kafka-python's producer does; ``outcome``: what becomes of each, None: no answer yet."""

    outcome: Callable[[str, bytes], Any] | None = lambda topic, value: (topic, len(value))
    sent: list[tuple[str, bytes, bytes | None, list[tuple[str, bytes]], int | None]] = field(default_factory=list)
    waiting: list[Future] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    def send(self, topic: str, value: bytes, key: bytes | None, headers: Any, partition: int | None) -> Future:
        assert headers[-1] == (VIA_HEADER, b"http")
        self.sent.append((topic, value, key, headers[:-1], partition))
        future = Future()
        if self.outcome is None:
            self.waiting.append(future)
        else:
            outcome = self.outcome(topic, value)
            future.failure(outcome) if isinstance(outcome, Exception) else future.success(outcome)
        self.came.set()
        return future


@dataclass(frozen=True)
class Connection:
    """What stands between the service and the producer, another one after each failure."""

    send: Callable[..., Future]

    def close(self, timeout: float) -> None:
        pass


@dataclass
class Ingest:
    """A service under test: its client, and what stands in the place of the broker."""

    client: TestClient = field(init=False)
    producer: Producer = field(default_factory=Producer)
    topics: dict[str, frozenset[int]] = field(
        default_factory=lambda: {"transactions": frozenset({0, 1}), "labels": frozenset({0})}
    )
    connections: list[Connection] = field(default_factory=list)
    is_reachable: bool = True

    def connect(self) -> Connection:
        if not self.is_reachable:
            raise BrokerUnavailable("Kafka does not answer.")
        self.connections.append(Connection(self.producer.send))
        return self.connections[-1]

    def post(self, path: str = "/transactions/messages", content: bytes = b"{}", **headers: str) -> Any:
        hub = path.split("/")[1]
        authorization = shared_access.token(f"localhost/{hub}", SAS_KEY.encode(), 2**32, "send")
        given = {"Authorization": authorization} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(path, content=content, headers={name: text for name, text in given.items() if text})


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    ingest = Ingest()
    service = Service(
        Gate(policies(STRING), None, 300),
        Hubs(("transactions", "labels", "gone"), lambda topic: ingest.topics.get(topic, frozenset())),
        Quota(0),
        Sender(ingest.connect, 100, 2**21),
        5.0,
    )
    with TestClient(create_app(service), base_url="http://localhost") as client:
        ingest.client = client
        yield ingest
