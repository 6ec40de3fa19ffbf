"""What the hub is called, and where it keeps what it keeps."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from fraudstream.core.access.iot_hub import folder
from fraudstream.core.configuration.settings import Settings


def hosts(settings: Settings) -> tuple[str, ...]:
    """The names that the hub goes by, the one of connection strings first."""
    return settings.iot_hub_host, f"{settings.iot_hub}.azure-devices.net"


def registry_file(settings: Settings) -> Path:
    """The registry's file."""
    return folder(settings) / "registry.sqlite3"


def edge_folder(settings: Settings, device_id: str) -> Path:
    """Where an edge device keeps what it has not forwarded yet."""
    return settings.data_dir.absolute() / "edges" / quote(device_id, safe="")
