"""An issuer of bearer tokens on this machine, in the place of Entra ID: a key, its public part, and tokens."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import folders, private_file
from fraudstream.ingest.access.web_tokens import AUDIENCE, ROLES

NAME = "https://issuer.local/fraudstream"


@dataclass(frozen=True, slots=True)
class Issuer:
    """``jwks``: the public key, for :class:`WebTokens`; ``key``: the private one. Both lie in one folder."""

    jwks: Path
    key: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Issuer:
        """Where an issuer's files lie."""
        return cls(folder / "jwks.json", folder / "issuer.key")

    def create(self) -> bool:
        """Make both files, unless they are there; returns whether they are new. Raises :class:`ConfigurationError`."""
        if self.jwks.exists() and self.key.exists():
            return False
        key = rsa.generate_private_key(65537, 2048)
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        named = public | {"kid": secrets.token_hex(8), "use": "sig", "alg": "RS256"}
        folders.make(self.key.parent)
        try:
            private_file.write(self.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            self.jwks.write_text(f"{json.dumps({'keys': [named]}, indent=2)}\n", "utf-8")
        except OSError as error:
            raise folders.unusable(self.key.parent, f"cannot be written to ({error.strerror or error})") from error
        return True

    def token(self, seconds: int, audience: str = AUDIENCE, roles: tuple[str, ...] = ROLES[:1]) -> str:
        """A token that holds for so long. Raises :class:`ConfigurationError` where the files are not there."""
        try:
            key = load_pem_private_key(self.key.read_bytes(), None)
            name = json.loads(self.jwks.read_text("utf-8"))["keys"][0]["kid"]
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise ConfigurationError(
                f"No issuer can be read in {self.key.parent} ({type(error).__name__}). "
                "`fraudstream ingest issuer` makes one."
            ) from error
        now = int(time.time())
        claims = {"iss": NAME, "aud": audience, "sub": "local-sender", "iat": now, "nbf": now, "exp": now + seconds}
        return jwt.encode(claims | {"roles": list(roles)}, key, algorithm="RS256", headers={"kid": name})  # type: ignore[arg-type]
