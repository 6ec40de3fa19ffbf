"""Who may send: right, wrong, expired and foreign tokens, and nothing of them in an answer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from fraudstream.core.access import shared_access
from fraudstream.core.access.policies import policies
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.ingest.access.issuer import NAME, Issuer
from fraudstream.ingest.access.tokens import Gate, Target
from fraudstream.ingest.access.web_tokens import AUDIENCE, ROLES, WebTokens
from fraudstream.ingest.refusal import Refusal
from tests.azure import SAS_KEY

HOST = "contoso.servicebus.windows.net"
OTHER_KEY = SAS_KEY[::-1]
STRINGS = (
    f"Endpoint=sb://{HOST}/;SharedAccessKeyName=all;SharedAccessKey={SAS_KEY} "
    f"Endpoint=sb://{HOST}/;SharedAccessKeyName=all;SharedAccessKey={SAS_KEY}2 "
    f"Endpoint=sb://{HOST}/;SharedAccessKeyName=one;SharedAccessKey={OTHER_KEY};EntityPath=transactions "
    f"Endpoint=sb://{HOST}/;SharedAccessKeyName=reader;SharedAccessKey={SAS_KEY}3;Rights=Listen"
)
NOW = 1_800_000_000
TARGET = Target("127.0.0.1", "transactions", "transactions/messages")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    issuer = Issuer.in_folder(tmp_path_factory.mktemp("issuer"))
    assert issuer.create()
    return issuer


@pytest.fixture
def gate(issuer: Issuer) -> Gate:
    settings = load_settings(ingest_jwks=issuer.jwks, ingest_token_issuer=NAME)
    return Gate(policies(STRINGS), WebTokens.of(settings), 300, lambda: NOW)


def signed(
    resource: str = f"{HOST}/transactions", key: str = SAS_KEY, expires_at: int = NOW + 60, policy: str = "all"
) -> str:
    return shared_access.token(resource, key.encode(), expires_at, policy)


def refused(gate: Gate, authorization: str, target: Target = TARGET) -> str:
    with pytest.raises(Refusal) as raised:
        gate.sender(authorization, target)
    assert raised.value.status == 401
    for part in authorization.replace("&", " ").split():
        value = part.rpartition("=")[2]
        assert len(value) < 12 or value not in str(raised.value)
    return str(raised.value).partition(":")[0]


@pytest.mark.parametrize(
    "resource",
    [
        *(HOST, f"{HOST}/", f"{HOST}/transactions", f"https://{HOST}/transactions", f"sb://{HOST}/Transactions/"),
        *(f"http://{HOST.upper()}/transactions/messages", "127.0.0.1:8088/transactions"),
    ],
)
def test_a_token_for_the_hub_or_anything_above_it_passes(gate: Gate, resource: str) -> None:
    assert gate.sender(signed(resource), TARGET) == "all"


def test_both_keys_of_a_policy_pass_while_they_are_changed(gate: Gate) -> None:
    assert gate.sender(signed(key=f"{SAS_KEY}2"), TARGET) == "all"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "MissingToken"),
        ("Basic YTpi", "MalformedToken"),
        ("SharedAccessSignature sr=x", "MalformedToken"),
        ("Bearer", "MalformedToken"),
        ("Bearer a.b.c", "MalformedToken"),
        ("Bearer " + "a" * 20_000, "MalformedToken"),
        (signed(key=OTHER_KEY), "InvalidSignature"),
        (signed(policy="nobody"), "InvalidSignature"),
        (signed(policy=""), "InvalidSignature"),
        (signed().replace("se=", "se=9"), "InvalidSignature"),
        (signed("fabrikam.servicebus.windows.net/transactions"), "InvalidAudience"),
        (signed(f"{HOST}/trans"), "InvalidAudience"),
        (signed(f"{HOST}/labels"), "InvalidAudience"),
        (signed(f"{HOST}/transactions/publishers/pos-1"), "InvalidAudience"),
        (signed("http://[/"), "InvalidAudience"),
        (signed(expires_at=NOW - 301), "ExpiredToken"),
        (signed(key=f"{SAS_KEY}3", policy="reader"), "Unauthorized"),
    ],
)
def test_every_other_token_is_refused_by_what_is_wrong_with_it(gate: Gate, authorization: str, code: str) -> None:
    assert refused(gate, authorization) == code


def test_a_token_that_expired_within_the_clocks_difference_passes(gate: Gate) -> None:
    assert gate.sender(signed(expires_at=NOW - 299), TARGET) == "all"


def test_a_policy_of_a_hub_reaches_that_hub_alone_whatever_its_token_says(gate: Gate) -> None:
    for_namespace = signed(HOST, OTHER_KEY, policy="one")
    assert gate.sender(for_namespace, TARGET) == "one"
    assert refused(gate, for_namespace, Target(HOST, "labels", "labels/messages")) == "InvalidSignature"


def test_a_publishers_token_lets_that_publisher_in_and_no_other(gate: Gate) -> None:
    token = signed(f"{HOST}/transactions/publishers/pos-1")
    own = Target(HOST, "transactions", "transactions/publishers/pos-1/messages")
    assert gate.sender(token, own) == "all"
    assert refused(gate, token, Target(HOST, "transactions", "transactions/publishers/pos-12/messages"))


def bearer(issuer: Issuer, **claims: Any) -> str:
    """A token of the issuer with some claims changed; None takes one away."""
    token = issuer.token(600)
    known = jwt.decode(token, options={"verify_signature": False}) | claims
    kept = {name: value for name, value in known.items() if value is not None}
    headers = jwt.get_unverified_header(token)
    key = issuer.key.read_text("ascii")
    return "Bearer " + jwt.encode(kept, key, algorithm="RS256", headers={"kid": headers["kid"]})


@pytest.mark.parametrize("audience", [AUDIENCE, f"{AUDIENCE}/", f"https://{HOST}", "https://127.0.0.1"])
def test_a_token_of_the_issuer_passes_for_event_hubs_and_for_the_namespace(
    gate: Gate, issuer: Issuer, audience: str
) -> None:
    assert gate.sender(bearer(issuer, aud=audience, oid="app-7"), TARGET) == "app-7"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": time.time() - 301}, "ExpiredToken"),
        ({"nbf": time.time() + 86_400}, "InvalidToken"),
        ({"exp": None}, "MalformedToken"),
        ({"exp": "soon"}, "MalformedToken"),
        ({"aud": "https://storage.azure.com"}, "InvalidAudience"),
        ({"aud": None}, "MalformedToken"),
        ({"iss": "https://elsewhere"}, "InvalidIssuer"),
        ({"roles": ["Azure Event Hubs Data Receiver"]}, "Unauthorized"),
        ({"roles": None}, "Unauthorized"),
        ({"roles": ROLES[0]}, "Unauthorized"),
    ],
)
def test_other_bearer_tokens_are_refused(gate: Gate, issuer: Issuer, claims: dict[str, Any], code: str) -> None:
    assert refused(gate, bearer(issuer, **claims)) == code


def test_a_bearer_token_of_another_key_or_without_one_is_refused(gate: Gate, issuer: Issuer) -> None:
    kid = jwt.get_unverified_header(issuer.token(60))["kid"]
    claims = jwt.decode(issuer.token(60), options={"verify_signature": False})
    other = rsa.generate_private_key(65537, 2048)
    assert refused(gate, "Bearer " + jwt.encode(claims, other, "RS256", {"kid": kid})) == "InvalidSignature"
    assert refused(gate, "Bearer " + jwt.encode(claims, other, "RS256", {"kid": "x"})) == "InvalidSignature"
    assert refused(gate, "Bearer " + jwt.encode(claims, "", "none", {"kid": kid})) == "MalformedToken"
    # The public key is no secret: whoever takes it for one could sign with it.
    public = json.loads(issuer.jwks.read_text("utf-8"))["keys"][0]["n"]
    assert refused(gate, "Bearer " + jwt.encode(claims, public, "HS256", {"kid": kid})) == "MalformedToken"


def test_without_a_file_of_keys_no_bearer_token_passes(issuer: Issuer) -> None:
    assert refused(Gate(policies(STRINGS), None, 300), f"Bearer {issuer.token(60)}") == "MalformedToken"


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "YWJj", "kid": "1"}]}'])
def test_a_file_without_public_keys_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="INGEST_JWKS"):
        WebTokens.of(load_settings(ingest_jwks=file))


def test_the_issuers_private_key_is_for_this_user_alone_and_not_in_the_public_file(issuer: Issuer) -> None:
    assert issuer.key.stat().st_mode & 0o777 == 0o600
    assert "d" not in json.loads(issuer.jwks.read_text("utf-8"))["keys"][0]
    assert not issuer.create()
