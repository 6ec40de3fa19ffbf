"""Addresses of our listeners: at which one a listener is reached, and how a host stands in a URL."""

from __future__ import annotations

import ipaddress

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def reachable(bind_host: str) -> str:
    """The host under which this machine reaches a listener on ``bind_host``: loopback where it is a wildcard."""
    host = bind_host.strip("[]")
    if host in ("", "*"):
        return _LOOPBACK[4]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return _LOOPBACK[address.version] if address.is_unspecified else host


def in_url(host: str) -> str:
    """The host as it stands in a URL or in ``host:port``: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
