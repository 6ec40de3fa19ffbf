"""Structured logs without secrets: one JSON object a line on stderr, with ``level``, ``service``, ``event`` and ids."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from fraudstream.core.output.redaction import redacted

_QUIET = ("azure", "kafka", "pymongo", "httpx", "httpcore", "py4j", "mlflow", "urllib3", "alembic", "werkzeug")


def configure_logging(service: str, level: str = "INFO") -> None:
    """Log as ``service`` from here on; libraries log in the same form, and only from WARNING on."""

    def add_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        # A context variable would be missing in threads that others start, Spark's callbacks among them.
        return event if "service" in event else {**event, "service": service}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    # Without local variables: they hold addresses with their keys, and whole batches of data.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    last: list[Processor] = [
        structlog.processors.ExceptionRenderer(tracebacks),
        _without_secrets,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what stderr is at that moment: the one of the beginning may be closed when something is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Every text of the event, tracebacks included, without the secrets that this process knows."""
    return {name: redacted(value) for name, value in event.items()}
