"""``python -m fraudstream.dashboards``: serve the pages until the process is stopped."""

from __future__ import annotations

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

# A refresh takes milliseconds. More threads than that needs serve others while some wait for a lost store.
_THREADS = 8

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve on ``bind_host:dashboard_port`` until interrupted.

    Raises :class:`PortTaken` if another process listens there, :class:`ConfigurationError` if strangers could see the
    pages.
    """
    # They read the project, and what is wrong with it is told as the rest is.
    from fraudstream.dashboards.app import create_app
    from fraudstream.dashboards.data.sources import Sources

    app = create_app(settings, sources := Sources.of(settings))
    try:
        server = create_server(
            app.server,
            host=settings.bind_host,
            port=settings.dashboard_port,
            threads=_THREADS,
            ident=None,
            # Further browsers wait in the operating system's queue, where they take no memory of this process.
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
    """Run :func:`serve`; returns 0 after an interruption, else the error's exit status."""
    try:
        settings = start_settings("mongo")
        configure_logging("dashboards", settings.log_level)
        signal.signal(signal.SIGTERM, _interrupt)
        serve(settings)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    adopt()
    sys.exit(main())
