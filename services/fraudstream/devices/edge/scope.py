"""What an edge device asks its hub: who it is itself, and who its children are."""

from __future__ import annotations

from typing import Any

from fraudstream.core.access.iot_hub import policy_of
from fraudstream.core.configuration.connection_strings import parts
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.redaction import register
from fraudstream.devices.client import HubClient
from fraudstream.devices.edge.upstream import Signer
from fraudstream.devices.relations import Relations

# Less than the broker waits for the answer to a CONNECT.
_TIMEOUT_SECONDS = 10.0


def signer_of(settings: Settings, device_id: str) -> Signer:
    """The edge device, from its connection string. Raises :class:`ConfigurationError`, and what the hub refuses."""
    text = settings.iot_edge_connection_string.get_secret_value()
    if not text:
        with Relations(policy_of(settings), settings.iot_hub_url) as hub:
            if not hub.get(device_id)["capabilities"]["iotEdge"]:
                raise ConfigurationError(
                    f"{device_id!r} is no edge device. `fraudstream device update -d {device_id} --ee` makes it one."
                )
            text = hub.connection_string(device_id, "primary", None)
    given = parts(text)
    if not {"HostName", "DeviceId", "SharedAccessKey"} <= given.keys() or given["DeviceId"] != device_id:
        raise ConfigurationError(
            f"FRAUDSTREAM_IOT_EDGE_CONNECTION_STRING is not {device_id!r}'s. "
            "`fraudstream device connection-string show` has it: HostName=…;DeviceId=…;SharedAccessKey=…"
        )
    register([(given["SharedAccessKey"], device_id)])
    return Signer(given["HostName"], settings.iot_hub_mqtt_url, device_id, given["SharedAccessKey"])


def ask_scope(settings: Settings, signer: Signer) -> list[dict[str, Any]]:
    """The edge device and its children, with their keys. Raises :class:`HubRefused`, :class:`HubUnavailable`."""
    with HubClient(signer, settings.iot_hub_url, _TIMEOUT_SECONDS) as hub:
        return hub.in_scope(signer.device_id)
