"""What the IoT hub of this system says of itself: whether devices can connect, and how many are connected."""

from __future__ import annotations

from typing import Literal

import httpx

from fraudstream.core.access.address import trusted
from fraudstream.core.access.iot_hub import API_VERSION, policy_of
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError, UnavailableError

_TIMEOUT_SECONDS = 2.0


def devices_status(settings: Settings) -> tuple[Literal["ok", "failing"], str, None]:
    """Phase, words, and None: a hub counts no errors.

    Raises :class:`UnavailableError` when nothing answers at its address.
    """
    address = settings.iot_hub_url.rstrip("/")
    try:
        with httpx.Client(base_url=address, timeout=_TIMEOUT_SECONDS, verify=trusted(settings)) as client:
            health = client.get("/health")
            if not health.is_success:
                return "failing", str(health.json()["status"]), None
            return "ok", _counts(client, settings), None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, OSError) as error:
        raise UnavailableError(f"does not answer at {address} ({type(error).__name__})") from error


def _counts(client: httpx.Client, settings: Settings) -> str:
    try:
        policy = policy_of(settings)
    except ConfigurationError:
        # On another machine than the hub's, without a connection string: only its health is for everybody.
        return "devices can connect"
    headers, version = {"Authorization": policy.token()}, {"api-version": API_VERSION}
    numbers = [
        int(client.get(f"/statistics/{place}", params=version, headers=headers).raise_for_status().json()[name])
        for place, name in (("service", "connectedDeviceCount"), ("devices", "totalDeviceCount"))
    ]
    return f"{numbers[0]:,} of {numbers[1]:,} devices are connected"
