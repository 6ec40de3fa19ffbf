"""Errors of one reader's own request, as text for the page instead of a failed callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.text import printable

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
_LONGEST = 2_000


def told(ask: Callable[[], Answer]) -> Answer | str:
    """The answer, or why there is none in words."""
    try:
        return ask()
    except FraudstreamError as error:
        return printable(str(error), _LONGEST)
    # A document may hold anything; the reader is told and the page goes on.
    except Exception as error:
        log.exception("request_failed")
        return f"This cannot be shown ({type(error).__name__}: {printable(str(error), 200)})."
