"""Requests that an IoT hub puts off: 429 asks to come back later, and what counts by the minute is free in a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fraudstream.core.retry import Backoff

if TYPE_CHECKING:
    import httpx

_TOO_MANY_REQUESTS = 429
# Together somewhat more than a minute.
_PAUSES = Backoff(1.0, 15.0, jitter=(0.8, 1.2))
_MOST_PAUSES = 8
_LONGEST_ASKED_SECONDS = 60


def unthrottled(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer to a request, which is sent again while it is 429, for about a minute at most."""
    answer = send()
    for failures in range(1, _MOST_PAUSES + 1):
        if answer.status_code != _TOO_MANY_REQUESTS:
            break
        time.sleep(_PAUSES.seconds(failures, _asked_seconds(answer)))
        answer = send()
    return answer


def _asked_seconds(answer: httpx.Response) -> float:
    """What the answer asks to wait in whole seconds; 0 where it does not say."""
    asked = answer.headers.get("retry-after", "")
    return float(min(int(asked[:6]), _LONGEST_ASKED_SECONDS)) if asked.isascii() and asked.isdigit() else 0.0
