"""One socket to an endpoint: bytes as they are, and the end of the connection as an error."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType
from typing import Self


class Closed(Exception):
    """The other side ended the connection."""


class RawConnection:
    """A connection to a port of this machine; ``context`` None: without TLS."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        plain = socket.create_connection(("localhost", port), 10)
        plain.settimeout(15)
        self._socket: socket.socket = (
            plain if context is None else context.wrap_socket(plain, server_hostname="localhost")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are. Raises :class:`Closed`."""
        try:
            self._socket.sendall(data)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed from error

    def exactly(self, count: int) -> bytes:
        """So many bytes. Raises :class:`Closed`."""
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
