"""The edge device's process: its children's broker, and the way to the hub, until SIGTERM."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from fraudstream.core.access.iot_hub import edge_folder
from fraudstream.core.configuration.settings import Settings
from fraudstream.devices.broker.process import BrokerProcess
from fraudstream.devices.edge.gateway import Gateway
from fraudstream.devices.edge.scope import ask_scope, signer_of
from fraudstream.devices.serving import listeners, serve

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edge device listens for its children."""

    host: str
    port: int
    tls_port: int


def serve_edge(settings: Settings, device_id: str, place: Place, command: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`ConfigurationError`, :class:`RuntimePartError`."""
    signer = signer_of(settings, device_id)
    log.info("starting", edge=device_id, host=place.host, port=place.port, hub=signer.host)
    file = edge_folder(settings, device_id) / "outbox.sqlite3"
    gateway = Gateway(file, signer, partial(ask_scope, settings, signer))
    asyncio.run(_serve(settings, gateway, place, command))


async def _serve(settings: Settings, gateway: Gateway, place: Place, command: Sequence[str]) -> None:
    values: dict[str, Any] = {**listeners(settings), "host": place.host, "port": place.port}
    if "tls_port" in values:
        values["tls_port"] = place.tls_port
    broker = BrokerProcess(command, values, gateway)
    gateway.attach(broker)
    try:
        await serve(broker, [], [gateway.learn(), gateway.forward(), gateway.outbox.write()])
    finally:
        await gateway.close()
