"""What must hold before parts are started: folders and a disk that can be used, and ports that nobody listens on."""

from __future__ import annotations

import contextlib
import errno
import random
import shutil
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import PortTaken, RuntimePartError
from fraudstream.core.process import folders
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.state import run_dir

LEAST_FREE_BYTES = 500_000_000

_LISTENERS_PORTS = range(20_000, 32_768)
_GIVEN: set[int] = set()

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def runs_here(settings: Settings) -> bool:
    """Whether the settings name the broker that this machine's supervisor starts, and not one elsewhere."""
    host, _, port = settings.kafka_bootstrap_servers.strip().rpartition(":")
    return port == str(settings.kafka_port) and host.strip("[]") in (*_LOOPBACK, settings.bind_host)


def port_variables(settings: Settings) -> dict[int, str]:
    """Port → the environment variable that changes it."""
    names = [name for name in type(settings).model_fields if name.endswith("_port")]
    return {getattr(settings, name): f"{ENV_PREFIX}{name.upper()}" for name in names}


def check_ports(parts: Iterable[Part], host: str, variables: Mapping[int, str]) -> None:
    """Raise :class:`PortTaken` for the first port that is in use, or that two parts want."""
    owners: dict[int, str] = {}
    for part in parts:
        for port in part.ports:
            if port in owners:
                raise PortTaken(
                    f"Port {port} is set for both {owners[port]} and {part.name}. {_advice(port, variables)}"
                )
            owners[port] = part.name
            if not _is_free(host, port):
                raise PortTaken(
                    f"Port {port}, which {part.name} needs, is taken{_holder(port)}. "
                    f"End that process, or {_advice(port, variables, lower=True)}"
                )


def check_data_folder(settings: Settings) -> None:
    """Raise :class:`ConfigurationError` where the supervisor could not write to the data folder."""
    folder = settings.data_dir.resolve()
    # The folders that it writes to before any part does: another user may have started it here before.
    for place in (folder, run_dir(folder), folder / "logs"):
        folders.require_writable(place)


def check_disk(data_dir: Path, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
    """Raise :class:`RuntimePartError` when the data folder's disk has too little room."""
    free = shutil.disk_usage(data_dir).free
    if free < least_free_bytes:
        raise RuntimePartError(
            f"Only {free / 1e6:.0f} MB are free on the disk of {data_dir}, and {least_free_bytes / 1e6:.0f} MB are "
            "needed. Free some, or set FRAUDSTREAM_DATA_DIR to a folder on another disk."
        )


def _advice(port: int, variables: Mapping[int, str], lower: bool = False) -> str:
    variable = variables.get(port, "its port variable")
    return f"{'set' if lower else 'Set'} {variable} to another port."


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _holder(port: int) -> str:
    # macOS shows other processes' connections to root only.
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now; never the same twice in one process.

    Below the range from which systems take a connection's own port (32768 on Linux, 49152 elsewhere), so that none is
    taken between this answer and the listener's start.

    Raises
    ------
    RuntimePartError
        None is free.
    """
    left = [port for port in _LISTENERS_PORTS if port not in _GIVEN]
    for port in random.sample(left, len(left)):
        if _is_free("127.0.0.1", port):
            _GIVEN.add(port)
            return port
    raise RuntimePartError(f"No port from {_LISTENERS_PORTS[0]} to {_LISTENERS_PORTS[-1]} is free. Stop some services.")
