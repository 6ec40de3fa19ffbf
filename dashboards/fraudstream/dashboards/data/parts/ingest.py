"""What the ingest service says of itself: whether events get through, and how many it refused, over HTTP."""

from __future__ import annotations

import re
from typing import Literal

import httpx

from fraudstream.core.access.address import posting_address, trusted
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import UnavailableError

_TIMEOUT_SECONDS = 2.0
_EVENTS = re.compile(r"^fraudstream_ingest_events_total (\S+)", re.M)
_FAILED = re.compile(r'^fraudstream_ingest_requests_total\{status="(?:429|5\d\d)"\} (\S+)', re.M)


def ingest_status(settings: Settings) -> tuple[Literal["ok", "failing"], str, int]:
    """Phase, words, and requests that were not taken for reasons of ours since its start.

    Raises :class:`UnavailableError` when nothing answers at its address.
    """
    address = posting_address(settings)
    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, verify=trusted(settings)) as client:
            health = client.get(f"{address}/health").json()
            counted = client.get(f"{address}/metrics").text
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise UnavailableError(f"does not answer at {address} ({type(error).__name__})") from error
    refused = round(sum(float(number) for number in _FAILED.findall(counted)))
    if health.get("status") != "ok":
        return "failing", str(health.get("reason", "")), refused
    events = sum(float(number) for number in _EVENTS.findall(counted))
    return "ok", f"has taken {events:,.0f} events", refused
