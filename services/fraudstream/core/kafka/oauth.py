"""OAUTHBEARER for Event Hubs: the token that azure-identity fetches, kept until shortly before it expires.

Which identity signs in is azure-identity's own configuration (``IDENTITY_ENDPOINT`` of a managed identity,
``AZURE_CLIENT_ID``, ``AZURE_FEDERATED_TOKEN_FILE`` of a workload identity, …). Source of the scope and of the roles:
azure-event-hubs-for-kafka, tutorials/oauth.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError, UnavailableError
from fraudstream.core.output.text import told_text

# Brokers close a connection whose token runs out, so that a fresh one is fetched this long before.
_RENEW_SECONDS = 300.0
_LONGEST_REASON = 200


def oauth_scope(settings: Settings) -> str:
    """The scope to ask for: ``https://<namespace>.servicebus.windows.net/.default`` unless the settings name one."""
    host = settings.kafka_bootstrap_servers.split(",")[0].strip().rpartition(":")[0]
    return settings.kafka_oauth_scope or f"https://{host}/.default"


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """kafka-python's token provider over a function that returns (token, Unix time of its expiry)."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._fetch = fetch
        self._clock = clock
        self._token = ""
        self._expires_at = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """The current token. Raises :class:`UnavailableError` where none can be had."""
        with self._lock:
            if self._clock() >= self._expires_at - _RENEW_SECONDS:
                self._token, self._expires_at = self._fetch()
            return self._token


def token_provider(settings: Settings) -> TokenProvider:
    """The provider for the configured identity. Raises :class:`ConfigurationError` without the extra `azure`."""
    scope = oauth_scope(settings)
    credential = _credential()

    def fetch() -> tuple[str, float]:
        from azure.core.exceptions import AzureError

        try:
            token = credential.get_token(scope)
        except AzureError as error:
            # Behind the first line each way of signing in tells why it was none.
            first = told_text(str(error).partition("\n")[0], _LONGEST_REASON)
            raise UnavailableError(
                f"No token for {scope} ({type(error).__name__}: {first}). Give the process "
                "a managed identity with the role Azure Event Hubs Data Sender or Receiver, or set AZURE_CLIENT_ID, "
                "AZURE_TENANT_ID and AZURE_CLIENT_SECRET."
            ) from error
        return token.token, float(token.expires_on)

    return TokenProvider(fetch)


def _credential() -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise ConfigurationError(
            f"OAUTHBEARER needs the extra `azure` ({error}). Run: pip install 'fraudstream[azure]'"
        ) from error
    return DefaultAzureCredential(exclude_interactive_browser_credential=True)
