"""``python -m fraudstream.stream``: run the scoring job until SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading

import structlog

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.logs import configure_logging
from fraudstream.core.required import start_settings
from fraudstream.core.spark import checkpoint_options, spark_session


def main() -> int:
    """Returns the exit status."""
    log = structlog.get_logger(__name__)
    try:
        settings = start_settings("kafka", "scoring")
        configure_logging("stream", settings.log_level)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        from fraudstream.stream.job import run, session_options

        spark = spark_session(settings, "stream", **checkpoint_options(settings), **session_options(settings))
        run(spark, settings, stop)
        spark.stop()
    except FraudstreamError as error:
        log.error("stopped", reason=str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
