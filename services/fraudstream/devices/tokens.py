"""Tokens of an IoT hub: shared access signatures by a device's key, or by the key of one of the hub's policies.

Source: "Control access to IoT Hub using Shared Access Signatures" of the service's documentation.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from fraudstream.core.access import shared_access
from fraudstream.core.access.iot_hub import decoded
from fraudstream.core.access.shared_access import SharedAccessToken
from fraudstream.devices.errors import unauthorized

# The service's own allowance for clocks that are apart (SharedAccessSignatureConstants.MaxClockSkew of its SDKs).
CLOCK_SKEW_SECONDS = 300


def is_key(text: str) -> bool:
    """Whether the text is a key: Base64 of 16 to 64 bytes."""
    return 16 <= len(decoded(text)) <= 64


def parse(text: str) -> SharedAccessToken:
    """Read a token. Raises :class:`HubRefused`, which never repeats it."""
    if (token := shared_access.parsed(text)) is None:
        raise unauthorized("The password is no shared access signature with sr, sig and se.")
    return token


def holds_until(token: SharedAccessToken) -> int:
    """The last second since 1970 at which the token is taken."""
    return token.expires_at + CLOCK_SKEW_SECONDS


def check(token: SharedAccessToken, keys: Iterable[str], now: float | None = None) -> None:
    """Raise :class:`HubRefused` unless one of the keys has signed the token and its time is not over."""
    # Each key is tried, whichever it is.
    genuine = [token.is_signed_with(decoded(key)) for key in keys]
    if not any(genuine):
        raise unauthorized("The signature is not of this key.")
    if holds_until(token) <= (time.time() if now is None else now):
        raise unauthorized("The token has expired.")


def covers(token: SharedAccessToken, host: str, path: str) -> bool:
    """Whether the token holds for ``path`` of one host: itself, a folder of it, or what clients add behind it."""
    place, _, covered = token.resource.partition("/")
    # Clients that take no port beside the hub's name are given both as one.
    named = place.partition(":")[0]
    own, asked = covered.strip("/").split("/") if covered.strip("/") else [], path.strip("/").split("/")
    shared = min(len(own), len(asked))
    return named.lower() == host.lower() and own[:shared] == asked[:shared]
