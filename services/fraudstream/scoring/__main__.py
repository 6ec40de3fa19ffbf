"""``python -m fraudstream.scoring``: serve until SIGTERM."""

from __future__ import annotations

import logging
import sys

import structlog

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process.environment import adopt
from fraudstream.core.process.part import exit_status, serve_http

# Longer than the stream job keeps an idle connection: the side that sends has to be the one that closes.
_KEEP_ALIVE_SECONDS = 130
_SHUTDOWN_SECONDS = 5


def serve() -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`ConfigurationError`."""
    settings = start_settings("registry", "scoring_key")
    configure_logging("scoring", settings.log_level)
    # They read the project, and what is wrong with it is told as the rest is.
    from fraudstream.scoring.app import create_app
    from fraudstream.scoring.champion import ServedChampion

    # The follower of the champion reports a registry that is away once; urllib3 would at each attempt.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    structlog.get_logger(__name__).info("starting", host=settings.bind_host, port=settings.scoring_port)
    serve_http(
        lambda: create_app(ServedChampion(settings), settings),
        settings.bind_host,
        settings.scoring_port,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    adopt()
    sys.exit(exit_status(serve))
