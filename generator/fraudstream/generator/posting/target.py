"""Where events are posted to, and the tokens that let them in; the same for our own service and for Event Hubs."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from fraudstream.core.access import shared_access
from fraudstream.core.access.address import posting_address, trusted
from fraudstream.core.access.policies import Policy, sending_policy
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError

API_VERSION = "2014-01"
_TOKEN_SECONDS = 3_600
_RENEW_SECONDS = 300


class Target:
    """A namespace's address, without a slash at its end, how to sign requests for its hubs, and whom to trust."""

    def __init__(
        self, address: str, authorization: Callable[[str], str], trusted: ssl.SSLContext | None = None
    ) -> None:
        self.address = address.rstrip("/")
        self.authorization = authorization
        self.trusted = trusted

    @classmethod
    def of(cls, settings: Settings, url: str, hub: str) -> Target:
        """As the settings say: at ``url``, else at their own address, else where the connection string points.

        Signed with the connection string's key or, where Kafka's clients sign in with tokens, with such a token. Raises
        :class:`ConfigurationError`.
        """
        address = url or posting_address(settings)
        with_tokens = settings.kafka_sasl_mechanism == "OAUTHBEARER"
        if with_tokens and not settings.ingest_connection_string.get_secret_value():
            from fraudstream.core.kafka.oauth import token_provider

            host = settings.kafka_bootstrap_servers.split(",")[0].rpartition(":")[0]
            tokens: Any = token_provider(settings)
            return cls(address or f"https://{host}", lambda _: f"Bearer {tokens.token()}", trusted(settings))
        policy = sending_policy(settings, hub)
        if not address and "." not in policy.host:
            raise ConfigurationError("The connection string's endpoint is no namespace. Give an address with --url.")
        return cls(address or f"https://{policy.host}", Signatures(policy).authorization, trusted(settings))


class Signatures:
    """Shared access signatures of one policy, each used until shortly before it expires."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.time) -> None:
        self._policy = policy
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def authorization(self, hub: str) -> str:
        """The value of the Authorization header for a hub."""
        with self._lock:
            token, expires_at = self._tokens.get(hub, ("", 0.0))
            now = self._clock()
            if expires_at - _RENEW_SECONDS < now:
                expires_at = now + _TOKEN_SECONDS
                resource = f"{self._policy.host}/{hub}"
                token = shared_access.token(resource, self._policy.key, int(expires_at), self._policy.name)
                self._tokens[hub] = (token, expires_at)
            return token
