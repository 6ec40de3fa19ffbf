"""Kafka requests over one socket: what a broker answers to exactly this request, without a client that tries again."""

from __future__ import annotations

import socket
import ssl
import struct
from types import TracebackType
from typing import Any, Self

from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)


class Closed(Exception):
    """The other side ended the connection."""


class RawKafka:
    """A TLS connection to the namespace; :meth:`sign_in` returns the error code of the sign-in (0: none)."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        plain = socket.create_connection(("localhost", port), 10)
        plain.settimeout(15)
        self._socket: socket.socket = (
            plain if context is None else context.wrap_socket(plain, server_hostname="localhost")
        )
        self._correlation = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, request: Any, answer: Any, version: int) -> Any:
        """Send a request and read its answer. Raises :class:`Closed`."""
        self._correlation += 1
        request.with_header(correlation_id=self._correlation, client_id="raw")
        self.send(bytes(request.encode(header=True, framed=True)))
        return answer.decode(self.read(), version=version, header=True)

    def send(self, data: bytes) -> None:
        """Send bytes as they are. Raises :class:`Closed`."""
        try:
            self._socket.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed from error

    def read(self) -> bytes:
        """The next frame. Raises :class:`Closed`."""
        (length,) = struct.unpack(">i", self._exactly(4))
        return self._exactly(length)

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

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            try:
                part = self._socket.recv(count - len(content))
            except (ConnectionError, ssl.SSLError) as error:
                raise Closed from error
            if not part:
                raise Closed
            content += part
        return content
