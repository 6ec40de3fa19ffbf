"""A device's connection to an IoT hub over MQTT, ours or Azure's alike.

Source: "Communicate with an IoT hub using the MQTT protocol" of the service's documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from fraudstream.core.access.iot_hub import API_VERSION

MOST_IN_FLIGHT = 20

_TLS_PORT, _PLAIN_PORT = 8883, 1883
_KEEP_ALIVE_SECONDS = 60
_LEAST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 1, 10


def device_client(host: str, device_id: str, password: Callable[[], str], **options: Any) -> mqtt.Client:
    """A client for a device of the hub that calls itself ``host``, not connected yet. ``options``: paho's own."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device_id, protocol=mqtt.MQTTv311, **options)
    client.max_inflight_messages_set(MOST_IN_FLIGHT)
    client.reconnect_delay_set(_LEAST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS)
    user = f"{host}/{device_id}/?api-version={API_VERSION}"
    # Before each connection: the token of the last one may be over.
    client.on_pre_connect = lambda connecting, _data: connecting.username_pw_set(user, password())
    return client


def connect(client: mqtt.Client, host: str, url: str) -> None:
    """Connect in a thread of the client's own, and again whenever the connection ends.

    ``url``: ``mqtt://`` or ``mqtts://`` with host and port; empty for ``host`` with TLS.
    """
    address = urlsplit(url or f"mqtts://{host}")
    has_tls = address.scheme == "mqtts"
    if has_tls:
        client.tls_set()
    port = address.port or (_TLS_PORT if has_tls else _PLAIN_PORT)
    client.connect_async(address.hostname or host, port, _KEEP_ALIVE_SECONDS)
    client.loop_start()
