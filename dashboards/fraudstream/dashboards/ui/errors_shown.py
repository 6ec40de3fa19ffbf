"""Errors of one reader's own request, as text for the page instead of a failed callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


def told(ask: Callable[[], Answer]) -> Answer | str:
    """The answer, or why there is none in words."""
    try:
        return ask()
    except FraudstreamError as error:
        return error_text(error)
    # A document may hold anything; the reader is told and the page goes on.
    except Exception as error:
        log.exception("request_failed")
        return f"This cannot be shown ({error_text(error)})."
