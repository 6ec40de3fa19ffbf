"""Checks the bearer key of every request, and counts requests."""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraudstream.scoring.metrics import Metrics

# Probes and scrapers have no key, and learn nothing about any transaction.
OPEN_PATHS = frozenset({"/health", "/ping", "/version", "/metrics"})

_OTHER = "other"


class Gate:
    """Refuses requests without the key (if one is set) before their body is read, and counts all requests."""

    def __init__(self, app: ASGIApp, key: str, metrics: Metrics, endpoints: Collection[str]) -> None:
        self._app = app
        self._key = key.encode()
        self._metrics = metrics
        self._endpoints = frozenset(endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = scope["path"]
        try:
            if path in OPEN_PATHS or self._has_key(Headers(scope=scope).get("authorization", "")):
                await self._app(scope, receive, send_and_note_status)
            else:
                await _unauthorized(scope, receive, send_and_note_status)
        finally:
            # Paths that do not exist share a label, so that a scanner cannot fill the metrics' registry.
            endpoint = path if path in self._endpoints else _OTHER
            self._metrics.count_request(endpoint, status, time.perf_counter() - started)

    def _has_key(self, authorization: str) -> bool:
        if not self._key:
            return True
        scheme, _, sent = authorization.partition(" ")
        # Headers are decoded as latin-1, so this gives back the bytes that were sent.
        return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("latin-1"), self._key)


_unauthorized = JSONResponse(
    {
        "error": "The bearer key is missing or wrong. Send `Authorization: Bearer …` with the service's "
        "FRAUDSTREAM_SCORING_KEY."
    },
    401,
    {"WWW-Authenticate": 'Bearer realm="fraudstream"'},
)
