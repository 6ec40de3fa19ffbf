"""The edge device itself: who may connect to it, and what becomes of what its children send.

Source: "Configure an IoT Edge device to act as a transparent gateway" of the service's documentation.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from paho.mqtt import client as mqtt

from fraudstream.devices.admission import Admission
from fraudstream.devices.broker.process import Speaker
from fraudstream.devices.edge.outbox import Outbox
from fraudstream.devices.edge.upstream import Signer, Upstream
from fraudstream.devices.errors import HubRefused, HubUnavailable
from fraudstream.devices.registry.database import Database
from fraudstream.devices.registry.identities import Identities, Identity

# Of an IoT Edge hub (MaxConnectedClients).
MOST_CONNECTED = 100

_SYNC_SECONDS = 30.0
_IDLE_SECONDS = 5.0

log = structlog.get_logger(__name__)

# Asks the hub for the edge device and its children, as the service shows them. May block for some seconds.
Scope = Callable[[], Sequence[dict[str, Any]]]


class Gateway(Speaker):
    """An edge device between its children's broker and the hub."""

    def __init__(self, file: Path, signer: Signer, scope: Scope) -> None:
        """Open what the edge keeps. Raises :class:`ConfigurationError`."""
        super().__init__()
        self._database = Database(file)
        self._signer = signer
        self._scope = scope
        self._identities = Identities(self._database, self._changed)
        self._admission = Admission(self._identities, None, (signer.host,))
        self.outbox = Outbox(self._database)
        self._upstreams: dict[str, Upstream] = {}
        self._connections: dict[str, str] = {}
        self._locks: dict[str, tuple[str, int]] = {}
        self._numbers = itertools.count(1)

    async def close(self) -> None:
        """End all connections to the hub."""
        # Each waits for its thread.
        await asyncio.gather(*(asyncio.to_thread(upstream.stop) for upstream in self._upstreams.values()))
        self._database.close()

    async def learn(self) -> None:
        """Ask the hub again and again who the children are, until cancelled; while it is away, the known ones hold."""
        while True:
            await self._learn()
            await asyncio.sleep(_SYNC_SECONDS)

    async def forward(self) -> None:
        """Forward what earlier runs have stored, give up what is too old, and end idle connections, until cancelled."""
        while True:
            if expired := self.outbox.expire():
                log.warning("messages_expired", count=expired)
            for device_id in self.outbox.devices():
                self._upstream(device_id).forward()
            for device_id, upstream in list(self._upstreams.items()):
                if device_id not in self._connections and upstream.is_idle:
                    del self._upstreams[device_id]
                    await asyncio.to_thread(upstream.stop)
            await asyncio.sleep(_IDLE_SECONDS)

    def asked(self, what: str, line: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        """Answer the broker."""
        if what == "connect":
            return self._connect(line)
        body = base64.b64decode(line["body"])
        if what == "telemetry":
            return self._store(str(line["client"]), str(line["topic"]), body)
        # Nobody answers while the hub is away; the child asks again.
        self._upstream(str(line["client"])).request(str(line["topic"]), body)
        return {}

    def told(self, what: str, line: dict[str, Any]) -> None:
        """Take note of connections, subscriptions and acknowledged messages."""
        device_id = str(line.get("client", ""))
        if what == "connected":
            self._connections[device_id] = str(line["connection"])
            self._upstream(device_id)
        elif what == "subscribed":
            self._upstream(device_id).subscribe([str(name) for name in line["filters"]])
        elif what == "completed":
            if (lock := self._locks.pop(str(line["lock"]), None)) is not None and lock[0] in self._upstreams:
                self._upstreams[lock[0]].acknowledge(lock[1])
        elif what == "disconnected" and self._connections.get(device_id) == line["connection"]:
            del self._connections[device_id]
        elif what == "ended":
            self._connections.clear()

    async def _connect(self, line: dict[str, Any]) -> dict[str, Any]:
        client = str(line.get("client", ""))
        try:
            if len(self._connections) >= MOST_CONNECTED and client not in self._connections:
                raise HubRefused(f"{MOST_CONNECTED} devices are connected already.", 403_000, "MaxConnectedClients")
            if self._identities.find(client) is None:
                await self._learn()  # it may have become a child a moment ago
            return self._admission.check(line).answer()
        except HubRefused as error:
            log.warning("connection_refused", device=client[:128], reason=str(error))
            return {"accepted": False}

    async def _store(self, device_id: str, topic: str, body: bytes) -> dict[str, Any]:
        await self.outbox.add(device_id, topic, body)
        self._upstream(device_id).forward()
        return {}

    async def _learn(self) -> None:
        try:
            self._identities.mirror(await asyncio.to_thread(self._scope))
        except (HubUnavailable, HubRefused) as error:
            log.warning("children_unknown", reason=str(error))

    def _upstream(self, device_id: str) -> Upstream:
        if device_id not in self._upstreams:
            upstream = Upstream(self._signer, device_id, self.outbox, self._from_hub)
            upstream.start()
            self._upstreams[device_id] = upstream
        return self._upstreams[device_id]

    def _from_hub(self, device_id: str, message: mqtt.MQTTMessage) -> None:
        lock = None
        if message.qos:
            lock = str(next(self._numbers))
            self._locks[lock] = (device_id, message.mid)
        body = base64.b64encode(message.payload).decode()
        # While the broker is away, it is not acknowledged, so that the hub sends it again.
        self.start(self.tell("deliver", client=device_id, topic=message.topic, body=body, qos=message.qos, lock=lock))

    def _changed(self, former: Identity, now: Identity | None) -> None:
        if (now is None or now.admission != former.admission) and former.device_id in self._connections:
            self.start(self.tell("disconnect", client=former.device_id))
