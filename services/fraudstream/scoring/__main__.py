"""``python -m fraudstream.scoring``: serve until SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys

import structlog
import uvicorn

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process.environment import adopt

# Longer than the stream job keeps an idle connection: the side that sends has to be the one that closes.
_KEEP_ALIVE_SECONDS = 130
_SHUTDOWN_SECONDS = 5


def main() -> int:
    """Returns the exit status."""
    log = structlog.get_logger(__name__)
    try:
        settings = start_settings("registry", "scoring_key")
        configure_logging("scoring", settings.log_level)
        # They read the project, and what is wrong with it is told as the rest is.
        from fraudstream.scoring.app import create_app
        from fraudstream.scoring.champion import ServedChampion

        # The follower of the champion reports a registry that is away once; urllib3 would at each attempt.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        # uvicorn raises the signal that stopped it once more after its shutdown; to be stopped is no failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
        log.info("starting", host=settings.bind_host, port=settings.scoring_port)
        uvicorn.run(
            create_app(ServedChampion(settings), settings),
            host=settings.bind_host,
            port=settings.scoring_port,
            access_log=False,
            log_level="warning",
            log_config=None,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
    except FraudstreamError as error:
        log.error("stopped", reason=str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    adopt()
    sys.exit(main())
