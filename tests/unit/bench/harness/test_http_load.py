"""The load client against a server that answers as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fraudstream.bench.harness.http_load import answer_length, load, request
from fraudstream.core.errors import FraudstreamError


@contextmanager
def server(*pieces: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answers every request with these pieces, each sent by itself; yields its port and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65_536):
                asked.append(data)
                for piece in pieces:
                    connection.sendall(piece)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


@pytest.mark.parametrize("pieces", [(OK + b"[1]\n",), (OK[:20], OK[20:], b"[1", b"]\n")])
def test_every_request_has_its_answer(pieces: tuple[bytes, ...]) -> None:
    with server(*pieces) as (port, asked):
        answered = load(port, request("host", "/score", b"{}"), clients=3, seconds=0.2)
    assert len(answered.latencies_us) == len(asked) >= 3
    assert set(asked) == {
        b"POST /score HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    }
    assert answered.client_seconds > 0
    assert answered.seconds >= 0.2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "announces no length"),
    ],
)
def test_another_answer_ends_the_load(answer: bytes, message: str) -> None:
    with server(answer) as (port, _), pytest.raises(FraudstreamError, match=message):
        load(port, request("host", "/score", b"{}"), clients=1, seconds=5.0)


def test_a_length_is_found_in_any_case() -> None:
    assert answer_length(b"HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 12") == 12
