"""``python -m fraudstream.dashboards``: serve the pages until the process is ended."""

from __future__ import annotations

import importlib
import importlib.util
import signal
import sys
from types import FrameType

import structlog
from waitress.server import create_server

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError, PortTaken
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process.environment import adopt
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data.sources import Sources

# A refresh takes milliseconds; threads are for the requests that wait for a store that is away.
_THREADS = 8

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve on ``bind_host:dashboard_port`` until interrupted.

    Raises :class:`PortTaken` when another process listens there, :class:`ConfigurationError` where strangers could
    see the pages.
    """
    # Plotly's encoder uses a pandas that is imported already, even one that MLflow's import in a poller's thread has
    # only begun: where there is one, it is imported before anybody is served.
    if importlib.util.find_spec("pandas"):
        importlib.import_module("pandas")
    app = create_app(settings, sources := Sources.of(settings))
    try:
        server = create_server(
            app.server,
            host=settings.bind_host,
            port=settings.dashboard_port,
            threads=_THREADS,
            ident=None,
            # Beyond it a browser waits in the system's queue instead of taking memory here.
            connection_limit=500,
            channel_timeout=120,
        )
    except OSError as error:
        raise PortTaken(
            f"The dashboards cannot listen on {settings.bind_host}:{settings.dashboard_port}. "
            "End the process that does, or set FRAUDSTREAM_DASHBOARD_PORT."
        ) from error
    with sources:
        log.info("serving", url=settings.dashboard_url, host=settings.bind_host, port=settings.dashboard_port)
        server.run()


def main() -> int:
    """Exit status 0 on interruption, else the error's own."""
    try:
        settings = start_settings("mongo")
        configure_logging("dashboards", settings.log_level)
        signal.signal(signal.SIGTERM, _end)
        serve(settings)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    adopt()
    sys.exit(main())
