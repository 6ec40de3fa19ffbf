"""Errors of one reader's request, as text for the page instead of a failed callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


def answer_or_reason(ask: Callable[[], Answer]) -> Answer | str:
    """The answer of ``ask``, or the reason in words why there is none."""
    try:
        return ask()
    except FraudstreamError as error:
        return error_text(error)
    # A document may hold anything: the reader sees the error, and the page still works.
    except Exception as error:
        log.exception("request_failed")
        return f"This cannot be shown ({error_text(error)})."
