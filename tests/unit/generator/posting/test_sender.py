"""Posting: batches of what waits, each repeated until it is acknowledged, and one key's records in their order."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

import httpx
import orjson
import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from fraudstream.core.access.policies import policies
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.topics import HTTP_BATCH_TYPE
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.retry import Backoff
from fraudstream.generator.posting import sender as posting
from fraudstream.generator.posting.sender import HttpProducer
from fraudstream.generator.posting.target import Signatures, Target
from tests.azure import AZURE, CONNECTION_STRING, SAS_KEY

Answer = Callable[[httpx.Request], httpx.Response]


class Service:
    """Takes what is posted; ``answers`` are given one after the other, then 201."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.lock = threading.Lock()
        self.open = threading.Event()
        self.open.set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.open.wait(5)
        with self.lock:
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else httpx.Response(201)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def taken(self) -> list[str]:
        return [item["Body"] for request in self.requests for item in orjson.loads(request.content)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_BACKOFF", Backoff(0.001, 0.002))


@pytest.fixture
def producer() -> Iterator[Callable[..., HttpProducer]]:
    opened: list[HttpProducer] = []

    def make(service: Service, **options: float) -> HttpProducer:
        target = Target("http://ingest.test/", lambda hub: f"token for {hub}")
        opened.append(HttpProducer(target, transport=httpx.MockTransport(service), **options))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for one_of_them in opened:
        one_of_them.close()


def test_records_that_wait_go_together_with_their_keys(producer: Callable[..., HttpProducer]) -> None:
    service = Service()
    sender = producer(service, connections=1, batch_events=3)
    service.open.clear()
    deliveries = [sender.send("transactions", b"%d" % n, b"key") for n in range(8)]
    service.open.set()
    for delivery in deliveries:
        delivery.get(5)
    assert sorted(len(orjson.loads(request.content)) for request in service.requests)[-1] == 3
    assert service.taken == [str(n) for n in range(8)]
    request = service.requests[0]
    assert str(request.url) == "http://ingest.test/transactions/messages?api-version=2014-01&timeout=60"
    assert (request.headers["authorization"], request.headers["content-type"]) == (
        "token for transactions",
        HTTP_BATCH_TYPE,
    )
    assert orjson.loads(request.content)[0] == {"Body": "0", "BrokerProperties": {"PartitionKey": "key"}}


def test_bytes_that_are_no_text_go_alone_and_as_they_are(producer: Callable[..., HttpProducer]) -> None:
    service = Service()
    sender = producer(service, connections=1)
    for value, key in ((b"\xff", b"k"), (b"", None), (b"x", b"\xff")):
        sender.send("transactions", value, key).get(5)
    alone, empty, keyless = service.requests
    assert (alone.content, alone.headers["brokerproperties"]) == (b"\xff", '{"PartitionKey":"k"}')
    assert orjson.loads(empty.content) == [{"Body": ""}]
    assert orjson.loads(keyless.content) == [{"Body": "x"}]


@pytest.mark.parametrize(
    "passing",
    [httpx.Response(429), httpx.Response(503, headers={"Retry-After": "0"}), httpx.ConnectError("refused")],
)
def test_what_passes_is_tried_again_and_no_acknowledged_batch_is(
    producer: Callable[..., HttpProducer], passing: httpx.Response | Exception
) -> None:
    service = Service(passing, passing)
    sender = producer(service, connections=1)
    sender.send("transactions", b"1", b"k").get(5)
    sender.send("transactions", b"2", b"k").get(5)
    assert service.taken == ["1", "1", "1", "2"]


def test_one_keys_records_keep_their_order_over_many_connections(producer: Callable[..., HttpProducer]) -> None:
    service = Service(*(httpx.Response(503) for _ in range(20)))
    sender = producer(service, connections=4, batch_events=5)
    for delivery in [sender.send("transactions", b"%d/%d" % (n % 7, n), b"%d" % (n % 7)) for n in range(200)]:
        delivery.get(5)
    by_key: dict[str, list[int]] = defaultdict(list)
    for request in service.requests:
        for item in orjson.loads(request.content):
            key, _, number = item["Body"].partition("/")
            if int(number) not in by_key[key]:
                by_key[key].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert sum(map(len, by_key.values())) == 200


def test_a_refusal_is_told_and_not_repeated(producer: Callable[..., HttpProducer]) -> None:
    service = Service(httpx.Response(401, text="<Error><Code>401</Code><Detail>InvalidSignature: no.</Detail></Error>"))
    delivery = producer(service).send("transactions", b"1", None)
    with pytest.raises(TopicAuthorizationFailedError, match="InvalidSignature"):
        delivery.get(5)
    assert len(service.requests) == 1


def test_a_batch_that_is_too_large_is_halved_until_the_one_is_found(producer: Callable[..., HttpProducer]) -> None:
    class Strict(Service):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(413) if b"large" in request.content else super().__call__(request)

    service = Strict()
    sender = producer(service, connections=1)
    service.open.clear()
    first = sender.send("transactions", b"first", b"k")
    others = [sender.send("transactions", value, b"k") for value in (b"1", b"2", b"large", b"3")]
    service.open.set()
    first.get(5)
    with pytest.raises(MessageSizeTooLargeError):
        others[2].get(5)
    assert [others[n].get(5) for n in (0, 1, 3)] == [None] * 3
    assert service.taken == ["first", "1", "2", "3"]


def test_a_service_that_stays_away_is_given_up(producer: Callable[..., HttpProducer]) -> None:
    sender = producer(Service(*(httpx.Response(503) for _ in range(10_000))), patience=0.02)
    with pytest.raises(KafkaTimeoutError, match=r"http://ingest\.test did not take it: 503"):
        sender.send("transactions", b"1", None).get(5)


def test_a_token_is_used_until_shortly_before_it_expires() -> None:
    now = [1_000.0]
    signatures = Signatures(policies(CONNECTION_STRING)[0], lambda: now[0])
    first = signatures.authorization("transactions")
    now[0] += 3_200
    assert signatures.authorization("transactions") == first
    now[0] += 200
    assert signatures.authorization("transactions") != first
    assert signatures.authorization("labels") != signatures.authorization("transactions")
    assert SAS_KEY not in first


def test_in_azure_it_posts_to_the_namespace_of_the_connection_string() -> None:
    target = Target.of(load_settings(**AZURE), "", "transactions")
    assert target.address == "https://space.servicebus.windows.net"
    assert target.authorization("transactions").startswith(
        "SharedAccessSignature sr=space.servicebus.windows.net%2Ftransactions&sig="
    )


def test_here_it_posts_to_the_part_or_to_the_address_that_is_given() -> None:
    settings = load_settings(ingest_port=18088)
    assert Target.of(settings, "", "transactions").address == "http://127.0.0.1:18088"
    assert Target.of(settings, "https://ingest.example:8443/", "transactions").address == "https://ingest.example:8443"
    with pytest.raises(ConfigurationError, match="--url"):
        Target.of(load_settings(profile="azure", secrets_required=False), "", "transactions")
