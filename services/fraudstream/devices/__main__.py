"""``python -m fraudstream.devices -- COMMAND``: serve until SIGTERM; COMMAND runs the MQTT broker."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process.environment import adopt
from fraudstream.core.process.part import exit_status


def serve(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT. Raises :class:`ConfigurationError`, :class:`RuntimePartError`."""
    parser = argparse.ArgumentParser(prog="fraudstream.devices", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--edge", metavar="ID", help="serve as this edge device, and not as a hub")
    parser.add_argument("--host", default="127.0.0.1", help="where the edge device listens")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls-port", type=int, default=0)
    parser.add_argument("command", nargs="+", help="runs the MQTT broker")
    options = parser.parse_args(arguments)
    settings = start_settings() if options.edge else start_settings("kafka")
    configure_logging("edge" if options.edge else "devices", settings.log_level)
    if options.edge:
        from fraudstream.devices.edge.serving import Place, serve_edge

        serve_edge(settings, options.edge, Place(options.host, options.port, options.tls_port), options.command)
    else:
        from fraudstream.devices.serving import serve_hub

        serve_hub(settings, options.command)


if __name__ == "__main__":
    adopt()
    sys.exit(exit_status(partial(serve, sys.argv[1:])))
