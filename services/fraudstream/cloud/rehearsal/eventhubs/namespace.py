"""The Event Hubs namespace of a rehearsal: a real broker on SASL_SSL, with ACLs, quotas and limits of the tier.

The broker is the one of the local profile with two more listeners: PLAIN with the literal user ``$ConnectionString``,
and OAUTHBEARER. Its plaintext listener stays for the control plane, ARM's role in Azure; clients never see it.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from kafka.protocol.admin import AlterClientQuotasRequest, AlterClientQuotasResponse

from fraudstream.cloud.rehearsal.net.certificates import Certificates
from fraudstream.cloud.rules.quotas import (
    IDLE_SECONDS,
    MOST_OFFSET_METADATA_BYTES,
    SESSION_TIMEOUT_MS,
    TIERS,
    UNIT_EGRESS_BYTES,
    UNIT_INGRESS_BYTES,
    Tier,
)
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import DAY_MS, Topic
from fraudstream.core.errors import ConfigurationError
from fraudstream.runtime.parts import kafka_broker
from fraudstream.runtime.supervise.part import Part

USER = "$ConnectionString"
_PRINCIPALS = (f"User:{USER}", "User:fraudstream")
_SECURITY = "org.apache.kafka.common.security"


@dataclass(slots=True)
class Namespace:
    """The namespace as it was deployed.

    ``connection_string`` is the only one that the broker accepts. The gateway replaces the clients' strings by it,
    because a policy has two keys and either may be regenerated.
    """

    name: str
    connection_string: str
    plain_port: int
    tokens_port: int
    gateway_port: int
    gateway_tokens_port: int
    tier: Tier = "Standard"
    units: int = 1
    idle_seconds: float = IDLE_SECONDS
    issuer: str = "https://localhost/rehearsal"
    jwks: Path | None = None

    @property
    def audience(self) -> str:
        """The audience that a token has to name."""
        return f"https://{self.name}.servicebus.windows.net"


def broker_part(settings: Settings, namespace: Namespace, certificates: Certificates) -> Part:
    """The broker's process."""
    plain = kafka_broker.part(settings)

    def prepare() -> None:
        if plain.prepare is not None:
            plain.prepare()
        file = settings.data_dir.absolute() / "kafka" / "server.properties"
        # The later line of two with the same name counts.
        with file.open("a", encoding="ascii") as output:
            output.write(kafka_broker.properties_text(listener_properties(settings, namespace, certificates.server)))

    command = list(plain.command)
    if namespace.jwks is not None:
        allowed = namespace.jwks.absolute().as_uri()
        command[1:1] = [
            f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={allowed}",
            f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.files={namespace.jwks.absolute()}",
        ]
    return replace(plain, command=tuple(command), prepare=prepare)


def listener_properties(settings: Settings, namespace: Namespace, keystore: Path) -> dict[str, str]:
    """Lines that the namespace adds to the broker's ``server.properties``."""
    tier = TIERS[namespace.tier]
    listeners = {
        "PLAINTEXT": f"127.0.0.1:{settings.kafka_port}",
        "NAMESPACE": f"127.0.0.1:{namespace.plain_port}",
        "TOKENS": f"127.0.0.1:{namespace.tokens_port}",
    }
    advertised = listeners | {
        "NAMESPACE": f"localhost:{namespace.gateway_port}",
        "TOKENS": f"localhost:{namespace.gateway_tokens_port}",
    }
    controller = f"CONTROLLER://127.0.0.1:{settings.kafka_controller_port}"
    properties = {
        "listeners": ",".join([*(f"{name}://{where}" for name, where in listeners.items()), controller]),
        "advertised.listeners": ",".join(f"{name}://{where}" for name, where in advertised.items()),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NAMESPACE:SASL_SSL,TOKENS:SASL_SSL",
        "inter.broker.listener.name": "PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.enabled.protocols": "TLSv1.2,TLSv1.3",
        "listener.name.namespace.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.namespace.plain.sasl.jaas.config": plain_login(namespace.connection_string),
        "listener.name.tokens.sasl.enabled.mechanisms": "OAUTHBEARER",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
        "message.max.bytes": str(tier.publication_bytes),
        "offset.metadata.max.bytes": str(MOST_OFFSET_METADATA_BYTES),
        "group.min.session.timeout.ms": str(SESSION_TIMEOUT_MS[0]),
        "group.max.session.timeout.ms": str(SESSION_TIMEOUT_MS[1]),
        "connections.max.idle.ms": str(int(namespace.idle_seconds * 1000)),
        # A throughput unit counts each second; Kafka's default window would let ten seconds' bytes through at once.
        "quota.window.num": "2",
        "quota.window.size.seconds": "1",
    }
    if namespace.jwks is not None:
        oauth = f"{_SECURITY}.oauthbearer"
        properties |= {
            "listener.name.tokens.oauthbearer.sasl.jaas.config": f"{oauth}.OAuthBearerLoginModule required;",
            "listener.name.tokens.oauthbearer.sasl.server.callback.handler.class": (
                f"{oauth}.OAuthBearerValidatorCallbackHandler"
            ),
            "sasl.oauthbearer.jwks.endpoint.url": namespace.jwks.absolute().as_uri(),
            "sasl.oauthbearer.expected.audience": namespace.audience,
            "sasl.oauthbearer.expected.issuer": namespace.issuer,
        }
    return properties


def plain_login(connection_string: str) -> str:
    """The JAAS line that makes a connection string the password of ``$ConnectionString``."""
    return f'{_SECURITY}.plain.PlainLoginModule required user_{USER}="{connection_string}";'


class ControlPlane:
    """ARM's role: hubs, access and throughput units; refuses a deployment over the tier's quotas."""

    def __init__(self, settings: Settings, namespace: Namespace) -> None:
        self._settings = settings
        self._namespace = namespace
        self._address = ("127.0.0.1", settings.kafka_port)

    def deploy(self, hubs: Sequence[Topic], partitions: int) -> None:
        """Create the hubs with the tier's limits, grant access and set the quotas. Raises ``ConfigurationError``."""
        tier = TIERS[self._namespace.tier]
        if len(hubs) > tier.hubs:
            raise quota_exceeded("EH018", f"{len(hubs)} hubs", f"{tier.hubs} hubs per namespace")
        if partitions > tier.partitions:
            raise quota_exceeded("EH017", f"{partitions} partitions", f"{tier.partitions} partitions per hub")
        for hub in hubs:
            if hub.retention_ms > tier.retention_days * DAY_MS:
                days = hub.retention_ms / DAY_MS
                raise quota_exceeded("EH021", f"{days:g} days of retention", f"{tier.retention_days} days")
        with self.admin() as admin:
            topics = {
                hub.name: {
                    "num_partitions": partitions,
                    "replication_factor": 1,
                    "configs": hub.broker_configs() | {"max.message.bytes": str(tier.publication_bytes)},
                }
                for hub in hubs
            }
            existing = set(admin.list_topics())
            admin.create_topics({name: topics[name] for name in topics if name not in existing})
            admin.create_acls(_grants())
        self.set_units(self._namespace.units)

    def set_units(self, units: int) -> None:
        """Set the broker's quotas to the bytes a second, in and out, of so many throughput units."""
        rates = {"producer_byte_rate": units * UNIT_INGRESS_BYTES, "consumer_byte_rate": units * UNIT_EGRESS_BYTES}
        entry = AlterClientQuotasRequest.EntryData
        request = AlterClientQuotasRequest(
            version=1,
            entries=[
                entry(
                    entity=[entry.EntityData(entity_type="user", entity_name=None)],
                    ops=[entry.OpData(key=key, value=float(value), remove=False) for key, value in rates.items()],
                )
            ],
            validate_only=False,
        )
        answer = _ask(self._address, request, AlterClientQuotasResponse, 1)
        refused = [result.error_message for result in answer.entries if result.error_code]
        if refused:
            raise ConfigurationError(f"The broker refuses the quotas: {'; '.join(refused)}.")

    def admin(self) -> Any:
        """A client with all rights on the broker; it is closed with the block."""
        return _Closing(KafkaAdminClient(bootstrap_servers=[f"{self._address[0]}:{self._address[1]}"]))


class _Closing:
    def __init__(self, admin: KafkaAdminClient) -> None:
        self._admin = admin

    def __enter__(self) -> KafkaAdminClient:
        return self._admin

    def __exit__(self, *_: object) -> None:
        self._admin.close()


def quota_exceeded(rule: str, deployed: str, most: str) -> ConfigurationError:
    """The error of a deployment over the tier's quota."""
    return ConfigurationError(f"400 ({rule}): the deployment wants {deployed}, and the tier allows {most}.")


def _grants() -> list[ACL]:
    """Send and listen on every hub, and use consumer groups; no rights on the cluster or on configurations."""
    granted = [
        (ResourceType.TOPIC, (ACLOperation.READ, ACLOperation.WRITE, ACLOperation.DESCRIBE)),
        (ResourceType.GROUP, (ACLOperation.READ, ACLOperation.DESCRIBE)),
    ]
    return [
        ACL(principal, "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, "*"))
        for principal in _PRINCIPALS
        for kind, operations in granted
        for operation in operations
    ]


def _ask(address: tuple[str, int], request: Any, answer: Any, version: int) -> Any:
    """Send a request for which kafka-python's admin client has no call; returns the answer."""
    request.with_header(correlation_id=1, client_id="control-plane")
    with socket.create_connection(address, 10) as connection:
        connection.sendall(request.encode(header=True, framed=True))
        with connection.makefile("rb") as stream:
            body = stream.read(int.from_bytes(stream.read(4), "big"))
    return answer.decode(body, version=version, header=True)
