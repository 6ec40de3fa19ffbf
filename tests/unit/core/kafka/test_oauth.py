"""Tokens for Event Hubs: fetched once, renewed before they expire, and asked for under the right scope."""

from __future__ import annotations

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError, UnavailableError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.kafka import oauth
from fraudstream.core.kafka.oauth import TokenProvider, oauth_scope, token_provider
from tests.azure import AZURE

OAUTH = AZURE | {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_sasl_password": ""}
PRINCIPAL = {
    "kafka_oauth_token_url": "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
    "kafka_oauth_client_id": "app",
    "kafka_oauth_client_secret": 'se"cret',
}


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    now = [1_000.0]
    fetched: list[float] = []

    def fetch() -> tuple[str, float]:
        fetched.append(now[0])
        return f"token-{len(fetched)}", now[0] + 3_600

    provider = TokenProvider(fetch, clock=lambda: now[0])
    assert (provider.token(), provider.token()) == ("token-1", "token-1")
    now[0] += 3_299
    assert provider.token() == "token-1"
    now[0] += 1
    assert provider.token() == "token-2"


def test_the_scope_is_the_namespace_s_unless_set() -> None:
    assert oauth_scope(load_settings(**OAUTH)) == "https://space.servicebus.windows.net/.default"
    assert oauth_scope(load_settings(**OAUTH, kafka_oauth_scope="api://x/.default")) == "api://x/.default"


def test_the_python_clients_get_a_provider_and_no_password() -> None:
    options = kafka.client_options(load_settings(**OAUTH))
    assert options["sasl_mechanism"] == "OAUTHBEARER"
    assert isinstance(options["sasl_oauth_token_provider"], TokenProvider)
    assert "sasl_plain_password" not in options
    assert token_provider(load_settings(**OAUTH)) is not None


def test_spark_signs_in_as_a_service_principal() -> None:
    options = kafka.spark_options(load_settings(**OAUTH, **PRINCIPAL))
    assert options["kafka.sasl.mechanism"] == "OAUTHBEARER"
    assert options["kafka.sasl.oauthbearer.token.endpoint.url"] == PRINCIPAL["kafka_oauth_token_url"]
    assert options["kafka.sasl.jaas.config"].endswith(
        'clientId="app" clientSecret="se\\"cret" scope="https://space.servicebus.windows.net/.default";'
    )


def test_spark_cannot_sign_in_as_a_managed_identity() -> None:
    with pytest.raises(ConfigurationError, match="KAFKA_OAUTH_TOKEN_URL"):
        kafka.spark_options(load_settings(**OAUTH))


@pytest.mark.parametrize("text", ["", "s3cret-of-an-app" + " x" * 200, f"{'x' * 192}s3cret-of-an-app\nmore"])
def test_no_token_is_told_without_the_identity_s_secret(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    class Credential:
        def get_token(self, _scope: str) -> None:
            raise ClientAuthenticationError(text)

    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret-of-an-app")
    monkeypatch.setattr(oauth, "_credential", Credential)
    with pytest.raises(
        UnavailableError, match=r"^No token for https://space.* \(ClientAuthenticationError: "
    ) as caught:
        token_provider(load_settings(**OAUTH)).token()
    assert "s3c" not in str(caught.value)
    assert "AZURE_CLIENT_SECRET" in str(caught.value)
