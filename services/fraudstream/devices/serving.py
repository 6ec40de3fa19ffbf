"""The hub's process: REST API and broker, until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from fraudstream.core.access.iot_hub import owner_file
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.kafka.clients import spark_options
from fraudstream.core.process.part import HTTP_OPTIONS
from fraudstream.devices import places
from fraudstream.devices.broker.process import BrokerProcess
from fraudstream.devices.hub import Hub
from fraudstream.devices.service.app import create_app

_KEEP_ALIVE_SECONDS = 65
_SHUTDOWN_SECONDS = 3

log = structlog.get_logger(__name__)


def serve_hub(settings: Settings, command: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`ConfigurationError`, :class:`RuntimePartError`."""
    hub = Hub(places.registry_file(settings), places.hosts(settings))
    try:
        hub.policies.write_connection_string(owner_file(settings), settings.iot_hub_host)
        broker = BrokerProcess(command, {**listeners(settings), **_telemetry(settings)}, hub)
        hub.attach(broker)
        app = create_app(hub, broker.ready.is_set)
        log.info("starting", host=settings.bind_host, port=settings.iot_hub_port, mqtt_port=settings.mqtt_port)
        asyncio.run(serve(broker, [rest_server(app, settings, settings.iot_hub_port)], [hub.redeliver()]))
    finally:
        hub.close()


def listeners(settings: Settings) -> dict[str, Any]:
    """Where the broker listens, and what it shows there."""
    values: dict[str, Any] = {"host": settings.bind_host, "port": settings.mqtt_port}
    if settings.tls_certificate is not None:
        key = settings.tls_key or settings.tls_certificate
        values |= {"tls_port": settings.mqtt_tls_port, "certificate": str(settings.tls_certificate.absolute())}
        values |= {"key": str(key.absolute())}
        if settings.mqtt_client_cafile is not None:
            values["authorities"] = str(settings.mqtt_client_cafile.absolute())
    return values


def _telemetry(settings: Settings) -> dict[str, Any]:
    # Spark's options are those of the same Java client, with a prefix.
    kafka = {name.removeprefix("kafka."): value for name, value in spark_options(settings).items()}
    kafka["max.request.size"] = str(settings.kafka_max_request_bytes)
    return {"topic": settings.iot_hub_topic, "kafka": kafka}


def rest_server(app: FastAPI, settings: Settings, port: int) -> uvicorn.Server:
    """The server of an application; with TLS where the hub's address says so."""
    tls: dict[str, Any] = {}
    if settings.iot_hub_url.startswith("https:") and settings.tls_certificate is not None:
        tls = {"ssl_certfile": settings.tls_certificate, "ssl_keyfile": settings.tls_key or settings.tls_certificate}
    return _Server(
        uvicorn.Config(
            app,
            host=settings.bind_host,
            port=port,
            lifespan="off",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            **HTTP_OPTIONS,
            **tls,
        )
    )


async def serve(broker: BrokerProcess, servers: Sequence[uvicorn.Server], duties: Sequence[Any]) -> None:
    """Run all of it until a signal, or until the broker cannot start. Raises :class:`RuntimePartError`."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    answering = [asyncio.ensure_future(server.serve()) for server in servers]
    running = [asyncio.ensure_future(work) for work in (broker.run(), *duties)] + answering
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ending.set)
    stopped = asyncio.ensure_future(ending.wait())
    done, _ = await asyncio.wait([stopped, *running], return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await broker.stop()
    if answering:
        await asyncio.wait(answering, timeout=_SHUTDOWN_SECONDS)
    for work in running:
        work.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for work in done:
        if work is not stopped:
            work.result()


class _Server(uvicorn.Server):
    """A server beside others in one process, which alone handles the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
