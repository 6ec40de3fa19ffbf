"""Every rule of Event Hubs, broken on purpose: the namespace refuses it with the service's own code."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from kafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse
from kafka.protocol.consumer import (
    JoinGroupRequest,
    JoinGroupResponse,
    OffsetCommitRequest,
    OffsetCommitResponse,
)
from kafka.protocol.metadata import (
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    MetadataRequest,
    MetadataResponse,
)
from kafka.protocol.producer import InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse
from kafka.record.memory_records import MemoryRecordsBuilder

from fraudstream.cloud.rehearsal.eventhubs.namespace import USER
from fraudstream.cloud.rules.quotas import MOST_REQUEST_BYTES, TIERS
from fraudstream.cloud.rules.table import rules
from fraudstream.core.contract.topics import DAY_MS, SCORED, TOPICS, TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.kafka.oauth import TokenProvider
from fraudstream.runtime.supervise.process import await_condition
from tests.rehearsal.conftest import IDLE_SECONDS, Cloud
from tests.rehearsal.raw_connection import Closed
from tests.rehearsal.raw_kafka import RawKafka

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

_CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3}
CLOSES = -1
NOBODY_LISTENS = -2
CONTROL_PLANE = 400


def batch(value: bytes, codec: str = "none") -> bytes:
    builder = MemoryRecordsBuilder(magic=2, compression_type=_CODECS[codec], batch_size=2**22)
    builder.append(timestamp=1, key=None, value=value)
    builder.close()
    return bytes(builder.buffer())


def produce(connection: RawKafka, records: bytes, topic: str = TRANSACTIONS, timeout_ms: int = 30_000) -> int:
    data = ProduceRequest.TopicProduceData
    request = ProduceRequest(
        version=9,
        transactional_id=None,
        acks=-1,
        timeout_ms=timeout_ms,
        topic_data=[data(name=topic, partition_data=[data.PartitionProduceData(index=0, records=records)])],
    )
    answer = connection.ask(request, ProduceResponse, 9)
    return int(answer.responses[0].partition_responses[0].error_code)


def join(connection: RawKafka, group: str, session_timeout_ms: int = 30_000) -> int:
    protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")
    request = JoinGroupRequest(
        version=3,
        group_id=group,
        session_timeout_ms=session_timeout_ms,
        rebalance_timeout_ms=30_000,
        member_id="",
        protocol_type="consumer",
        protocols=[protocol],
    )
    find_coordinator(connection, group)
    return int(connection.ask(request, JoinGroupResponse, 3).error_code)


def find_coordinator(connection: RawKafka, group: str) -> None:
    """A broker that has just started makes the topic of offsets when somebody asks for the first coordinator."""
    request = FindCoordinatorRequest(version=2, key=group, key_type=0)
    assert await_condition(lambda: connection.ask(request, FindCoordinatorResponse, 2).error_code != 15, 30)


def commit(connection: RawKafka, group: str, metadata: str) -> int:
    topic = OffsetCommitRequest.OffsetCommitRequestTopic
    part = topic.OffsetCommitRequestPartition
    request = OffsetCommitRequest(
        version=6,
        group_id=group,
        generation_id_or_member_epoch=-1,
        member_id="",
        topics=[
            topic(
                name=TRANSACTIONS,
                partitions=[
                    part(partition_index=0, committed_offset=1, committed_leader_epoch=-1, committed_metadata=metadata)
                ],
            )
        ],
    )
    find_coordinator(connection, group)
    return int(connection.ask(request, OffsetCommitResponse, 6).topics[0].partitions[0].error_code)


def create(connection: RawKafka) -> int:
    topic = CreateTopicsRequest.CreatableTopic(
        name="made-by-a-client", num_partitions=1, replication_factor=1, assignments=[], configs=[]
    )
    request = CreateTopicsRequest(version=5, topics=[topic], timeout_ms=5_000, validate_only=False)
    return int(connection.ask(request, CreateTopicsResponse, 5).topics[0].error_code)


def unknown_topic(connection: RawKafka) -> int:
    topic = MetadataRequest.MetadataRequestTopic(name="no-such-hub")
    request = MetadataRequest(version=4, topics=[topic], allow_auto_topic_creation=True)
    return int(connection.ask(request, MetadataResponse, 4).topics[0].error_code)


def transaction(connection: RawKafka) -> int:
    request = InitProducerIdRequest(version=1, transactional_id="one", transaction_timeout_ms=5_000)
    return int(connection.ask(request, InitProducerIdResponse, 1).error_code)


class Client:
    """Connections as the services make them, and as they would with one mistake."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.string = cloud.front.kafka_sasl_password.get_secret_value()

    def connect(self) -> RawKafka:
        return RawKafka(self.cloud.ports.namespace, self.cloud.trust)

    def signed_in(self, suffix: str = "") -> RawKafka:
        connection = self.connect()
        assert connection.sign_in(USER, self.string + suffix) == 0
        return connection

    def login(self, user: str, password: str) -> int:
        with self.connect() as connection:
            return connection.sign_in(user, password)


def plaintext(client: Client) -> int:
    with RawKafka(client.cloud.ports.namespace, None) as connection:
        request = MetadataRequest(version=4, topics=[], allow_auto_topic_creation=False)
        try:
            connection.ask(request, MetadataResponse, 4)
        except Closed:
            return CLOSES
    return 0


def scram(client: Client) -> int:
    with client.connect() as connection:
        return connection.handshake("SCRAM-SHA-256")


def wrong_port(client: Client) -> int:
    try:
        RawKafka(1, client.cloud.trust)
    except ConnectionRefusedError:
        return NOBODY_LISTENS
    return 0


def basic_tier(client: Client) -> int:
    namespace = client.cloud.endpoints.namespace
    with client.signed_in() as connection:
        namespace.tier = "Basic"
        try:
            return produce(connection, batch(b"x"))
        finally:
            namespace.tier = "Standard"


def large_request(client: Client) -> int:
    with client.signed_in() as connection:
        try:
            return produce(connection, batch(b"x" * (MOST_REQUEST_BYTES + 1)))
        except Closed:
            return CLOSES


def large_batch(client: Client) -> int:
    """A batch over the tier's publication size inside a request that still passes: Basic's 256 KB make room for it."""
    control = client.cloud.endpoints.control_plane
    with control.admin() as admin:
        from kafka.admin import ConfigResource, ConfigResourceType

        def limit(size: int) -> None:
            config = {"max.message.bytes": str(size)}
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, SCORED, configs=config)])

        limit(TIERS["Basic"].publication_bytes)
        try:
            with client.signed_in() as connection:
                return produce(connection, batch(b"x" * 300 * 1024), SCORED)
        finally:
            limit(TIERS["Standard"].publication_bytes)


def compressed(client: Client) -> int:
    with client.signed_in() as connection:
        return produce(connection, batch(b"x" * 1_000, "gzip"))


def idle(client: Client) -> int:
    with client.signed_in() as connection:
        began = time.monotonic()
        try:
            connection.read()
        except Closed:
            assert time.monotonic() - began == pytest.approx(IDLE_SECONDS, abs=3)
            return CLOSES
    return 0


def throttled_beyond_its_timeout(client: Client) -> int:
    rate = client.cloud.endpoints.gateway.rate
    with client.signed_in() as connection:
        rate.delay(5_000)
        try:
            return produce(connection, batch(b"x"), timeout_ms=1_000)
        finally:
            rate.delay(-5_000)


def too_many_groups(client: Client) -> int:
    figures = client.cloud.endpoints.gateway.figures
    before = set(figures.groups)
    figures.groups |= {f"group-{number}" for number in range(TIERS["Standard"].consumer_groups)}
    try:
        with client.signed_in() as connection:
            return join(connection, "one-too-many")
    finally:
        figures.groups = before


def deployed(client: Client, **changes: int) -> int:
    hubs = [replace(topic, **changes) for topic in TOPICS]  # type: ignore[arg-type]
    return refused_deployment(client, hubs, 4)


def refused_deployment(client: Client, hubs: list[object], partitions: int) -> int:
    try:
        client.cloud.endpoints.control_plane.deploy(hubs, partitions)  # type: ignore[arg-type]
    except ConfigurationError as error:
        return int(str(error).split(" ", 1)[0])
    return 0


def foreign_token(client: Client) -> int:
    token, _ = client.cloud.endpoints.identity.token("https://other.servicebus.windows.net")
    with RawKafka(client.cloud.ports.tokens, client.cloud.trust) as connection:
        return connection.sign_in_with_token(token)


def on(work: Callable[[RawKafka], int], suffix: str = "") -> Callable[[Client], int]:
    def violate(client: Client) -> int:
        with client.signed_in(suffix) as connection:
            return work(connection)

    return violate


VIOLATIONS: list[tuple[str, Callable[[Client], int], int]] = [
    ("EH001", plaintext, CLOSES),
    ("EH002", scram, 33),
    ("EH003", lambda client: client.login("fraudstream-services", client.string), 58),
    ("EH004", lambda client: client.login(USER, "SharedAccessSignature sr=x&sig=y&se=1"), 58),
    ("EH005", lambda client: client.login(USER, client.string[:-5]), 58),
    ("EH006", wrong_port, NOBODY_LISTENS),
    ("EH007", lambda client: client.login(USER, client.string.replace("services", "send")), 58),
    ("EH008", on(lambda connection: produce(connection, batch(b"x")), ";EntityPath=scored"), 29),
    ("EH009", lambda client: client.login(USER, client.string.replace("localhost", "other")), 58),
    ("EH010", basic_tier, 29),
    ("EH011", large_request, CLOSES),
    ("EH012", large_batch, 10),
    ("EH013", compressed, 43),
    ("EH014", idle, CLOSES),
    ("EH015", idle, CLOSES),
    ("EH016", throttled_beyond_its_timeout, 44),
    ("EH017", lambda client: refused_deployment(client, list(TOPICS), 33), CONTROL_PLANE),
    ("EH018", lambda client: refused_deployment(client, list(TOPICS) * 3, 4), CONTROL_PLANE),
    ("EH019", too_many_groups, 44),
    ("EH020", on(create), 29),
    ("EH021", lambda client: deployed(client, retention_ms=8 * DAY_MS), CONTROL_PLANE),
    ("EH022", on(transaction), 53),
    ("EH023", on(lambda connection: join(connection, "one", session_timeout_ms=1_000)), 26),
    ("EH024", on(lambda connection: commit(connection, "one", "m" * 2_000)), 12),
    ("EH025", on(lambda connection: join(connection, "g" * 300)), 24),
    ("EH026", on(unknown_topic), 3),
    ("EH028", foreign_token, 58),
]


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> Client:
    return Client(cloud)


def test_every_rule_with_an_answer_is_tried() -> None:
    enforced = {rule.id for rule in rules().values() if rule.service == "event hubs" and rule.answer}
    assert {rule for rule, _, _ in VIOLATIONS} == enforced


@pytest.mark.parametrize(("rule", "violate", "code"), VIOLATIONS, ids=[rule for rule, _, _ in VIOLATIONS])
@pytest.mark.parity("rules of Event Hubs", "rehearsal")
def test_a_violation_is_refused(client: Client, rule: str, violate: Callable[[Client], int], code: int) -> None:
    assert violate(client) == code
    announced = rules()[rule].answer
    if code > 0:
        assert announced.startswith(str(code))
    else:
        assert announced.startswith({CLOSES: "closes", NOBODY_LISTENS: "nothing listens"}[code])


def test_what_keeps_the_rules_passes(client: Client) -> None:
    with client.signed_in() as connection:
        assert produce(connection, batch(b"x")) == 0
        assert join(connection, "one") == 0
        assert commit(connection, "two", "") == 0
    with client.signed_in(";EntityPath=transactions") as connection:
        assert produce(connection, batch(b"x")) == 0


@pytest.mark.parity("topics from one table", "rehearsal")
def test_the_services_own_clients_work(cloud: Cloud) -> None:
    sender = kafka.producer(cloud.front)
    stamped = sender.send(SCORED, value=b"x").get(timeout=60)
    sender.close()
    reader = kafka.consumer(cloud.front, SCORED, group_id="services", consumer_timeout_ms=30_000)
    assert any(record.offset == stamped.offset for record in [next(reader)]) or stamped.offset > 0
    reader.close()


@pytest.mark.parity("sign-in with a connection string or an identity", "rehearsal")
def test_a_managed_identity_signs_in(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity itself asks for the token, at the address that Container Apps would give it."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.ports.identity}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", cloud.keys.identity_header)
    settings = cloud.front_with(
        kafka_bootstrap_servers=f"localhost:{cloud.ports.tokens}",
        kafka_sasl_mechanism="OAUTHBEARER",
        kafka_sasl_password="",
        kafka_oauth_scope="https://localhost.servicebus.windows.net/.default",
    )
    issued = cloud.endpoints.identity.issued
    sender = kafka.producer(settings)
    assert sender.send(TRANSACTIONS, value=b"x").get(timeout=60).topic == TRANSACTIONS
    sender.close()
    assert cloud.endpoints.identity.issued > issued
    assert isinstance(kafka.client_options(settings)["sasl_oauth_token_provider"], TokenProvider)


def test_throughput_is_delayed_and_nothing_is_lost(cloud: Cloud) -> None:
    figures = cloud.endpoints.gateway.figures
    delayed = figures.delayed_requests
    began = time.monotonic()
    sender = kafka.producer(cloud.front)
    sent = [sender.send(SCORED, value=b"x" * 100) for _ in range(4_000)]
    sender.flush()
    assert all(delivery.get(timeout=60).offset >= 0 for delivery in sent)
    sender.close()
    # One unit: a thousand events a second, of which the first thousand may come at once.
    assert time.monotonic() - began > 2.5
    assert figures.delayed_requests > delayed


def test_a_regenerated_key_leaves_open_connections_alone(cloud: Cloud, client: Client) -> None:
    with client.signed_in() as connection:
        old = client.string
        cloud.endpoints.accept_second_keys()
        cloud.endpoints.revoke_first_keys()
        client.string = cloud.endpoints.namespace.connection_string
        assert produce(connection, batch(b"x")) == 0
    assert client.login(USER, old) == 58
    assert client.login(USER, client.string) == 0
