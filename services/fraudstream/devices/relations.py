"""Parents and children, and what a device connects with, as the commands of `az iot hub device-identity` have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fraudstream.devices.client import HubClient
from fraudstream.devices.errors import invalid
from fraudstream.devices.registry.identities import parts_of_scope


class Relations(HubClient):
    """A client of a hub that knows what identities say of each other."""

    def scope_of(self, parent_id: str, is_edge: bool) -> dict[str, Any]:
        """What names the parent in a child's identity. Raises :class:`HubRefused` where it is no edge device."""
        scope = self._edge(parent_id)["deviceScope"]
        return {"parentScopes": [scope]} if is_edge else {"deviceScope": scope}

    def parent(self, device_id: str) -> dict[str, Any]:
        """The parent's identity. Raises :class:`HubRefused` for a device without one."""
        scopes = self.get(device_id).get("parentScopes") or []
        if not scopes:
            raise invalid(f"Device {device_id!r} doesn't have any parent device.")
        return self.get(parts_of_scope(scopes[0])[0])

    def children(self, device_id: str) -> list[str]:
        """The ids of the edge device's children. Raises :class:`HubRefused` for a device that is none."""
        scope = self._edge(device_id)["deviceScope"]
        quoted = scope.replace("'", "''")
        rows = self.query(f"SELECT deviceId FROM devices WHERE array_contains(parentScopes, '{quoted}')")  # noqa: S608
        return [str(row["deviceId"]) for row in rows]

    def add_children(self, parent_id: str, child_ids: Sequence[str], force: bool) -> None:
        """Give the devices that parent. Raises :class:`HubRefused` for one that has another, unless ``force``."""
        self._edge(parent_id)
        devices = [self.get(child_id.strip()) for child_id in child_ids]
        for device in devices:
            if device.get("parentScopes") and not force:
                raise invalid(f"Device {device['deviceId']!r} already has a parent device. --force overwrites it.")
        for device in devices:
            self._update(device, self.scope_of(parent_id, device["capabilities"]["iotEdge"]))

    def remove_children(self, parent_id: str, child_ids: Sequence[str] | None) -> None:
        """Take the parent away from these children, or from all. Raises :class:`HubRefused` for one that is none."""
        known = self.children(parent_id)
        wanted = known if child_ids is None else [child_id.strip() for child_id in child_ids]
        for child_id in wanted:
            if child_id not in known:
                raise invalid(f"Device {child_id!r} isn't a child of edge device {parent_id!r}.")
        if not wanted:
            raise invalid(f"There are no child devices of edge device {parent_id!r}.")
        for child_id in wanted:
            device = self.get(child_id)
            self._update(device, {"parentScopes": []} if device["capabilities"]["iotEdge"] else {"deviceScope": ""})

    def connection_string(self, device_id: str, key_type: str, gateway: str | None) -> str:
        """What a client library is given to connect as the device."""
        device = self.get(device_id)
        authentication = device["authentication"]
        text = f"HostName={self.host};DeviceId={device_id};"
        if authentication["type"] == "sas":
            text += f"SharedAccessKey={authentication['symmetricKey'][f'{key_type}Key']}"
        else:
            text += "x509=true"
        return text + (f";GatewayHostName={gateway}" if gateway else "")

    def _update(self, device: dict[str, Any], scopes: dict[str, Any]) -> None:
        kept = {name: value for name, value in device.items() if name not in ("deviceScope", "parentScopes")}
        self.put({**kept, **scopes}, device["etag"])

    def _edge(self, device_id: str) -> dict[str, Any]:
        device = self.get(device_id)
        if not device["capabilities"]["iotEdge"]:
            raise invalid(f"Device {device_id!r} should be an edge device: create it with --ee.")
        return device
