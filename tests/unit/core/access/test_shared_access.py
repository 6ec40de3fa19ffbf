"""Shared access signatures: made as the services' documentation says, and read without trusting anything in them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote_plus

import pytest

from fraudstream.core.access import shared_access

KEY = b"key-of-this-test-and-of-no-namespace"
RESOURCE = "contoso.servicebus.windows.net/transactions"


def documented(resource: str, key: bytes, expires_at: int, policy: str) -> str:
    """A token as the services' own Python sample makes it."""
    uri = quote_plus(resource)
    digest = hmac.HMAC(key, f"{uri}\n{expires_at}".encode(), hashlib.sha256).digest()
    return f"SharedAccessSignature sr={uri}&sig={quote_plus(base64.b64encode(digest))}&se={expires_at}&skn={policy}"


def test_a_token_is_the_one_that_the_documentation_makes() -> None:
    assert shared_access.token(RESOURCE, KEY, 1_893_456_000, "send") == documented(RESOURCE, KEY, 1_893_456_000, "send")


def test_a_token_is_read_back_with_its_resource_expiry_and_policy() -> None:
    token = shared_access.parsed(shared_access.token(RESOURCE, KEY, 1_893_456_000, "send & more"))
    assert token is not None
    assert (token.resource, token.expires_at, token.key_name) == (RESOURCE, 1_893_456_000, "send & more")
    assert token.is_signed_with(KEY)
    assert not token.is_signed_with(KEY + b"x")


def test_the_order_of_the_fields_and_the_case_of_escapes_are_the_senders() -> None:
    uri = "https%3a%2f%2fcontoso.servicebus.windows.net%2fhub"
    digest = base64.b64encode(hmac.digest(KEY, f"{uri}\n1893456000".encode(), "sha256")).decode()
    token = shared_access.parsed(f"sharedaccesssignature skn=p&se=1893456000&sig={quote_plus(digest)}&sr={uri}")
    assert token is not None
    assert token.resource == "https://contoso.servicebus.windows.net/hub"
    assert token.is_signed_with(KEY)


def test_a_devices_own_token_names_no_policy() -> None:
    text = shared_access.token("hub.azure-devices.net/devices/pos-1", KEY, 1_893_456_000)
    assert "skn" not in text
    token = shared_access.parsed(text)
    assert token is not None
    assert token.key_name == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SharedAccessSignature",
        "SharedAccessSignature sr=a&sig=b",
        "SharedAccessSignature sr=a&sig=%%%&se=1",
        "SharedAccessSignature sr=&sig=YQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=-1",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=1e9",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=١",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=" + "9" * 5_000,
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=1&se=2",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=1&admin=1",
        "SharedAccessSignature sr=" + "a" * 10_000 + "&sig=YQ%3D%3D&se=1",
        "Bearer sr=a&sig=YQ%3D%3D&se=1",
    ],
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert shared_access.parsed(text) is None


def test_a_token_does_not_show_its_signature() -> None:
    text = shared_access.token(RESOURCE, KEY, 1_893_456_000, "send")
    signature = text.partition("&sig=")[2].partition("&")[0]
    assert signature not in repr(shared_access.parsed(text))
