"""What an endpoint was sent and could not read: counted, because a rehearsal that read nothing has tried nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


class Unreadable(ValueError):
    """A frame, message or body that is none; it has been counted."""


@contextmanager
def reading(what: str, unread: Counter[str]) -> Iterator[None]:
    """Count any failure to read under ``what``, and raise it as :class:`Unreadable`.

    Any, because a parser that is fed with something else fails in whatever way its next step does.
    """
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        unread[what] += 1
        log.warning("not_read", what=what, reason=f"{type(error).__name__}: {error}")
        raise Unreadable(f"{what}: {type(error).__name__}: {error}") from error
