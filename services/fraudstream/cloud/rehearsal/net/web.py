"""HTTP endpoints of a rehearsal: TLS servers in the endpoints' event loop that ask the real services."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from fraudstream.cloud.rehearsal.net.unread import Unreadable, reading
from fraudstream.core.errors import PortTaken

_HOP_HEADERS = frozenset(
    ("connection", "content-encoding", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding")
)

# Longer than any endpoint lets a request take.
_BEHIND_SECONDS = 600.0


class WebServer:
    """An application on a port of its own; TLS where a certificate is given."""

    def __init__(self, application: ASGIApp, port: int, certificate: Path | None = None) -> None:
        self.port = port
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                host="127.0.0.1",
                port=port,
                log_level="error",
                access_log=False,
                ssl_certfile=None if certificate is None else str(certificate),
                timeout_graceful_shutdown=2,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once the port answers.

        Raises
        ------
        PortTaken
            Something else listens on it.
        """
        try:
            listener = socket.create_server(("127.0.0.1", self.port))
        except OSError as error:
            raise PortTaken(f"Port {self.port} cannot be listened on: {error.strerror}. Start again.") from error
        self._task = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


Answer = Callable[[Request], Awaitable[Response]]


def counted(answer: Answer, what: str, unread: Counter[str]) -> Answer:
    """An endpoint that calls ``answer``, counts each of its failures under ``what``, and answers them with 400."""

    async def endpoint(request: Request) -> Response:
        try:
            with reading(what, unread):
                try:
                    return await answer(request)
                except ClientDisconnect:
                    # The sender was stopped in the middle of its request: it sent nothing that could be read.
                    return Response(status_code=400)
        except Unreadable as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


def client(address: str) -> httpx.AsyncClient:
    """A client of the real service behind an endpoint. The endpoint itself limits the time."""
    return httpx.AsyncClient(base_url=address, timeout=_BEHIND_SECONDS, trust_env=False)


async def pass_on(request: Request, behind: httpx.AsyncClient, body: bytes | None = None) -> Response:
    """The real service's answer to a request."""
    answer = await behind.request(
        request.method,
        request.url.path,
        params=request.query_params,
        content=await request.body() if body is None else body,
        headers=kept_headers(request.headers),
    )
    return Response(answer.content, answer.status_code, kept_headers(answer.headers))


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers that belong to the message, not to the connection."""
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}
