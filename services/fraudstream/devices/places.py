"""What the hub is called, and where it keeps its registry."""

from __future__ import annotations

from pathlib import Path

from fraudstream.core.access.iot_hub import folder
from fraudstream.core.configuration.settings import Settings


def hosts(settings: Settings) -> tuple[str, ...]:
    """The names that the hub goes by, the one of connection strings first."""
    return settings.iot_hub_host, f"{settings.iot_hub}.azure-devices.net"


def registry_file(settings: Settings) -> Path:
    """The registry's file."""
    return folder(settings) / "registry.sqlite3"
