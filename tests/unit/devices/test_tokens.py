"""Tokens hold for whom they name, as long as they say, by the key that signed them."""

from __future__ import annotations

import pytest

from fraudstream.core.access.iot_hub import token
from fraudstream.core.access.shared_access import new_key
from fraudstream.devices import tokens
from fraudstream.devices.errors import HubRefused

KEY, OTHER = new_key(), new_key()
HOST = "hub.azure-devices.net"


def test_a_token_holds_until_five_minutes_after_its_expiry() -> None:
    parsed = tokens.parse(token(f"{HOST}/devices/d", KEY, 60))
    tokens.check(parsed, [OTHER, KEY], now=parsed.expires_at + 299)
    with pytest.raises(HubRefused, match="expired"):
        tokens.check(parsed, [KEY], now=parsed.expires_at + 300)


@pytest.mark.parametrize("keys", [[], [OTHER], ["no base64"], [""]])
def test_another_key_has_not_signed_it(keys: list[str]) -> None:
    with pytest.raises(HubRefused, match="not of this key"):
        tokens.check(tokens.parse(token(HOST, KEY)), keys)


@pytest.mark.parametrize(
    "text", ["", "SharedAccessSignature", "Bearer x", "SharedAccessSignature sr=a&sig=b", "x" * 10_000]
)
def test_what_is_no_token_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(HubRefused) as refused:
        tokens.parse(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize(
    ("resource", "path", "covers"),
    [
        (HOST, "devices/d", True),
        (HOST.upper(), "devices/d", True),
        (f"{HOST}:8010", "devices/d", True),
        (f"{HOST}/devices", "devices/d", True),
        (f"{HOST}/devices/d", "devices/d", True),
        (f"{HOST}/devices/d/api-version=2016-11-14", "devices/d", True),
        (f"{HOST}/devices/d2", "devices/d", False),
        (f"{HOST}/devices/D", "devices/d", False),
        (f"{HOST}/twins", "devices/d", False),
        ("other.net", "devices/d", False),
        ("", "devices/d", False),
    ],
)
def test_a_token_covers_its_resource_and_what_is_below(resource: str, path: str, covers: bool) -> None:
    parsed = tokens.parse(token(resource or "-", KEY))
    assert tokens.covers(parsed, HOST, path) is covers


def test_keys_are_base64_of_16_to_64_bytes() -> None:
    assert tokens.is_key(KEY)
    assert not any(map(tokens.is_key, ("", "short", "AAAA", "no base64!", "A" * 120)))
