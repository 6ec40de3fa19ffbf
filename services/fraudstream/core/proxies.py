"""Which proxies our processes ask: the given ones, for what leaves this machine, in the form that all clients take."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

VARIABLES = ("http_proxy", "https_proxy", "all_proxy")

_ADDRESS_VARIABLES = ("FRAUDSTREAM_MLFLOW_TRACKING_URI", "FRAUDSTREAM_SCORING_URL", "FRAUDSTREAM_DASHBOARD_URL")
_BIND_VARIABLE = "FRAUDSTREAM_BIND_HOST"
_SCHEMES = ("http", "https", "socks5", "socks5h")
# The last is where a machine in Azure asks for its own identity, which no proxy may forward (Microsoft Learn, "Azure
# Instance Metadata Service", "Proxies").
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1", "169.254.169.254")


def made(given: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables for a process of ours, in lower and upper case; none without a usable proxy.

    Nothing on this machine, at a listener of ours or under a name without a dot goes through a proxy.
    """
    variables = {}
    for name, value in given_addresses(given).items():
        if not problem(value):
            # GNOME's settings write the first, which no client knows.
            variables[name] = variables[name.upper()] = re.sub(r"(?i)^socks://", "socks5://", value)
    if not variables:
        return {}
    spared = ",".join(dict.fromkeys((*_LOCAL_HOSTS, *_own_hosts(given), *_given_exceptions(given))))
    return {**variables, "no_proxy": spared, "NO_PROXY": spared}


def problem(value: str) -> str:
    """Why a proxy's address cannot be used; empty if it can. The value may hold a password and is not repeated."""
    address = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme.lower() not in (*_SCHEMES, "socks"):
        return f"has the scheme {parts.scheme!r}, which is none of {', '.join(_SCHEMES)}"
    return "" if host else "names no host"


def given_addresses(given: Mapping[str, str]) -> dict[str, str]:
    """The proxies that are set, by the lower-case name; that one wins over upper case, as in most programs."""
    found = {name: given.get(name) or given.get(name.upper()) or "" for name in VARIABLES}
    return {name: value.strip() for name, value in found.items() if value.strip()}


def _given_exceptions(given: Mapping[str, str]) -> Iterator[str]:
    """The hosts of ``no_proxy`` in the one form that all clients understand."""
    for word in (given.get("no_proxy") or given.get("NO_PROXY") or "").replace(" ", ",").split(","):
        host = word.strip().removeprefix("*.").strip("[]")
        if not host:
            continue
        if ":" in host:
            # An IPv6 network, or an address with a zone: httpx fails on the first.
            with contextlib.suppress(ValueError):
                yield str(ipaddress.IPv6Address(host))
                continue
            host, _, port = host.partition(":")
            if not port.isdecimal():
                continue
        with contextlib.suppress(UnicodeError):
            yield host.encode("idna").decode() if not host.isascii() else host


def _own_hosts(given: Mapping[str, str]) -> Iterator[str]:
    """Hosts that no proxy can know: our listeners' address, and names without a dot, as containers have them."""
    if bound := given.get(_BIND_VARIABLE):
        yield bound.strip("[]")
    for variable in _ADDRESS_VARIABLES:
        with contextlib.suppress(ValueError):
            host = urlsplit(given.get(variable, "")).hostname or ""
            if host and "." not in host and ":" not in host:
                yield host
