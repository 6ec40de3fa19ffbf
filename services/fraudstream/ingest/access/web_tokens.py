"""Signed web tokens (JWT), as Entra ID issues them, checked against a file of public keys (JWKS)."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import jwt

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.ingest.refusal import Refusal

# The audience of tokens for every namespace (learn.microsoft.com/rest/api/eventhub/get-azure-active-directory-token).
AUDIENCE = "https://eventhubs.azure.net"
# Roles that allow to send (learn.microsoft.com/azure/event-hubs/authorize-access-azure-active-directory).
ROLES = ("Azure Event Hubs Data Sender", "Azure Event Hubs Data Owner")
# Signatures with a private key alone: with a common secret, who can check a token could issue one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
_LONGEST_TOKEN = 16_384


class WebTokens:
    """Checks tokens of one issuer. ``role``: whether a token has to name a role that may send."""

    def __init__(self, keys: dict[str, jwt.PyJWK], issuer: str, needs_role: bool, skew_seconds: float) -> None:
        self._keys = keys
        self._issuer = issuer
        self._needs_role = needs_role
        self._skew_seconds = skew_seconds

    @classmethod
    def of(cls, settings: Settings) -> WebTokens | None:
        """As the settings say; None where no file of keys is named. Raises :class:`ConfigurationError`."""
        if settings.ingest_jwks is None:
            return None
        return cls(
            _keys(settings.ingest_jwks),
            settings.ingest_token_issuer,
            settings.ingest_token_roles,
            settings.ingest_clock_skew_seconds,
        )

    def sender(self, token: str, hosts: Collection[str]) -> str:
        """Who sends, from a token for Event Hubs or for one of the namespaces. Raises :class:`Refusal` (401)."""
        if len(token) > _LONGEST_TOKEN:
            raise Refusal(401, "MalformedToken: the bearer token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid", "")))
            if key is None:
                raise Refusal(401, "InvalidSignature: the token is signed with a key that is not known here.")
            claims = self._claims(token, key, hosts)
        except jwt.ExpiredSignatureError:
            raise Refusal(401, "ExpiredToken: the token has expired.") from None
        except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
            raise Refusal(401, "InvalidToken: the token is not valid yet.") from None
        except jwt.InvalidAudienceError:
            raise Refusal(401, "InvalidAudience: the token is for another resource.") from None
        except jwt.InvalidIssuerError:
            raise Refusal(401, "InvalidIssuer: the token is of another issuer.") from None
        except jwt.InvalidSignatureError:
            raise Refusal(401, "InvalidSignature: the token has a wrong signature.") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Refusal(401, "MalformedToken: the bearer token cannot be read.") from None
        if self._needs_role and not _may_send(claims):
            raise Refusal(401, f"Unauthorized: this needs the claim Send, which the role {ROLES[0]} gives.")
        return str(claims.get("oid") or claims.get("appid") or claims.get("sub") or "bearer")

    def _claims(self, token: str, key: jwt.PyJWK, hosts: Collection[str]) -> dict[str, Any]:
        audiences = [AUDIENCE, f"{AUDIENCE}/", *(f"https://{host}{end}" for host in hosts for end in ("", "/"))]
        required = ["exp", "aud"] + (["iss"] if self._issuer else [])
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=audiences,
            issuer=self._issuer or None,
            leeway=self._skew_seconds,
            options={"require": required},
        )
        return claims


def _may_send(claims: dict[str, Any]) -> bool:
    roles = claims.get("roles")
    return isinstance(roles, list) and any(role in ROLES for role in roles)


def _keys(file: Path) -> dict[str, jwt.PyJWK]:
    advice = f"{ENV_PREFIX}INGEST_JWKS has to name a file of public keys; `fraudstream ingest issuer` makes one."
    try:
        given = json.loads(file.read_text("utf-8"))
        keys = {str(key["kid"]): jwt.PyJWK.from_dict(key) for key in given["keys"]}
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read ({error.strerror}). {advice}") from error
    except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
        raise ConfigurationError(f"{file} holds no usable keys ({type(error).__name__}). {advice}") from error
    if not keys or any(key.key_type == "oct" for key in keys.values()):
        raise ConfigurationError(f"{file} holds no key, or a secret one. {advice}")
    return keys
