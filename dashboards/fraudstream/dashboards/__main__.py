"""``python -m fraudstream.dashboards``: serve the pages until the process is ended."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import structlog
from werkzeug.serving import make_server

from fraudstream.core.documents import database
from fraudstream.core.errors import FraudstreamError, PortTaken
from fraudstream.core.logs import configure_logging
from fraudstream.core.required import start_settings
from fraudstream.core.settings import Settings
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.feed import Feed
from fraudstream.dashboards.queries import read_snapshot

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve on ``bind_host:dashboard_port``; raises :class:`PortTaken` when another process listens there."""
    # A page waits for one read at most, so that a store that is away is told within seconds.
    store = database(settings, serverSelectionTimeoutMS=2_000, connectTimeoutMS=2_000, socketTimeoutMS=5_000)
    with Feed(lambda: read_snapshot(store, datetime.now(UTC))) as feed:
        app = create_app(settings, feed)
        try:
            server = make_server(settings.bind_host, settings.dashboard_port, app.server, threaded=True)
        # werkzeug ends the process itself when it cannot bind.
        except (OSError, SystemExit) as error:
            raise PortTaken(
                f"The dashboards cannot listen on {settings.bind_host}:{settings.dashboard_port}. "
                "End the process that does, or set FRAUDSTREAM_DASHBOARD_PORT."
            ) from error
        log.info("serving", url=settings.dashboard_url, host=settings.bind_host, port=settings.dashboard_port)
        server.serve_forever()


def main() -> int:
    """Exit status 0 on interruption, else the error's own."""
    try:
        settings = start_settings("mongo")
        configure_logging("dashboards", settings.log_level)
        serve(settings)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
