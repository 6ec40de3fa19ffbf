"""Checks the Authorization header of a request: a shared access signature, or a signed web token (JWT).

Nothing of a token is repeated in an answer or in a log.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fraudstream.core.access import shared_access
from fraudstream.core.access.policies import SEND, Policy, named
from fraudstream.core.access.shared_access import SharedAccessToken
from fraudstream.ingest.access.web_tokens import WebTokens
from fraudstream.ingest.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Target:
    """What a request wants to send to: the host that it named, the hub, and the path below it, in lower case."""

    host: str
    hub: str
    path: str


class Gate:
    """Lets requests pass whose token allows to send to their target."""

    def __init__(
        self,
        policies: Sequence[Policy],
        web_tokens: WebTokens | None,
        skew_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policies = policies
        self._web_tokens = web_tokens
        self._skew_seconds = skew_seconds
        self._clock = clock
        self._hosts = {policy.host for policy in policies}

    def sender(self, authorization: str, target: Target) -> str:
        """Who sends, as a name for logs and quotas. Raises :class:`Refusal` (401)."""
        if not authorization:
            raise Refusal(401, "MissingToken: the request has no Authorization header.")
        scheme = authorization.partition(" ")[0].lower()
        if scheme == shared_access.SCHEME.lower():
            token = shared_access.parsed(authorization)
            if token is None:
                raise Refusal(401, "MalformedToken: the Authorization header is no shared access signature.")
            return self._signed_by(token, target)
        if scheme == "bearer" and self._web_tokens is not None:
            hosts = {host for host in (*self._hosts, target.host) if host}
            return self._web_tokens.sender(authorization.partition(" ")[2].strip(), hosts)
        taken = "a shared access signature" + ("" if self._web_tokens is None else " or a bearer token")
        raise Refusal(401, f"MalformedToken: the Authorization header has another scheme; send {taken}.")

    def _signed_by(self, token: SharedAccessToken, target: Target) -> str:
        candidates = named(self._policies, token.key_name, target.hub)
        # A policy of a hub does not reach beyond it, whatever its token says.
        signers = [policy for policy in candidates if token.is_signed_with(policy.key)]
        if not signers:
            raise Refusal(
                401, "InvalidSignature: the token has a wrong signature, or names a policy that there is not."
            )
        host, path = _split(token.resource)
        covered = target.path == path or target.path.startswith(f"{path}/") or not path
        if host not in self._hosts | {target.host} or not covered:
            raise Refusal(401, "InvalidAudience: the token is for another resource.")
        if token.expires_at + self._skew_seconds < self._clock():
            raise Refusal(401, "ExpiredToken: the token has expired.")
        allowed = next((policy for policy in signers if SEND in policy.rights), None)
        if allowed is None:
            raise Refusal(401, "Unauthorized: this needs the claim Send, which the token's policy does not have.")
        return allowed.name


def _split(resource: str) -> tuple[str, str]:
    """Host without port and path of a resource, in lower case; with or without a scheme, as tokens have them."""
    text = resource if "://" in resource else f"sb://{resource}"
    try:
        address = urlsplit(text.lower())
        return address.hostname or "", address.path.strip("/")
    except ValueError:
        return "", ""
