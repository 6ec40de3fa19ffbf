"""Sign-in without connection strings: tokens as Entra ID issues them, for managed identities and over OAuth.

A managed identity's token comes from ``IDENTITY_ENDPOINT`` with ``IDENTITY_HEADER`` (Container Apps, App Service), a
service principal's from the tenant's token endpoint. Both are signed JWTs for the scope of the namespace, which the
broker checks.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fraudstream.cloud.rehearsal.net.web import counted

_KEY_ID = "rehearsal"
_LIFETIME_SECONDS = 3_600


@dataclass(slots=True)
class Identity:
    """Issues tokens for one audience; callers prove themselves with ``header`` or ``client_secret``.

    ``unread``: requests that could not be read, by kind.
    """

    issuer: str
    audience: str
    header: str
    client_id: str
    client_secret: str
    issued: int = 0
    refused: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)

    def write_jwks(self, file: Path) -> None:
        """Write the public key in the form that the broker reads."""
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        file.write_text(json.dumps({"keys": [public | {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}), "utf-8")

    def token(self, audience: str | None = None, lifetime: int = _LIFETIME_SECONDS) -> tuple[str, int]:
        """A signed token and the Unix time at which it expires."""
        self.issued += 1
        expires = int(time.time()) + lifetime
        claims = {
            "iss": self.issuer,
            "aud": audience or self.audience,
            "sub": "fraudstream",
            "iat": int(time.time()) - 1,
            "exp": expires,
            "scope": "EventHubs.Data",
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID}), expires

    def application(self) -> Starlette:
        """Both addresses: ``/msi/token`` and ``/oauth2/v2.0/token``."""
        managed, principal = (
            counted(answer, "token request", self.unread)
            for answer in (self._managed_identity, self._service_principal)
        )
        return Starlette(
            routes=[Route("/msi/token", managed), Route("/oauth2/v2.0/token", principal, methods=["POST"])]
        )

    async def _managed_identity(self, request: Request) -> Response:
        sent = request.headers.get("x-identity-header", "")
        if not hmac.compare_digest(sent.encode(), self.header.encode()):
            self.refused += 1
            return JSONResponse({"statusCode": 401, "message": "the identity header is wrong"}, 401)
        resource = request.query_params.get("resource", "").rstrip("/")
        token, expires = self.token(resource)
        return JSONResponse(
            {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        )

    async def _service_principal(self, request: Request) -> Response:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        expected = f"{self.client_id}:{self.client_secret}"
        sent = b64decode(credentials).decode() if scheme.lower() == "basic" else ""
        if not hmac.compare_digest(sent.encode(), expected.encode()):
            self.refused += 1
            return JSONResponse({"error": "invalid_client"}, 401)
        form = dict(pair.split("=", 1) for pair in (await request.body()).decode().split("&") if "=" in pair)
        scope = unquote_plus(form.get("scope", "")).removesuffix("/.default")
        token, _ = self.token(scope or None)
        return JSONResponse({"access_token": token, "expires_in": _LIFETIME_SECONDS, "token_type": "Bearer"})
