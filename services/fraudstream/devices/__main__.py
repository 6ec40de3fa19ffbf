"""``python -m fraudstream.devices -- COMMAND``: serve until SIGTERM; COMMAND runs the MQTT broker."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import structlog

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process.environment import adopt


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    log = structlog.get_logger(__name__)
    parser = argparse.ArgumentParser(prog="fraudstream.devices", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--edge", metavar="ID", help="serve as this edge device, and not as a hub")
    parser.add_argument("--host", default="127.0.0.1", help="where the edge device listens")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls-port", type=int, default=0)
    parser.add_argument("command", nargs="+", help="runs the MQTT broker")
    options = parser.parse_args(arguments)
    try:
        settings = start_settings() if options.edge else start_settings("kafka")
        configure_logging("edge" if options.edge else "devices", settings.log_level)
        if options.edge:
            from fraudstream.devices.edge.serving import Place, serve_edge

            serve_edge(settings, options.edge, Place(options.host, options.port, options.tls_port), options.command)
        else:
            from fraudstream.devices.serving import serve_hub

            serve_hub(settings, options.command)
    except FraudstreamError as error:
        log.error("stopped", reason=str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    adopt()
    sys.exit(main(sys.argv[1:]))
