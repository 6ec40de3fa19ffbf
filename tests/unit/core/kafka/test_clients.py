"""Kafka connections: the same settings give kafka-python and Spark the same connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError, TopicAlreadyExistsError
from kafka.record._crc32c import crc as crc_in_python
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.topics import TOPICS
from fraudstream.core.errors import BrokerUnavailable, ConfigurationError
from fraudstream.core.kafka import clients as kafka

CONNECTION_STRING = "Endpoint=sb://space.servicebus.windows.net/;SharedAccessKeyName=app;SharedAccessKey=aGVsbG8="
JAAS = "org.apache.kafka.common.security"


def event_hubs(**overrides: Any) -> Settings:
    values = {
        "profile": "azure",
        "kafka_bootstrap_servers": "space.servicebus.windows.net:9093",
        "kafka_sasl_password": CONNECTION_STRING,
    }
    return load_settings(**(values | overrides))


def test_a_plain_connection_carries_no_credentials() -> None:
    assert kafka.client_options(load_settings()) == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
        "metadata_max_age_ms": 180_000,
        "connections_max_idle_ms": 180_000,
        "request_timeout_ms": 60_000,
    }
    assert kafka.spark_options(load_settings()) == {
        "kafka.bootstrap.servers": "127.0.0.1:9092",
        "kafka.security.protocol": "PLAINTEXT",
        "kafka.metadata.max.age.ms": "180000",
        "kafka.connections.max.idle.ms": "180000",
        "kafka.request.timeout.ms": "60000",
    }


def test_event_hubs_takes_the_connection_string_as_password() -> None:
    client = kafka.client_options(event_hubs())
    assert client["bootstrap_servers"] == ["space.servicebus.windows.net:9093"]
    assert client["security_protocol"] == "SASL_SSL"
    assert client["sasl_mechanism"] == "PLAIN"
    assert client["sasl_plain_username"] == "$ConnectionString"
    assert client["sasl_plain_password"] == CONNECTION_STRING
    spark = kafka.spark_options(event_hubs())
    assert spark["kafka.security.protocol"] == "SASL_SSL"
    assert spark["kafka.sasl.mechanism"] == "PLAIN"
    assert spark["kafka.sasl.jaas.config"] == (
        f'{JAAS}.plain.PlainLoginModule required username="$ConnectionString" password="{CONNECTION_STRING}";'
    )


@pytest.mark.parametrize("settings", [load_settings, event_hubs], ids=["plain", "event hubs"])
def test_both_clients_agree(settings: Any) -> None:
    client, spark = kafka.client_options(settings()), kafka.spark_options(settings())
    assert ",".join(client["bootstrap_servers"]) == spark["kafka.bootstrap.servers"]
    for option in ("security_protocol", "metadata_max_age_ms", "connections_max_idle_ms", "request_timeout_ms"):
        assert str(client[option]) == spark["kafka." + option.replace("_", ".")]
    assert client.get("sasl_mechanism") == spark.get("kafka.sasl.mechanism")


def test_idle_connections_are_given_up_before_the_cloud_cuts_them() -> None:
    client = kafka.client_options(event_hubs())
    assert client["connections_max_idle_ms"] < 240_000
    assert client["metadata_max_age_ms"] < 240_000
    assert client["request_timeout_ms"] > 20_000


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_has_its_own_login_module(mechanism: str) -> None:
    settings = event_hubs(kafka_sasl_mechanism=mechanism, kafka_sasl_username="user", kafka_sasl_password="word")
    assert kafka.spark_options(settings)["kafka.sasl.jaas.config"] == (
        f'{JAAS}.scram.ScramLoginModule required username="user" password="word";'
    )


def test_quotes_and_backslashes_in_a_password_stay_inside_it() -> None:
    jaas = kafka.spark_options(event_hubs(kafka_sasl_password='a"b\\c'))["kafka.sasl.jaas.config"]
    assert jaas.endswith(r'password="a\"b\\c";')


def test_several_brokers_may_be_written_with_spaces() -> None:
    settings = load_settings(kafka_bootstrap_servers="one:1, two:2,")
    assert kafka.client_options(settings)["bootstrap_servers"] == ["one:1", "two:2"]
    assert kafka.spark_options(settings)["kafka.bootstrap.servers"] == "one:1,two:2"


def test_own_certificates_reach_both_clients() -> None:
    settings = load_settings(kafka_security_protocol="SSL", kafka_ssl_cafile=Path("/certs/ca.pem"))
    assert kafka.client_options(settings)["ssl_cafile"] == "/certs/ca.pem"
    spark = kafka.spark_options(settings)
    assert (spark["kafka.ssl.truststore.type"], spark["kafka.ssl.truststore.location"]) == ("PEM", "/certs/ca.pem")


@pytest.mark.parametrize("options", [kafka.client_options, kafka.spark_options])
@pytest.mark.parametrize(
    "name", ["kafka_bootstrap_servers", "kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"]
)
def test_a_missing_value_is_named_and_the_password_is_not_shown(options: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^FRAUDSTREAM_{name.upper()} is empty") as caught:
        options(event_hubs(**{name: ""}))
    assert "aGVsbG8=" not in str(caught.value)


@pytest.mark.parametrize(
    ("client", "build"),
    [
        ("KafkaProducer", kafka.producer),
        ("KafkaConsumer", lambda settings: kafka.consumer(settings, "scored")),
        ("KafkaAdminClient", kafka.create_topics),
    ],
)
def test_a_broker_that_is_away_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, client: str, build: Any
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KafkaConnectionError("nobody listens")

    monkeypatch.setattr(kafka, client, fail)
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:9092 does not answer.*fraudstream up"):
        build(load_settings())


def test_a_producer_waits_for_all_replicas_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "KafkaProducer", lambda **options: options)
    built: Any = kafka.producer(load_settings(), linger_ms=0)
    assert (built["acks"], built["linger_ms"]) == ("all", 0)


def test_a_consumer_starts_at_the_beginning_and_commits_nothing_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "KafkaConsumer", lambda *topics, **options: (topics, options))
    topics, options = kafka.consumer(load_settings(), "scored", "labels", group_id="g")  # type: ignore[misc]
    assert topics == ("scored", "labels")
    assert (options["auto_offset_reset"], options["enable_auto_commit"], options["group_id"]) == (
        "earliest",
        False,
        "g",
    )


class FakeAdmin:
    """An admin client that has two topics, one of which it does not list yet."""

    def __init__(self, **_: Any) -> None:
        self.created: dict[str, Any] = {}
        self.closed = False

    def list_topics(self) -> list[str]:
        return ["transactions"]

    def create_topics(self, topics: dict[str, Any]) -> None:
        if "labels" in topics:
            raise TopicAlreadyExistsError
        self.created |= topics

    def close(self) -> None:
        self.closed = True


def test_only_missing_topics_are_created_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = FakeAdmin()
    monkeypatch.setattr(kafka, "KafkaAdminClient", lambda **_: admin)
    assert kafka.create_topics(load_settings(topic_partitions=3)) == ["scored", "alerts", "rejected", "monitoring"]
    configs = {topic.name: topic.broker_configs() for topic in TOPICS}
    assert admin.created == {
        name: {"num_partitions": 3, "replication_factor": 1, "configs": configs[name]}
        for name in ("scored", "alerts", "rejected", "monitoring")
    }
    assert admin.closed


class FakeReader:
    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {"scored": {1, 0}}.get(topic)


def test_partitions_of_topics_that_exist() -> None:
    reader: Any = FakeReader()
    assert [tuple(entry) for entry in kafka.topic_partitions(reader, ["scored", "absent"])] == [
        ("scored", 0),
        ("scored", 1),
    ]


def test_requests_stay_below_what_event_hubs_takes() -> None:
    assert kafka.spark_sink_options(load_settings())["kafka.max.request.size"] == str(4 * 1024 * 1024)
    sink = kafka.spark_sink_options(event_hubs())
    assert sink["kafka.acks"] == "all"
    assert int(sink["kafka.max.request.size"]) < 1_046_528


@pytest.mark.parametrize("size", [0, 1, 8, 1_000, 100_001])
def test_batches_carry_the_sums_that_kafka_reckons(size: int) -> None:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=200_000,
    )  # fmt: skip
    builder.append(0, timestamp=1, key=b"key", value=os.urandom(size), headers=[])
    batch = bytes(builder.build())
    assert int.from_bytes(batch[17:21]) == crc_in_python(batch[21:])
    assert DefaultRecordBatch(batch).validate_crc()
    flipped = batch[:-1] + bytes([batch[-1] ^ 1])
    assert not DefaultRecordBatch(flipped).validate_crc()


def test_sums_are_reckoned_in_c() -> None:
    """RFC 3720's check value, by the function that kafka-python's batches use, which would be Python's by itself."""
    data = memoryview(b"123456789")
    assert kafka.calc_crc32c(data) == 0xE3069283
    assert kafka.google_crc32c.implementation == "c"
    assert kafka.calc_crc32c.__defaults__ == (kafka._crc32c,)
