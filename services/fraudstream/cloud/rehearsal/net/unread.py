"""Counts what an endpoint could not read: a rehearsal that could not read requests has not tried them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


class Unreadable(ValueError):
    """Bytes that are no frame, message or body of the protocol; they are counted."""


@contextmanager
def reading(what: str, unread: Counter[str]) -> Iterator[None]:
    """Count any failure to read under ``what``, and raise it as :class:`Unreadable`.

    Any exception counts, because a parser of foreign bytes may fail in every way.
    """
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        unread[what] += 1
        log.warning("not_read", what=what, reason=f"{type(error).__name__}: {error}")
        raise Unreadable(f"{what}: {type(error).__name__}: {error}") from error
