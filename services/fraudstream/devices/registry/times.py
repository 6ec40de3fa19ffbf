"""Times as the service writes them."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"


def now_text() -> str:
    """Now in UTC, to the millisecond: ``2026-01-31T09:30:00.125Z``."""
    return text_of(datetime.now(UTC).timestamp())


def text_of(seconds: float) -> str:
    """Seconds since 1970 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
