"""Kafka clients built from settings alone: producer, consumer, admin, and the same values for Spark's Java client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import google_crc32c
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.record.util import calc_crc32c

from fraudstream.core.configuration.authorities import check_authorities
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.contract.topics import partitions, topics_of
from fraudstream.core.errors import BrokerUnavailable, ConfigurationError
from fraudstream.core.kafka.oauth import oauth_scope, token_provider
from fraudstream.core.project.project import named

# Recommended client values for Event Hubs (azure-docs, apache-kafka-configurations): idle connections are cut
# after 240 s, and requests must be given at least 20 s. They suit every broker, so that all profiles share them.
_METADATA_MAX_AGE_MS = 180_000
_CONNECTIONS_MAX_IDLE_MS = 180_000
_REQUEST_TIMEOUT_MS = 60_000

# A transaction that its sender aborted never happened: none of our readers sees its records.
READ_COMMITTED = "read_committed"


def _crc32c(data: memoryview) -> int:
    return int(google_crc32c.value(bytes(data)))


# kafka-python takes a package under the LGPL, where there is one; without it, it reckons in Python, at 4 MB/s.
calc_crc32c.__defaults__ = (_crc32c,)


def client_options(settings: Settings) -> dict[str, Any]:
    """kafka-python's connection options. Raises :class:`ConfigurationError` where one is missing."""
    options: dict[str, Any] = {
        "bootstrap_servers": _brokers(settings),
        "security_protocol": settings.kafka_security_protocol,
        "metadata_max_age_ms": _METADATA_MAX_AGE_MS,
        "connections_max_idle_ms": _CONNECTIONS_MAX_IDLE_MS,
        "request_timeout_ms": _REQUEST_TIMEOUT_MS,
    }
    if _uses_tokens(settings):
        options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": token_provider(settings)}
    elif settings.kafka_security_protocol.startswith("SASL"):
        mechanism, username, password = _credentials(settings)
        options |= {"sasl_mechanism": mechanism, "sasl_plain_username": username, "sasl_plain_password": password}
    if settings.kafka_ssl_cafile is not None:
        options["ssl_cafile"] = str(settings.kafka_ssl_cafile)
    return options


def spark_options(settings: Settings) -> dict[str, str]:
    """The same connection as options of Spark's Kafka source and sink. Raises :class:`ConfigurationError`."""
    options = {
        "kafka.bootstrap.servers": ",".join(_brokers(settings)),
        "kafka.security.protocol": settings.kafka_security_protocol,
        "kafka.metadata.max.age.ms": str(_METADATA_MAX_AGE_MS),
        "kafka.connections.max.idle.ms": str(_CONNECTIONS_MAX_IDLE_MS),
        "kafka.request.timeout.ms": str(_REQUEST_TIMEOUT_MS),
    }
    if _uses_tokens(settings):
        options |= _spark_token_options(settings)
    elif settings.kafka_security_protocol.startswith("SASL"):
        mechanism, username, password = _credentials(settings)
        login = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
        options |= {
            "kafka.sasl.mechanism": mechanism,
            "kafka.sasl.jaas.config": (
                f"org.apache.kafka.common.security.{login} required "
                f"username={_jaas_text(username)} password={_jaas_text(password)};"
            ),
        }
    if settings.kafka_ssl_cafile is not None:
        options |= {
            "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": str(settings.kafka_ssl_cafile),
        }
    return options


def spark_source_options(settings: Settings, polled: int | None = None) -> dict[str, str]:
    """The options of Spark's Kafka source: the connection, and no record of a transaction that was aborted.

    ``polled``: how many records a poll has at most, all of which are unpacked at once; None for Kafka's own number.
    """
    limit = {} if polled is None else {"kafka.max.poll.records": str(polled)}
    return spark_options(settings) | {"kafka.isolation.level": READ_COMMITTED} | limit


def spark_sink_options(settings: Settings) -> dict[str, str]:
    """The options of Spark's Kafka sink: the connection, all replicas, and the largest request the broker takes."""
    return spark_options(settings) | {
        "kafka.acks": "all",
        "kafka.max.request.size": str(settings.kafka_max_request_bytes),
    }


def producer(settings: Settings, **options: Any) -> KafkaProducer:
    """A producer that waits for all replicas. Raises :class:`BrokerUnavailable`."""
    check_authorities(settings)
    defaults: dict[str, Any] = {"acks": "all", "linger_ms": 5, "max_request_size": settings.kafka_max_request_bytes}
    try:
        return KafkaProducer(**(client_options(settings) | defaults | options))
    except KafkaError as error:
        raise unavailable(settings, error) from error


def consumer(settings: Settings, *topics: str, **options: Any) -> KafkaConsumer:
    """A consumer that starts at the earliest record, sees no aborted transactions and commits nothing by itself."""
    check_authorities(settings)
    defaults: dict[str, Any] = {
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "isolation_level": READ_COMMITTED,
    }
    try:
        return KafkaConsumer(*topics, **(client_options(settings) | defaults | options))
    except KafkaError as error:
        raise unavailable(settings, error) from error


def create_topics(settings: Settings) -> list[str]:
    """Create the topics of the table, and of the project's query, that are missing; returns their names.

    For brokers that allow it: Event Hubs' topics come from the templates in ``azure/``. Raises
    :class:`BrokerUnavailable`, and :class:`ConfigurationError` for a project that cannot be read.
    """
    created = []
    check_authorities(settings)
    try:
        admin = KafkaAdminClient(**client_options(settings))
    except KafkaError as error:
        raise unavailable(settings, error) from error
    try:
        existing = set(admin.list_topics())
        for topic in topics_of(named(settings.project)):
            if topic.name in existing:
                continue
            try:
                admin.create_topics(
                    {
                        topic.name: {
                            "num_partitions": partitions(settings),
                            "replication_factor": 1,
                            "configs": topic.broker_configs(),
                        }
                    }
                )
                created.append(topic.name)
            except TopicAlreadyExistsError:
                continue
    except KafkaError as error:
        raise unavailable(settings, error) from error
    finally:
        admin.close()
    return created


def topic_partitions(reader: KafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of the topics that exist."""
    return [
        TopicPartition(topic, number) for topic in topics for number in sorted(reader.partitions_for_topic(topic) or ())
    ]


def _brokers(settings: Settings) -> list[str]:
    brokers = [broker.strip() for broker in settings.kafka_bootstrap_servers.split(",") if broker.strip()]
    if not brokers:
        raise ConfigurationError(f"{ENV_PREFIX}KAFKA_BOOTSTRAP_SERVERS is empty. Set it to the brokers, host:port.")
    return brokers


def _credentials(settings: Settings) -> tuple[str, str, str]:
    """Mechanism, user and password; none of them may be empty where the protocol has SASL."""
    credentials = (
        settings.kafka_sasl_mechanism,
        settings.kafka_sasl_username,
        settings.kafka_sasl_password.get_secret_value(),
    )
    for name, value in zip(("mechanism", "username", "password"), credentials, strict=True):
        if not value:
            raise ConfigurationError(
                f"{ENV_PREFIX}KAFKA_SASL_{name.upper()} is empty, but the security protocol is "
                f"{settings.kafka_security_protocol}. Set it in the environment or in .env."
            )
    return credentials


def _uses_tokens(settings: Settings) -> bool:
    return settings.kafka_security_protocol.startswith("SASL") and settings.kafka_sasl_mechanism == "OAUTHBEARER"


def _spark_token_options(settings: Settings) -> dict[str, str]:
    """A service principal's sign-in: the Java client asks the token endpoint by itself, without a class of ours."""
    missing = [
        f"{ENV_PREFIX}{name.upper()}"
        for name in ("kafka_oauth_token_url", "kafka_oauth_client_id")
        if not getattr(settings, name)
    ]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} are empty: Spark's Kafka client signs in with OAUTHBEARER only as a service "
            "principal. Set them, or use PLAIN with the connection string."
        )
    handler = "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler"
    return {
        "kafka.sasl.mechanism": "OAUTHBEARER",
        "kafka.sasl.login.callback.handler.class": handler,
        "kafka.sasl.oauthbearer.token.endpoint.url": settings.kafka_oauth_token_url,
        "kafka.sasl.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            f"clientId={_jaas_text(settings.kafka_oauth_client_id)} "
            f"clientSecret={_jaas_text(settings.kafka_oauth_client_secret.get_secret_value())} "
            f"scope={_jaas_text(oauth_scope(settings))};"
        ),
    }


def _jaas_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unavailable(settings: Settings, error: Exception) -> BrokerUnavailable:
    """The error of a broker that does not answer, with what the client says of it."""
    return BrokerUnavailable(
        f"Kafka at {settings.kafka_bootstrap_servers} does not answer ({type(error).__name__}: {error}). "
        "Start it with `fraudstream up -d`, or set FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS."
    )
