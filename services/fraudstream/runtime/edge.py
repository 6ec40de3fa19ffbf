"""``fraudstream edge``: become the process that serves an edge device's children."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from fraudstream.core.access.iot_hub import edge_folder
from fraudstream.core.configuration.settings import load_settings
from fraudstream.runtime.parts import devices
from fraudstream.runtime.parts.local import frugal_environment


def edge(
    device_id: Annotated[str, typer.Option("-d", "--device-id", help="Id of the edge device.")],
    host: Annotated[str, typer.Option(help="Address that children connect to.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port without TLS.")] = 1884,
    tls_port: Annotated[int, typer.Option(min=1, max=65_535, help="Port with TLS, if there is a certificate.")] = 8884,
) -> None:
    """Serve an edge device's children: store what they send, and forward it to the hub; Ctrl-C stops it."""
    settings = load_settings()
    folder = edge_folder(settings, device_id)
    devices.prepare(folder)
    words = devices.command(
        settings, ("--edge", device_id, "--host", host, "--port", str(port), "--tls-port", str(tls_port))
    )
    # A data folder may be named from here.
    variables = {**os.environ, **frugal_environment(settings)}
    os.chdir(folder)
    os.execve(words[0], words, variables)  # noqa: S606
