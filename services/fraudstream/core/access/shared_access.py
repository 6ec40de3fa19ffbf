"""Shared access signatures: the tokens that Event Hubs and IoT Hub take in the place of a key.

``SharedAccessSignature sr=<resource>&sig=<signature>&se=<expiry>[&skn=<policy>]``: the signature is the HMAC-SHA256 of
the URL-encoded resource, a line feed and the expiry. Event Hubs' keys are the bytes of the key's text; IoT Hub's keys
are decoded from base64 first. Sources: learn.microsoft.com/azure/event-hubs/authenticate-shared-access-signature and
…/azure/iot-hub/authenticate-authorize-sas.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

SCHEME = "SharedAccessSignature"

_KEY_BYTES = 32
_LONGEST_TOKEN = 8_192
# Longer numbers are no seconds of this age, and cost time to read.
_EXPIRY = re.compile(r"[0-9]{1,12}")
_FIELDS = frozenset({"sr", "sig", "se", "skn"})


@dataclass(frozen=True, slots=True)
class SharedAccessToken:
    """A token as it was sent: for ``resource`` (decoded) until ``expires_at`` (Unix seconds), by policy ``key_name``.

    ``key_name`` is empty where a device signs with its own key.
    """

    resource: str
    expires_at: int
    key_name: str
    _signed: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    def is_signed_with(self, key: bytes) -> bool:
        """Whether the signature was made with this key; takes the same time for every wrong signature."""
        return hmac.compare_digest(hmac.digest(key, self._signed, hashlib.sha256), self._signature)


def parsed(text: str) -> SharedAccessToken | None:
    """The token in an Authorization header or an MQTT password; None for what is no such token."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != SCHEME.lower() or len(text) > _LONGEST_TOKEN:
        return None
    pairs = [part.partition("=") for part in rest.strip().split("&")]
    fields = {name: value for name, _, value in pairs}
    if len(fields) < len(pairs) or not {"sr", "sig", "se"} <= fields.keys() <= _FIELDS:
        return None
    if not fields["sr"] or not _EXPIRY.fullmatch(fields["se"]):
        return None
    try:
        signature = base64.b64decode(unquote(fields["sig"]), validate=True)
    except (binascii.Error, ValueError):
        return None
    signed = f"{fields['sr']}\n{fields['se']}".encode()
    return SharedAccessToken(
        unquote(fields["sr"]), int(fields["se"]), unquote(fields.get("skn", "")), signed, signature
    )


def new_key() -> str:
    """A random key in Base64, as the services make them."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def token(resource: str, key: bytes, expires_at: int, key_name: str = "") -> str:
    """A token for ``resource`` (``<host>/<path>``, with or without a scheme) that holds until ``expires_at``."""
    encoded = quote(resource, safe="")
    digest = hmac.digest(key, f"{encoded}\n{expires_at}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest).decode(), safe="")
    policy = f"&skn={quote(key_name, safe='')}" if key_name else ""
    return f"{SCHEME} sr={encoded}&sig={signature}&se={expires_at}{policy}"
