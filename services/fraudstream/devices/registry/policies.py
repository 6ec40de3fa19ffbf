"""The hub's policies: names with keys, and what each allows.

Source: "Control access to IoT Hub using Shared Access Signatures" of the service's documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import orjson

from fraudstream.core.access.shared_access import SharedAccessToken, new_key
from fraudstream.core.process import private_file
from fraudstream.devices import tokens
from fraudstream.devices.errors import unauthorized
from fraudstream.devices.registry.database import Database, packed

Right = Literal["RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"]

POLICIES: dict[str, tuple[Right, ...]] = {
    "iothubowner": ("RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"),
    "service": ("ServiceConnect",),
    "device": ("DeviceConnect",),
    "registryRead": ("RegistryRead",),
    "registryReadWrite": ("RegistryRead", "RegistryWrite"),
}
OWNER = "iothubowner"


class Policies:
    """The policies in the database, with keys that were made when it was."""

    def __init__(self, database: Database) -> None:
        self._keys: dict[str, list[str]] = {}
        with database.transaction():
            for name in POLICIES:
                row = database.row("SELECT value FROM policies WHERE name = ?", name)
                if row is None:
                    keys = [new_key(), new_key()]
                    database.change("INSERT INTO policies (name, value) VALUES (?, ?)", name, packed(keys))
                self._keys[name] = keys if row is None else orjson.loads(row[0])

    def keys(self, name: str) -> list[str]:
        """The policy's primary and secondary key; none of a policy that is not there."""
        return self._keys.get(name, [])

    def check(self, token: SharedAccessToken, *rights: Right) -> None:
        """Raise :class:`HubRefused` unless a policy with one of the rights has signed the token."""
        name = token.key_name
        tokens.check(token, self.keys(name))
        if not set(rights) & set(POLICIES[name]):
            raise unauthorized(f"The policy {name!r} has none of the rights {', '.join(sorted(rights))}.")

    def write_connection_string(self, file: Path, host: str) -> None:
        """Write the owner's connection string where this machine's commands read it, for this user alone."""
        text = f"HostName={host};SharedAccessKeyName={OWNER};SharedAccessKey={self.keys(OWNER)[0]}\n"
        private_file.write(file, text.encode())
