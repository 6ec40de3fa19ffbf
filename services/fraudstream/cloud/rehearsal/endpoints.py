"""All endpoints of a rehearsal, in an event loop of their own thread, and the faults that befall them."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from fraudstream.cloud.rehearsal import environment
from fraudstream.cloud.rehearsal.azureml.online_endpoint import Deployment, OnlineEndpoint
from fraudstream.cloud.rehearsal.azureml.registry import Registry
from fraudstream.cloud.rehearsal.cosmos.account import Account
from fraudstream.cloud.rehearsal.cosmos.endpoint import CosmosEndpoint
from fraudstream.cloud.rehearsal.environment import Keys, Plan, Ports
from fraudstream.cloud.rehearsal.eventhubs.gateway import Gateway
from fraudstream.cloud.rehearsal.eventhubs.namespace import ControlPlane, Namespace
from fraudstream.cloud.rehearsal.iothub.gateway import MqttGateway
from fraudstream.cloud.rehearsal.iothub.hub import IotHub
from fraudstream.cloud.rehearsal.iothub.service import HubService
from fraudstream.cloud.rehearsal.net.certificates import Certificates
from fraudstream.cloud.rehearsal.net.identity import Identity
from fraudstream.cloud.rehearsal.net.web import WebServer
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents.client import COLLECTIONS

Answer = TypeVar("Answer")
_ANSWER_SECONDS = 30.0


class Endpoints:
    """Event Hubs, an IoT hub, Cosmos DB, Azure ML's endpoint and registry, the identity service, on this machine."""

    def __init__(
        self, plan: Plan, keys: Keys, ports: Ports, certificates: Certificates, behind: Settings, scoring_port: int
    ) -> None:
        issuer = "https://localhost/rehearsal"
        self._certificates = certificates
        self._keys = keys
        self.namespace = Namespace(
            name="localhost",
            connection_string=environment.connection_string(secrets.token_urlsafe(32)),
            plain_port=ports.broker_plain,
            tokens_port=ports.broker_tokens,
            gateway_port=ports.namespace,
            gateway_tokens_port=ports.tokens,
            tier=plan.tier,
            units=plan.throughput_units,
            idle_seconds=plan.idle_seconds,
            issuer=issuer,
            jwks=certificates.authority.with_name("jwks.json"),
        )
        self.identity = Identity(
            issuer, self.namespace.audience, keys.identity_header, environment.ACCOUNT, keys.client_secret
        )
        self.account = Account(
            environment.ACCOUNT,
            keys.account,
            indexes={collection.name: [list(keys) for keys in collection.indexes] for collection in COLLECTIONS},
            shard_keys={collection.name: "_id" for collection in COLLECTIONS},
            units_per_second=plan.request_units,
            idle_seconds=plan.idle_seconds,
        )
        self.gateway = Gateway(self.namespace, certificates.client_context())
        self.gateway.accepted = [environment.connection_string(keys.namespace[0])]
        self.cosmos = CosmosEndpoint(self.account, ("127.0.0.1", behind.mongo_port))
        self.online = OnlineEndpoint(
            Deployment(keys.endpoint[0]), f"http://127.0.0.1:{scoring_port}", container_key=keys.endpoint[0]
        )
        self.registry = Registry(f"http://127.0.0.1:{behind.mlflow_port}")
        self.hub = IotHub()
        self.devices = MqttGateway(self.hub, behind.mqtt_port)
        self.hub_service = HubService(self.hub, f"http://127.0.0.1:{behind.iot_hub_port}")
        self.control_plane = ControlPlane(behind, self.namespace)
        self._ports = ports
        self._web: list[WebServer] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoints", daemon=True)

    def start(self) -> None:
        """Listen on all ports, and write the file of keys that the broker reads at its start."""
        jwks = self.namespace.jwks
        if jwks is not None:
            self.identity.write_jwks(jwks)
        self._thread.start()
        self.call(self._start())

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def call(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine in the endpoints' loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_SECONDS)

    def storm(self, seconds: float, share: float) -> None:
        """Throttle Event Hubs and Cosmos DB to a share of their units for so many seconds."""
        self._loop.call_soon_threadsafe(self.cosmos.budget.storm, seconds, share)
        self._loop.call_soon_threadsafe(self.gateway.rate.storm, seconds, share)

    def cut_connections(self) -> int:
        """End every connection to the namespace and to the account; returns how many there were."""
        return self.call(self.gateway.cut_connections()) + self.call(self.cosmos.cut_connections())

    def storm_devices(self, seconds: float, share: float) -> None:
        """Throttle the IoT hub to a share of its units for so many seconds."""
        self._loop.call_soon_threadsafe(self.hub.storm, seconds, share)

    def cut_devices(self) -> int:
        """End every connection of a device; returns how many there were."""
        return self.call(self.devices.cut_connections())

    def accept_second_keys(self) -> None:
        """First half of a rotation: accept the second keys beside the first ones, as Azure always does."""
        self.gateway.accepted = [environment.connection_string(key) for key in self._keys.namespace]
        self.online.also_accepted = self._keys.endpoint[1:]

    def revoke_first_keys(self) -> None:
        """Second half of a rotation: refuse the first keys in new connections, as after their regeneration."""
        self.gateway.accepted = [environment.connection_string(self._keys.namespace[1])]
        self.account.keys[:] = self._keys.account[1:]
        self.online.deployment.key = self._keys.endpoint[1]
        self.online.also_accepted = []

    async def _start(self) -> None:
        context = self._certificates.server_context()
        await self.gateway.start(context)
        await self.cosmos.start(context, self._ports.cosmos)
        await self.devices.start(context, self._ports.hub_mqtt)
        server: Path = self._certificates.server
        self._web = [
            WebServer(self.online.application(), self._ports.endpoint, server),
            WebServer(self.registry.application(), self._ports.registry, server),
            WebServer(self.hub_service.application(), self._ports.hub_service, server),
            WebServer(self.identity.application(), self._ports.identity),
        ]
        for web in self._web:
            await web.start()

    async def _stop(self) -> None:
        for web in self._web:
            await web.stop()
        await self.gateway.stop()
        await self.devices.stop()
        await self.cosmos.stop()
