"""Terminals that are registered as devices of the hub, ours or Azure's alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from fraudstream.core.access.iot_hub import API_VERSION, policy_of, token
from fraudstream.core.access.throttled import unthrottled
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable
from fraudstream.core.output.text import error_text, told_text

MOST_DEVICES = 1_000

_TIMEOUT_SECONDS = 30.0
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Terminal:
    """A device that may connect, and the hub's name for itself."""

    device_id: str
    host: str
    key: str = field(repr=False)

    def password(self) -> str:
        """A token that holds for an hour."""
        return token(f"{self.host}/devices/{self.device_id}", self.key)

    @property
    def topic(self) -> str:
        """Where it sends events in JSON."""
        return f"devices/{self.device_id}/messages/events/$.ct=application%2Fjson&$.ce=utf-8"


def registered(settings: Settings, count: int) -> list[Terminal]:
    """So many terminals, `terminal-1` and so on; those that are missing are created.

    Raises :class:`ConfigurationError` without a policy, :class:`BrokerUnavailable` and :class:`BrokerRefused` where the
    hub does not answer, or does not register devices.
    """
    policy = policy_of(settings)
    url = settings.iot_hub_url or f"https://{policy.host}"
    with httpx.Client(base_url=url.rstrip("/"), timeout=_TIMEOUT_SECONDS) as client:
        headers = {"Authorization": policy.token()}
        return [Terminal(name, policy.host, _key(client, name, headers)) for name in _names(count)]


def _names(count: int) -> Iterator[str]:
    return (f"terminal-{number}" for number in range(1, count + 1))


def _key(client: httpx.Client, device_id: str, headers: dict[str, str]) -> str:
    path, query = f"/devices/{device_id}", {"api-version": API_VERSION}
    identity: dict[str, Any] = {
        "deviceId": device_id,
        "status": "enabled",
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": None, "secondaryKey": None}},
    }
    try:
        answer = unthrottled(lambda: client.get(path, params=query, headers=headers))
        if answer.status_code == httpx.codes.NOT_FOUND:
            answer = unthrottled(lambda: client.put(path, params=query, headers=headers, json=identity))
        answer.raise_for_status()
        return str(answer.json()["authentication"]["symmetricKey"]["primaryKey"])
    except httpx.HTTPStatusError as error:
        raise BrokerRefused(
            f"The IoT hub does not register {device_id!r} ({told_text(error.response.text, _LONGEST_ANSWER)}). "
            "Is FRAUDSTREAM_IOT_HUB_CONNECTION_STRING of a policy that may write to the registry?"
        ) from error
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise BrokerUnavailable(
            f"The IoT hub at {client.base_url} does not answer ({error_text(error)}). Start it with "
            "`fraudstream up --with devices`, or set FRAUDSTREAM_IOT_HUB_URL."
        ) from error
