"""Which proxies our processes ask: the given ones, for what leaves this machine, in the form that all clients take."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

VARIABLES = ("http_proxy", "https_proxy", "all_proxy")

_PREFIX = "fraudstream_"
_ADDRESSES = ("mlflow_tracking_uri", "scoring_url", "dashboard_url")
_PROFILES = Path(__file__).parents[1] / "configuration" / "profiles"
_SCHEMES = ("http", "https", "socks5", "socks5h")
# The last is where a machine in Azure asks for its own identity, which no proxy may forward (Microsoft Learn, "Azure
# Instance Metadata Service", "Proxies").
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1", "169.254.169.254")

_NAME = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
_FOUR_NUMBERS = re.compile(r"\d+(?:\.\d+){3}", re.ASCII)
# Python itself takes any character in a zone.
_IPV6 = re.compile(r"[\da-f:.]+(?:%[\w.-]+)?", re.ASCII | re.IGNORECASE)
_PLACE = re.compile(r"(?:\[[^\[\]]*\]|[^:\[\]]*)(?P<port>(?::\d*)?)", re.ASCII)


def made(given: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables for a process of ours, in lower and upper case; none without a usable proxy.

    Nothing on this machine, at a listener of ours or under a name without a dot goes through a proxy. What our
    listeners and services are is read from where settings come from: ``given``, `.env`, the profile.
    """
    variables = {}
    for name, value in given_addresses(given).items():
        with contextlib.suppress(ValueError):
            variables[name] = variables[name.upper()] = _usable(value)
    if not variables:
        return {}
    exceptions = _exceptions(given)
    if "*" in exceptions:
        # Most clients know it as the whole value only.
        spared = "*"
    else:
        spared = ",".join(dict.fromkeys((*_LOCAL_HOSTS, *_own_hosts(given), *_readable(exceptions))))
    return {**variables, "no_proxy": spared, "NO_PROXY": spared}


def problem(value: str) -> str:
    """Why a proxy's address cannot be used; empty if it can. The value may hold a password and is not repeated."""
    try:
        _usable(value)
    except ValueError as error:
        return str(error)
    return ""


def given_addresses(given: Mapping[str, str]) -> dict[str, str]:
    """The proxies that are set, by the lower-case name; that one wins over upper case, as in most programs."""
    addresses = {name: given.get(name) or given.get(name.upper()) or "" for name in VARIABLES}
    return {name: value.strip() for name, value in addresses.items() if value.strip()}


def _usable(value: str) -> str:
    """A proxy's address as every client takes it. Raises ``ValueError`` saying why one of them would not."""
    if not value.isprintable():
        # Looked at first: the standard library leaves tabs and line ends out, and HTTP clients stumble over them.
        raise ValueError("holds a character that no address has")
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        written, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is no address") from None
    if parts.scheme not in (*_SCHEMES, "socks"):
        raise ValueError(f"has the scheme {parts.scheme!r}, which is none of {', '.join(_SCHEMES)}")
    if not written:
        raise ValueError("names no host")
    user, at, place = parts.netloc.rpartition("@")
    host, read = _host(written), _PLACE.fullmatch(place)
    if not host or read is None or (":" in host) != place.startswith("["):
        raise ValueError("names a host that cannot be")
    # GNOME's settings write `socks`, which no client knows; a domain's backslash ends the user for some.
    scheme = "socks5" if parts.scheme == "socks" else parts.scheme
    signed_in = user.replace("\\", "%5C") + at
    return f"{scheme}://{signed_in}{f'[{host}]' if ':' in host else host}{read['port']}"


def _host(text: str) -> str:
    """A host in the letters that every client takes; empty where it is none."""
    with contextlib.suppress(ValueError):
        if ":" in text:
            return str(ipaddress.IPv6Address(text)) if _IPV6.fullmatch(text) else ""
        name = text if text.isascii() else text.encode("idna").decode("ascii")
        if _FOUR_NUMBERS.fullmatch(name):
            return str(ipaddress.IPv4Address(name))
        if _NAME.fullmatch(name):
            return name
    return ""


def _exceptions(given: Mapping[str, str]) -> list[str]:
    """The words of ``no_proxy``."""
    return [word for word in re.split(r"[\s,]+", given.get("no_proxy") or given.get("NO_PROXY") or "") if word]


def _readable(exceptions: list[str]) -> Iterator[str]:
    """The exceptions in the one form that all clients understand; httpx is not even made with some others."""
    for word in exceptions:
        host = word.removeprefix("*.").strip("[]")
        if "/" in host:
            with contextlib.suppress(ValueError):
                ipaddress.IPv4Network(host, strict=False)
                yield host
            continue
        if ":" in host and not _host(host):
            host, _, port = host.partition(":")
            if not port.isdecimal():
                continue
        domain = host.removeprefix(".")
        if name := _host(domain):
            yield f"{'.' if host != domain else ''}{name}"


def _own_hosts(given: Mapping[str, str]) -> Iterator[str]:
    """Hosts that no proxy can know: our listeners' address, and names without a dot, as containers have them."""
    settings = _settings(given)
    if bound := _host(settings.get("bind_host", "").strip("[]")):
        yield bound
    for setting in _ADDRESSES:
        with contextlib.suppress(ValueError):
            host = _host(urlsplit(settings.get(setting, "")).hostname or "")
            if host and "." not in host and ":" not in host:
                yield host


def _settings(given: Mapping[str, str]) -> dict[str, str]:
    """The texts of the settings, by their precedence, as :mod:`fraudstream.core.configuration.sources` has it.

    Read here without pydantic, whose import takes longer than a command may take to start. A file that cannot be
    read gives nothing: whoever loads the settings tells that.
    """
    # Where no proxy is set, nobody waits for these.
    import tomllib

    from fraudstream.core.configuration.dotenv_file import read_dotenv
    from fraudstream.core.errors import ConfigurationError

    chosen: dict[str, str] = {}
    with contextlib.suppress(ConfigurationError, OSError):
        chosen |= _prefixed(read_dotenv().values)
    chosen |= _prefixed(given)
    profile = chosen.get("profile", "local")
    values: dict[str, object] = {}
    if profile.isalpha():
        with contextlib.suppress(OSError, ValueError):
            values = tomllib.loads((_PROFILES / f"{profile}.toml").read_text("utf-8"))
    return {name: value for name, value in values.items() if isinstance(value, str)} | chosen


def _prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    named = ((name.lower(), value) for name, value in variables.items() if value)
    return {name.removeprefix(_PREFIX): value for name, value in named if name.startswith(_PREFIX)}
