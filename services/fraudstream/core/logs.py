"""Structured logs: one JSON object a line on stderr, with ``level``, ``service``, ``event`` and ids."""

from __future__ import annotations

import logging
import sys

import structlog

_QUIET = ("kafka", "pymongo", "httpx", "httpcore", "py4j", "mlflow", "urllib3", "alembic", "werkzeug")


def configure_logging(service: str, level: str = "INFO") -> None:
    """Log as ``service`` from here on; libraries speak only from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
