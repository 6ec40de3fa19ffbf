"""Who may see the pages: only this machine, or people who have signed in with a password or at a proxy.

``dashboard_auth`` is ``none``, ``basic`` (one user and password; a proxy in front of the pages must provide TLS) or
``header`` (a proxy that signs people in, such as Azure Container Apps' or oauth2-proxy, names the user in a header).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from flask import Flask, Response, request
from pydantic import SecretStr

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError

# This address needs no login: it says whether the process serves and which jobs fail.
HEALTH_PATH = "/health"
_LOCAL_NAMES = ("localhost",)


@dataclass(frozen=True, slots=True)
class Access:
    """How requests are let in, from the settings ``dashboard_*``."""

    auth: str
    user: str
    password: SecretStr
    header: str
    proxies: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """The settings' rule. Raises :class:`ConfigurationError` if strangers could see the pages under it."""
        auth = settings.dashboard_auth
        if auth == "none" and not _is_loopback(settings.bind_host) and not settings.dashboard_guarded:
            raise ConfigurationError(
                f"The dashboards would listen on {settings.bind_host} without a login. Set {ENV_PREFIX}DASHBOARD_AUTH "
                f"to basic (with {ENV_PREFIX}DASHBOARD_USER and {ENV_PREFIX}DASHBOARD_PASSWORD) or header, bind to "
                f"127.0.0.1, or, where something in front of them keeps strangers out, set "
                f"{ENV_PREFIX}DASHBOARD_GUARDED=true."
            )
        if auth == "basic" and not (settings.dashboard_user and settings.dashboard_password.get_secret_value()):
            missing = "PASSWORD" if settings.dashboard_user else "USER"
            raise ConfigurationError(
                f"{ENV_PREFIX}DASHBOARD_AUTH is basic, but {ENV_PREFIX}DASHBOARD_{missing} is empty. "
                "Set it in the environment or in .env."
            )
        return cls(
            auth,
            settings.dashboard_user,
            settings.dashboard_password,
            settings.dashboard_auth_header,
            _networks(settings.dashboard_trusted_proxies) if auth == "header" else (),
        )


def protect(server: Flask, access: Access) -> None:
    """Check who sends each request, except for health, and keep the pages out of other sites' frames."""

    @server.before_request
    def admit() -> Response | None:
        if access.auth == "none" or request.path == HEALTH_PATH:
            return None
        if access.auth == "basic":
            return None if _has_password(access) else _refusal(401, "Sign in.", "Basic", 'realm="Fraudstream"')
        if not _is_trusted(access, request.remote_addr):
            return _refusal(403, f"{request.remote_addr} is not a trusted proxy. Open the pages through the proxy.")
        return None if request.headers.get(access.header) else _refusal(401, "The proxy named no user. Sign in there.")

    @server.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response


def _has_password(access: Access) -> bool:
    login = request.authorization
    if login is None or login.type != "basic":
        return False
    # Always compare both, in a time that does not depend on where they differ: it tells an attacker nothing.
    user = hmac.compare_digest((login.username or "").encode(), access.user.encode())
    password = hmac.compare_digest((login.password or "").encode(), access.password.get_secret_value().encode())
    return user and password


def _is_trusted(access: Access, address: str | None) -> bool:
    if not address:
        return False
    return any(ip_address(address) in network for network in access.proxies)


def _refusal(status: int, text: str, scheme: str = "", parameters: str = "") -> Response:
    response = Response(f"{text}\n", status, mimetype="text/plain")
    if scheme:
        response.headers["WWW-Authenticate"] = f"{scheme} {parameters}"
    return response


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in _LOCAL_NAMES


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{ENV_PREFIX}DASHBOARD_TRUSTED_PROXIES is {text!r}: {error}. Write addresses or networks, comma "
            "separated, such as 127.0.0.1 or 10.0.0.0/8."
        ) from None
