"""``python -m fraudstream.ingest``: serve until SIGTERM."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from functools import partial

import structlog

from fraudstream.core.access.policies import connection_string, policies
from fraudstream.core.access.tls import check_certificate
from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.output.redaction import parts_of, register
from fraudstream.core.process.environment import adopt
from fraudstream.core.process.part import exit_status, serve_http
from fraudstream.ingest.access.quota import Quota
from fraudstream.ingest.access.tokens import Gate
from fraudstream.ingest.access.web_tokens import WebTokens
from fraudstream.ingest.app import Service, create_app
from fraudstream.ingest.hubs import Hubs, partitions_in
from fraudstream.ingest.protocol import Protocol
from fraudstream.ingest.sender import DELIVERY_SECONDS, Sender

# A body of 1 MB arrives within this time over a line of 0.5 Mbit/s.
_BODY_SECONDS = 20.0
# Beyond, a connection is answered 503 (event-hubs-quotas: 5,000 a namespace in Standard).
_MOST_CONNECTIONS = 2_000
_TURN_SECONDS = 0.0005
# As long as Azure's load balancers keep an idle connection.
_KEEP_ALIVE_SECONDS = 240


def service(settings: Settings) -> Service:
    """The service as the settings say. Raises :class:`ConfigurationError`."""
    text = connection_string(settings)
    register((part, "") for string in text.split() for part in parts_of(string))
    return Service(
        Gate(policies(text), WebTokens.of(settings), settings.ingest_clock_skew_seconds),
        Hubs(settings.ingest_hubs.replace(",", " ").split(), partial(partitions_in, settings)),
        Quota(settings.ingest_throughput_units),
        Sender.of(settings),
        _BODY_SECONDS,
    )


def _allow_connections() -> None:
    """Let the process have as many sockets as it lets in: systems allow 1,024 by default, and more on request."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * _MOST_CONNECTIONS
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def serve() -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`ConfigurationError`."""
    settings = start_settings("kafka")
    check_certificate(settings)
    # The event loop, the sender and Kafka's client take turns several times a request. With Python's own 5 ms
    # between forced turns, half as many requests get through.
    sys.setswitchinterval(_TURN_SECONDS)
    _allow_connections()
    configure_logging("ingest", settings.log_level)
    # It logs each attempt to reach a broker that is away; the service says once what is the matter.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    # Likewise what anybody sends who does not speak HTTP.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    structlog.get_logger(__name__).info(
        "starting", host=settings.bind_host, port=settings.ingest_port, tls=settings.tls_certificate is not None
    )
    serve_http(
        lambda: create_app(service(settings)),
        settings.bind_host,
        settings.ingest_port,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        http=Protocol,
        ws="none",
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # What was taken in is acknowledged before the end, where the broker answers.
        timeout_graceful_shutdown=min(DELIVERY_SECONDS, 10),
    )


if __name__ == "__main__":
    adopt()
    sys.exit(exit_status(serve))
