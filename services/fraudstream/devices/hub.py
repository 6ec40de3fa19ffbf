"""The hub: what the registry keeps and what the broker's devices do, brought together."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import orjson
import structlog

from fraudstream.devices.admission import Admission
from fraudstream.devices.broker.process import Speaker
from fraudstream.devices.errors import HubRefused, HubUnavailable, invalid
from fraudstream.devices.methods import Methods
from fraudstream.devices.registry import twins
from fraudstream.devices.registry.database import Database
from fraudstream.devices.registry.identities import Identities, Identity
from fraudstream.devices.registry.mailbox import Mailbox, Message
from fraudstream.devices.registry.policies import Policies
from fraudstream.devices.registry.times import NEVER, text_of

# System properties that a message to a device carries, and how its topic names them.
_SHORT = {
    "message-id": "$.mid",
    "correlation-id": "$.cid",
    "user-id": "$.uid",
    "content-type": "$.ct",
    "content-encoding": "$.ce",
    "to": "$.to",
}
_TWIN_GET = "$iothub/twin/GET/"
_TWIN_PATCH = "$iothub/twin/PATCH/properties/reported/"
_DESIRED = "$iothub/twin/PATCH/properties/desired/"
_REDELIVERY_SECONDS = 10.0

log = structlog.get_logger(__name__)

# Brings one message to a device: device, topic, body, QoS, lock. Returns whether the device has subscribed.
Deliver = Callable[[str, str, bytes, int, str | None], Awaitable[bool]]


class Hub(Speaker):
    """A hub by the name of ``hosts[0]``; the others are names that clients may call it by as well."""

    def __init__(self, file: Path, hosts: Sequence[str]) -> None:
        """Open what the hub keeps. Raises :class:`ConfigurationError`."""
        super().__init__()
        self.hosts = tuple(hosts)
        self._database = Database(file)
        self.identities = Identities(self._database, self._changed)
        self.policies = Policies(self._database)
        self.mailbox = Mailbox(self._database)
        self.methods = Methods(self._deliver_method, self._await_device)
        self._admission = Admission(self.identities, self.policies, hosts)
        self._connections: dict[str, str] = {}
        self._activity: dict[str, float] = {}
        self._state_changed: dict[str, float] = {}
        self._arrivals: dict[str, asyncio.Event] = {}
        self._admitted: dict[str, tuple[object, ...]] = {}

    def close(self) -> None:
        """Close what the hub keeps."""
        self._database.close()

    async def redeliver(self) -> None:
        """Look again and again for messages that wait for a connected device, until cancelled."""
        while True:
            await asyncio.sleep(_REDELIVERY_SECONDS)
            for device_id in self.mailbox.waiting():
                if device_id in self._connections:
                    await self._drain(device_id)

    # --- what the REST API shows and does ---

    def shown(self, identity: Identity) -> dict[str, Any]:
        """The identity as the service shows it, with whether the device is connected."""
        return identity.to_json(self._state(identity.device_id))

    def shown_twin(self, device_id: str) -> dict[str, Any]:
        """The twin as the service shows it. Raises :class:`HubRefused`."""
        identity, twin = self.identities.get(device_id), self.identities.twin(device_id)
        shown = self.shown(identity)
        thumbprints = shown["authentication"]["x509Thumbprint"]
        kept = ("status", "statusReason", "connectionState", "lastActivityTime", "cloudToDeviceMessageCount")
        scopes: dict[str, Any] = {name: shown[name] for name in ("deviceScope", "parentScopes") if name in shown}
        return {
            "deviceId": device_id,
            "etag": twins.etag(twin),
            "deviceEtag": identity.etag,
            **{name: shown[name] for name in kept},
            "statusUpdateTime": shown["statusUpdatedTime"],
            "authenticationType": identity.method,
            "x509Thumbprint": thumbprints,
            "modelId": "",
            "version": twin["version"],
            "tags": twin["tags"],
            "properties": twins.properties(twin),
            "capabilities": shown["capabilities"],
            **scopes,
        }

    def change_twin(self, device_id: str, body: Any, if_match: str | None, replace: bool) -> dict[str, Any]:
        """Merge or replace tags and desired properties; a connected device learns of it. Raises :class:`HubRefused`."""
        tags, desired = _sections(body)
        with self.identities.changed_twin(device_id, if_match) as twin:
            if tags is not None or replace:
                twins.patch_tags(twin, tags or {}, merge=not replace)
            if replace:
                twins.replace_section(twin, "desired", desired or {})
            elif desired is not None:
                twins.patch_section(twin, "desired", desired)
            version, values = twin["desired"]["version"], twin["desired"]["values"]
        if desired is not None or replace:
            told = values if replace else {name: value for name, value in desired.items() if name[0] != "$"}
            message = orjson.dumps({**told, "$version": version})
            self.start(self._deliver(device_id, f"{_DESIRED}?$version={version}", message, 0, None))
        return self.shown_twin(device_id)

    def send(self, device_id: str, properties: dict[str, Any], body: bytes, seconds: float | None) -> None:
        """Queue a message for a device, and bring it there if it is connected. Raises :class:`HubRefused`."""
        self.identities.get(device_id)
        self.mailbox.send(device_id, properties, body, seconds)
        if device_id in self._connections:
            self.start(self._drain(device_id))

    def count_connected(self) -> int:
        """How many devices are connected."""
        return len(self._connections)

    # --- what the broker asks and tells ---

    def asked(self, what: str, line: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        """Answer the broker: may a device connect, and what is the answer to its request."""
        if what == "connect":
            return self._connect(line)
        return self._request(line)

    def told(self, what: str, line: dict[str, Any]) -> None:
        """Take note of connections, subscriptions and acknowledged messages."""
        device_id = str(line.get("client", ""))
        if what == "connected":
            self._connected(device_id, str(line["connection"]))
        elif what == "subscribed":
            self.start(self._drain(device_id))
        elif what == "completed":
            identity = self.identities.find(device_id)
            self.mailbox.complete(str(line["lock"]), "" if identity is None else identity.generation_id)
            self._seen(device_id)
            self.start(self._drain(device_id))
        elif what == "disconnected" and self._connections.get(device_id) == line["connection"]:
            self._gone(device_id)
        elif what == "ended":
            for gone in list(self._connections):
                self._gone(gone)

    def _connect(self, line: dict[str, Any]) -> dict[str, Any]:
        try:
            admitted = self._admission.check(line)
        except HubRefused as error:
            log.warning("connection_refused", device=str(line.get("client", ""))[:128], reason=str(error))
            return {"accepted": False}
        self._admitted[admitted.identity.device_id] = admitted.identity.admission
        return admitted.answer()

    def _connected(self, device_id: str, connection: str) -> None:
        identity = self.identities.find(device_id)
        self._connections[device_id] = connection
        if identity is None or self._admitted.get(device_id) != identity.admission:  # changed since it signed in
            self.start(self.tell("disconnect", client=device_id))
            return
        self._seen(device_id)
        self._state_changed[device_id] = time.time()
        if (arrival := self._arrivals.pop(device_id, None)) is not None:
            arrival.set()
        self.start(self._drain(device_id))

    def _gone(self, device_id: str) -> None:
        self._connections.pop(device_id, None)
        self._state_changed[device_id] = time.time()
        self.mailbox.release_all(device_id)

    def _request(self, line: dict[str, Any]) -> dict[str, Any]:
        device_id, topic = str(line["client"]), str(line["topic"])
        body = base64.b64decode(line["body"])
        self._seen(device_id)
        path, _, query = topic.partition("?")
        number = parse_qs(query, keep_blank_values=True).get("$rid", [""])[0]
        try:
            if path == _TWIN_GET:
                return _answer(device_id, 200, number, self._twin_for_device(device_id))
            if path == _TWIN_PATCH:
                return self._report(device_id, number, body)
        except HubRefused as error:
            return _answer(device_id, error.status, number, b"")
        if self.methods.answered(device_id, topic, body):
            return {}
        return {"refused": "not a topic of the service"}

    def _twin_for_device(self, device_id: str) -> bytes:
        return orjson.dumps(twins.properties(self.identities.twin(device_id), metadata=False))

    def _report(self, device_id: str, number: str, body: bytes) -> dict[str, Any]:
        try:
            patch = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _answer(device_id, 400, number, b"")
        with self.identities.changed_twin(device_id) as twin:
            twins.patch_section(twin, "reported", patch)
            version = twin["reported"]["version"]
        return _answer(device_id, 204, number, b"", f"&$version={version}")

    # --- messages to devices ---

    async def _drain(self, device_id: str) -> None:
        """Bring the device what waits for it, one message after the other."""
        while device_id in self._connections and (message := self.mailbox.next(device_id)) is not None:
            if not await self._bring(device_id, message):
                self.mailbox.release(message.lock)
                return

    async def _bring(self, device_id: str, message: Message) -> bool:
        """Deliver a message on the topic that the device has subscribed to: some clients escape its id, some do not."""
        names = [device_id] if not set("#+") & set(device_id) else []
        names += [escaped] if (escaped := quote(device_id, safe="")) != device_id else []
        bag = _bag(device_id, message)
        try:
            for name in names:
                topic = f"devices/{name}/messages/devicebound/{bag}"
                if await self._deliver(device_id, topic, message.body, 1, message.lock):
                    return True
        except HubUnavailable:
            pass
        return False

    async def _deliver(self, device_id: str, topic: str, body: bytes, qos: int, lock: str | None) -> bool:
        text = base64.b64encode(body).decode()
        return bool(await self.tell("deliver", client=device_id, topic=topic, body=text, qos=qos, lock=lock))

    async def _deliver_method(self, device_id: str, topic: str, body: bytes) -> bool:
        return await self._deliver(device_id, topic, body, 0, None)

    async def _await_device(self, device_id: str, seconds: float) -> bool:
        self.identities.get(device_id)
        if device_id in self._connections or not seconds:
            return device_id in self._connections
        arrival = self._arrivals.setdefault(device_id, asyncio.Event())
        try:
            await asyncio.wait_for(arrival.wait(), seconds)
        except TimeoutError:
            return False
        # A client subscribes after it has connected.
        await asyncio.sleep(1)
        return device_id in self._connections

    # --- the rest ---

    def _changed(self, former: Identity, now: Identity | None) -> None:
        if now is None:
            self.mailbox.forget(former.device_id)
        if (now is None or now.admission != former.admission) and former.device_id in self._connections:
            self.start(self.tell("disconnect", client=former.device_id))

    def _seen(self, device_id: str) -> None:
        self._activity[device_id] = time.time()

    def _state(self, device_id: str) -> dict[str, Any]:
        seen, changed = self._activity.get(device_id), self._state_changed.get(device_id)
        return {
            "connectionState": "Connected" if device_id in self._connections else "Disconnected",
            "connectionStateUpdatedTime": NEVER if changed is None else text_of(changed),
            "lastActivityTime": NEVER if seen is None else text_of(seen),
            "cloudToDeviceMessageCount": self.mailbox.count(device_id),
        }


def _sections(body: Any) -> tuple[Any, Any]:
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(properties, dict | None):
        raise invalid("The body is an object with tags, properties.desired or both.")
    desired = None if properties is None else properties.get("desired")
    tags = body.get("tags")
    if not isinstance(desired, dict | None) or not isinstance(tags, dict | None):
        raise invalid("tags and properties.desired are objects.")
    return tags, desired


def _answer(device_id: str, status: int, number: str, body: bytes, more: str = "") -> dict[str, Any]:
    topic = f"$iothub/twin/res/{status}/?$rid={quote(number, safe='')}{more}"
    answer = {"client": device_id, "topic": topic, "body": base64.b64encode(body).decode(), "qos": 0}
    return {"publishes": [answer]}


def _bag(device_id: str, message: Message) -> str:
    """The properties behind a topic, as the service writes them: null is a name alone."""
    given = {"to": f"/devices/{device_id}/messages/devicebound", **message.properties}
    pairs = []
    for name, value in given.items():
        written = quote(_SHORT.get(name, name), safe="")
        pairs.append(written if value is None else f"{written}={quote(str(value), safe='')}")
    return "&".join(pairs)
