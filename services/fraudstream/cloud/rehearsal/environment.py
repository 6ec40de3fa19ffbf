"""The environment of a rehearsal: settings of the parts behind the endpoints and of the services in front."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from fraudstream.cloud.rehearsal.net.certificates import Certificates
from fraudstream.cloud.rules.quotas import IDLE_SECONDS, Tier
from fraudstream.core.configuration.settings import Profile, Settings, profile_values
from fraudstream.core.process.environment import MLFLOW_SECONDS_VARIABLE
from fraudstream.runtime.supervise.preflight import free_port

ACCOUNT = "rehearsal"
KEY_NAME = "fraudstream-services"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rehearsal does.

    ``request_units`` per second; ``idle_seconds`` until an idle connection is cut; ``devices``: how many send over
    MQTT, 0 for a rehearsal without an IoT hub.
    """

    events: int = 20_000
    history: int = 4_000
    malformed: int = 200
    request_units: float = 4_000.0
    throughput_units: int = 1
    tier: Tier = "Standard"
    idle_seconds: float = IDLE_SECONDS
    tokens: bool = False
    faults: bool = True
    dashboards: bool = True
    devices: int = 10
    seed: int = 7


@dataclass(slots=True)
class Keys:
    """Secrets of one rehearsal. Each service has two keys, so that one can be replaced while the other works."""

    namespace: list[str]
    account: list[str]
    endpoint: list[str]
    identity_header: str
    client_secret: str

    @classmethod
    def new(cls) -> Keys:
        """Fresh keys, as long as the services' own."""

        def key(length: int) -> str:
            return base64.b64encode(secrets.token_bytes(length)).decode()

        return cls(
            [key(32), key(32)],
            [key(64), key(64)],
            [secrets.token_urlsafe(24), secrets.token_urlsafe(24)],
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
        )

    def everything(self) -> list[str]:
        """All secrets, plain and percent-encoded: no log may hold one of them."""
        plain = [*self.namespace, *self.account, *self.endpoint, self.identity_header, self.client_secret]
        return [*plain, *(quote_plus(secret) for secret in plain if quote_plus(secret) != secret)]


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the endpoints that clients see, and of the broker's listeners behind."""

    namespace: int
    tokens: int
    cosmos: int
    endpoint: int
    registry: int
    identity: int
    identity_tls: int
    broker_plain: int
    broker_tokens: int
    hub_mqtt: int
    hub_service: int

    @classmethod
    def free(cls) -> Ports:
        """Ports on which nothing listens now."""
        return cls(*(free_port() for _ in fields(cls)))


def connection_string(key: str) -> str:
    """The namespace's connection string with one of its keys."""
    return f"Endpoint=sb://localhost/;SharedAccessKeyName={KEY_NAME};SharedAccessKey={key}"


def mongo_uri(key: str, port: int, authority: Path) -> str:
    """The account's address with one of its keys, in the portal's form, and the CA to trust."""
    return (
        f"mongodb://{ACCOUNT}:{quote_plus(key)}@localhost:{port}/?ssl=true&replicaSet=globaldb&retrywrites=false"
        f"&maxIdleTimeMS=120000&appName=@{ACCOUNT}@&tlsCAFile={quote_plus(str(authority))}"
    )


def settings_behind(folder: Path) -> Settings:
    """Settings of the local parts behind the endpoints, in a folder and on ports of their own."""
    names = ("kafka_port", "kafka_controller_port", "mongo_port", "mlflow_port", "iot_hub_port", "mqtt_port")
    ports = {name: free_port() for name in names}
    return isolated("local", data_dir=folder, **ports)


def settings_in_front(folder: Path, keys: Keys, ports: Ports, certificates: Certificates, plan: Plan) -> Settings:
    """The settings of the services: the azure profile with the endpoints' addresses and keys."""
    values: dict[str, Any] = {
        "data_dir": folder,
        "kafka_bootstrap_servers": f"localhost:{ports.namespace}",
        "kafka_sasl_password": connection_string(keys.namespace[0]),
        "kafka_ssl_cafile": certificates.authority,
        "mongo_uri": mongo_uri(keys.account[0], ports.cosmos, certificates.authority),
        "iot_hub_url": f"https://localhost:{ports.hub_service}",
        "iot_hub_mqtt_url": f"mqtts://localhost:{ports.hub_mqtt}",
        "mlflow_tracking_uri": f"https://localhost:{ports.registry}",
        "scoring_url": f"https://localhost:{ports.endpoint}",
        "scoring_key": keys.endpoint[0],
        "scoring_port": free_port(),
        "dashboard_port": free_port(),
        "max_events_per_batch": 5_000,
        "max_records_per_write": 5_000,
        "mongo_throttle_seconds": 300.0,
    }
    if plan.tokens:
        values |= {
            "kafka_bootstrap_servers": f"localhost:{ports.tokens}",
            "kafka_sasl_mechanism": "OAUTHBEARER",
            "kafka_sasl_password": "",
            "kafka_oauth_scope": "https://localhost.servicebus.windows.net/.default",
            "kafka_oauth_token_url": f"http://127.0.0.1:{ports.identity}/oauth2/v2.0/token",
            "kafka_oauth_client_id": ACCOUNT,
            "kafka_oauth_client_secret": keys.client_secret,
        }
    return isolated("azure", **values)


def trust_environment(certificates: Certificates, keys: Keys, ports: Ports) -> dict[str, str]:
    """Variables of libraries: the CA that HTTP clients trust, and the address of the managed identity."""
    authority = str(certificates.authority)
    return {
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        MLFLOW_SECONDS_VARIABLE: "60",
        **identity_environment(keys, ports),
    }


def identity_environment(keys: Keys, ports: Ports) -> dict[str, str]:
    """The address where azure-identity asks for a managed identity's token, and the header that proves its place."""
    return {
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{ports.identity}/msi/token",
        "IDENTITY_HEADER": keys.identity_header,
    }


@contextmanager
def added(variables: Mapping[str, str]) -> Iterator[None]:
    """Add variables to this process's environment during the context."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def own_environment() -> dict[str, str]:
    """This process's environment without Fraudstream's settings, which belong to another run."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_") or "CACHE" in name}


def isolated(profile: Profile, **values: Any) -> Settings:
    """A profile's settings without the caller's variables and `.env`."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(**(defaults | profile_values(profile) | {"profile": profile} | values))
