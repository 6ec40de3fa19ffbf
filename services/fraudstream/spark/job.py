"""A streaming job as a process: its settings, its session, and its end at SIGTERM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from fraudstream.core.configuration.required import Need, start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.logs import configure_logging

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What runs until the event is set, and what its session needs beside the usual.
Job = tuple[Callable[["SparkSession", Settings, threading.Event], None], Callable[[Settings], dict[str, str]]]


def run_job(service: str, needs: tuple[Need, ...], load: Callable[[], Job]) -> int:
    """Run a job until SIGTERM or SIGINT; returns the exit status.

    ``needs`` are the parts that the settings have to name. ``load`` imports the job, once the signals are handled.
    """
    log = structlog.get_logger(__name__)
    try:
        settings = start_settings(*needs)
        configure_logging(service, settings.log_level)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        # They read the project, and what is wrong with it is told as the rest is.
        from fraudstream.spark.session import checkpoint_options, spark_session

        run, session_options = load()
        spark = spark_session(settings, service, **checkpoint_options(settings), **session_options(settings))
        run(spark, settings, stop)
        spark.stop()
    except FraudstreamError as error:
        log.error("stopped", reason=str(error))
        return error.exit_status
    return 0
