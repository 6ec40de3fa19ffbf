"""A lean HTTP client for load: a closed loop over kept connections, which reads only the length of answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from fraudstream.core.errors import FraudstreamError

_LENGTH = b"content-length:"
_HEAD_END = b"\r\n\r\n"


def request(host: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A complete POST, of JSON unless ``headers`` name another type."""
    named = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body))} | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def answer_length(head: bytes) -> int:
    """The length of the body that the head of an answer announces. Raises :class:`FraudstreamError`."""
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    raise FraudstreamError(f"The answer announces no length: {head[:200]!r}")


@dataclass(slots=True)
class Answered:
    """The result of a load: latencies in microseconds in the order of the answers, wall and processor seconds."""

    latencies_us: list[int] = field(default_factory=list)
    seconds: float = 0.0
    client_seconds: float = 0.0


class _Client(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the one before is complete."""

    def __init__(self, payload: bytes, ends_at: float, done: asyncio.Future[None], latencies_us: list[int]) -> None:
        self._payload = payload
        self._ends_at = ends_at
        self._done = done
        self._latencies_us = latencies_us
        self._buffer = bytearray()
        self._expected = 0
        self._sent_at = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._expected:
            end = self._buffer.find(_HEAD_END)
            if end < 0:
                return
            head = bytes(self._buffer[:end])
            try:
                if not head.startswith(b"HTTP/1.1 200"):
                    raise FraudstreamError(f"The service answered {bytes(self._buffer[:500])!r}")
                self._expected = end + len(_HEAD_END) + answer_length(head)
            except FraudstreamError as error:
                self._end(error)
                return
        if len(self._buffer) < self._expected:
            return
        now = time.perf_counter_ns()
        self._latencies_us.append((now - self._sent_at) // 1_000)
        self._buffer.clear()
        self._expected = 0
        if time.monotonic() < self._ends_at:
            self._send()
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._end(FraudstreamError(f"The service closed a connection that was to be kept alive ({exc})."))

    def _send(self) -> None:
        self._sent_at = time.perf_counter_ns()
        if self._transport is not None:
            self._transport.write(self._payload)

    def _end(self, error: FraudstreamError | None) -> None:
        if not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
        if self._transport is not None:
            self._transport.close()


def load(port: int, payload: bytes, clients: int, seconds: float) -> Answered:
    """Keep ``clients`` connections busy for ``seconds``. Raises :class:`FraudstreamError` on any answer but 200."""
    return asyncio.run(_load(port, payload, clients, seconds))


async def _load(port: int, payload: bytes, clients: int, seconds: float) -> Answered:
    loop = asyncio.get_running_loop()
    answered = Answered()
    began, used = time.monotonic(), time.process_time()
    done: list[asyncio.Future[None]] = []
    for _ in range(clients):
        finished: asyncio.Future[None] = loop.create_future()
        done.append(finished)
        client = _Client(payload, began + seconds, finished, answered.latencies_us)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*done)
    answered.seconds = time.monotonic() - began
    answered.client_seconds = time.process_time() - used
    return answered
