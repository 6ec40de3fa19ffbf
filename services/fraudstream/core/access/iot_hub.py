"""How services sign in to an IoT hub: a policy's connection string, the settings' or that of this data folder."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fraudstream.core.access import shared_access
from fraudstream.core.configuration.connection_strings import parts
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.redaction import register

API_VERSION = "2021-04-12"

_TOKEN_SECONDS = 3_600


def folder(settings: Settings) -> Path:
    """Where the hub of this data folder keeps what it keeps."""
    return settings.data_dir.absolute() / "devices"


def edge_folder(settings: Settings, device_id: str) -> Path:
    """Where an edge device keeps what it has not forwarded yet."""
    return settings.data_dir.absolute() / "edges" / quote(device_id, safe="")


def owner_file(settings: Settings) -> Path:
    """The file with the owner's connection string, which commands on this machine sign in with."""
    return folder(settings) / "owner.txt"


def token(resource: str, key: str, seconds: float = _TOKEN_SECONDS, policy: str = "") -> str:
    """A token for ``host[/devices/id]`` that holds for so many seconds, by a device's key or a policy's."""
    return shared_access.token(resource, decoded(key), int(time.time() + seconds), policy)


def decoded(key: str) -> bytes:
    """A key as it signs; an empty one for what is no Base64."""
    try:
        return base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return b""


@dataclass(frozen=True, slots=True)
class HubPolicy:
    """A policy of a hub; ``host`` is the name that devices know the hub by."""

    host: str
    name: str
    key: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> HubPolicy:
        """Read a connection string. Raises :class:`ConfigurationError`, which never repeats it."""
        given = parts(text)
        missing = [name for name in ("HostName", "SharedAccessKeyName", "SharedAccessKey") if not given.get(name)]
        if missing:
            raise ConfigurationError(
                f"The hub's connection string has no {missing[0]}. "
                "It is HostName=…;SharedAccessKeyName=…;SharedAccessKey=…"
            )
        policy = cls(given["HostName"], given["SharedAccessKeyName"], given["SharedAccessKey"])
        register([(policy.key, policy.name)])
        return policy

    def token(self) -> str:
        """A token for the hub that holds for an hour."""
        return token(self.host, self.key, policy=self.name)


def policy_of(settings: Settings, login: str | None = None) -> HubPolicy:
    """The policy of ``login``, the settings' or the one of this data folder. Raises :class:`ConfigurationError`."""
    given = login or settings.iot_hub_connection_string.get_secret_value()
    if given:
        return HubPolicy.parse(given)
    file = owner_file(settings)
    try:
        return HubPolicy.parse(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"There is no hub in {settings.data_dir.absolute()} ({file.name}: {error.strerror}). Start it with "
            "`fraudstream up --with devices`, or set FRAUDSTREAM_IOT_HUB_CONNECTION_STRING."
        ) from error
