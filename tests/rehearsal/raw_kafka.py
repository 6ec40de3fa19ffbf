"""Kafka requests over one socket: what a broker answers to exactly this request, without a client that tries again."""

from __future__ import annotations

import ssl
import struct
from typing import Any

from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)

from tests.rehearsal.raw_connection import RawConnection


class RawKafka(RawConnection):
    """A TLS connection to the namespace; :meth:`sign_in` returns the error code of the sign-in (0: none)."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(port, context)
        self._correlation = 0

    def ask(self, request: Any, answer: Any, version: int) -> Any:
        """Send a request and read its answer. Raises :class:`Closed`."""
        self._correlation += 1
        request.with_header(correlation_id=self._correlation, client_id="raw")
        self.send(bytes(request.encode(header=True, framed=True)))
        return answer.decode(self.read(), version=version, header=True)

    def read(self) -> bytes:
        """The next frame. Raises :class:`Closed`."""
        (length,) = struct.unpack(">i", self.exactly(4))
        return self.exactly(length)

    def handshake(self, mechanism: str) -> int:
        """The error code of choosing a mechanism."""
        request = SaslHandshakeRequest(version=1, mechanism=mechanism)
        return int(self.ask(request, SaslHandshakeResponse, 1).error_code)

    def sign_in(self, user: str, password: str) -> int:
        """Sign in with PLAIN; the error code."""
        assert self.handshake("PLAIN") == 0
        return self._authenticate(f"\0{user}\0{password}".encode())

    def sign_in_with_token(self, token: str) -> int:
        """Sign in with OAUTHBEARER; the error code."""
        assert self.handshake("OAUTHBEARER") == 0
        return self._authenticate(f"n,,\x01auth=Bearer {token}\x01\x01".encode())

    def _authenticate(self, data: bytes) -> int:
        request = SaslAuthenticateRequest(version=1, auth_bytes=data)
        answer = self.ask(request, SaslAuthenticateResponse, 1)
        if answer.error_code == 0 and answer.auth_bytes:
            # A refused token is told in a challenge, which the client acknowledges before the error comes.
            request = SaslAuthenticateRequest(version=1, auth_bytes=b"\x01")
            answer = self.ask(request, SaslAuthenticateResponse, 1)
        return int(answer.error_code)
