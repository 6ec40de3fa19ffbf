"""Who may use the REST API: a token of a policy with the right, as the service asks for it."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Request

from fraudstream.core.access.iot_hub import API_VERSION
from fraudstream.core.access.shared_access import SharedAccessToken
from fraudstream.devices import tokens
from fraudstream.devices.errors import HubRefused, unauthorized
from fraudstream.devices.hub import Hub
from fraudstream.devices.registry.identities import Identity
from fraudstream.devices.registry.policies import Right

_VERSION = "api-version"


def allow(hub: Hub, request: Request, *rights: Right) -> None:
    """Raise :class:`HubRefused` unless the request's token is of a policy with one of the rights."""
    hub.policies.check(_token(hub.hosts, request), *rights)


def allow_device(hub: Hub, request: Request, device_id: str) -> Identity:
    """The device whose own token the request carries. Raises :class:`HubRefused`."""
    token = _token(hub.hosts, request)
    identity = hub.identities.find(device_id)
    keys = [key for key in identity.keys if key] if identity is not None and identity.status == "enabled" else []
    tokens.check(token, keys)
    if identity is None or token.key_name:
        raise unauthorized("The token is not the device's own.")
    return identity


def _token(hosts: Collection[str], request: Request) -> SharedAccessToken:
    if not request.query_params.get(_VERSION):
        raise HubRefused(
            f"The query lacks {_VERSION}. Add ?{_VERSION}={API_VERSION}.", 400_001, "InvalidProtocolVersion"
        )
    token = tokens.parse(request.headers.get("authorization", ""))
    path = request.url.path.strip("/")
    if not any(tokens.covers(token, host, path) for host in hosts):
        raise unauthorized("The token is for another resource.")
    return token
