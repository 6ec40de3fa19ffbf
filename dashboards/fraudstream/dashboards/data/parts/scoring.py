"""What the scoring service says of itself: its health and its count of answers, over HTTP."""

from __future__ import annotations

import re
from typing import Literal

import httpx

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ScoringUnavailable

_TIMEOUT_SECONDS = 2.0
_FAILED = re.compile(r'^fraudstream_scoring_requests_total\{[^}]*endpoint="/(?:score|invocations)"[^}]*\} (\S+)', re.M)


def scoring_status(settings: Settings) -> tuple[Literal["ok", "idle", "away"], str, int | None]:
    """Phase, words, and failed scoring requests since its start (None where it does not count them).

    Raises :class:`ScoringUnavailable` when nothing answers at its address.
    """
    if settings.scoring == "embedded":
        return "ok", "embedded: the stream job scores by itself", None
    base = settings.scoring_url.rstrip("/")
    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            health = client.get(f"{base}/health")
            if health.status_code == httpx.codes.OK:
                errors = failed_requests(client.get(f"{base}/metrics").text)
                return "ok", f"serves version {health.json().get('model_version', '?')}", errors
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ScoringUnavailable(f"does not answer at {base} ({type(error).__name__})") from error
    if health.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return "idle", "has no champion yet", None
    # An Azure ML endpoint has no such address, but it is there.
    return "ok", f"answers (HTTP {health.status_code} at /health)", None


def failed_requests(exposition: str) -> int | None:
    """Scoring requests that were answered with an error, from Prometheus' text; None where none are counted at all."""
    counts = [(line.group(0), float(line.group(1))) for line in _FAILED.finditer(exposition)]
    if not counts and "fraudstream_scoring_requests" not in exposition:
        return None
    return round(sum(number for labels, number in counts if not re.search(r'status="2\d\d"', labels)))
