"""Azure ML's registry as MLflow clients see it: MLflow's own server, without what Azure does not have.

Sources: how-to-manage-models-mlflow (no aliases, no rename, no LIKE), azure-sdk-for-python issue 44896 (no logged
models).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fraudstream.cloud.rehearsal.net.web import client, counted, pass_on
from fraudstream.cloud.rules.azureml import searchable

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(slots=True)
class RegistryFigures:
    """Counts: all requests, refusals by rule, and what the registry could not read by kind."""

    requests: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


class Registry:
    """The registry's application."""

    def __init__(self, mlflow: str) -> None:
        self.figures = RegistryFigures()
        self._behind = client(mlflow)

    def application(self) -> Starlette:
        """All paths of MLflow's server."""
        answer = counted(self._answer, "MLflow request", self.figures.unread)
        return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        self.figures.requests += 1
        body = await request.body()
        refused = self._refusal(request, body)
        if refused is not None:
            return refused
        try:
            answer = await pass_on(request, self._behind, body)
        except httpx.TransportError as error:
            return JSONResponse({"error_code": "TEMPORARILY_UNAVAILABLE", "message": type(error).__name__}, 503)
        return _without_aliases(answer, self.figures.unread)

    def _refusal(self, request: Request, body: bytes) -> Response | None:
        path = request.url.path
        if "/logged-models" in path:
            return self._refused("RG002", 404, "RESOURCE_DOES_NOT_EXIST", f"No route for {path}")
        if "/registered-models/alias" in path:
            return self._refused("RG001", 404, "RESOURCE_DOES_NOT_EXIST", f"No route for {path}")
        if path.endswith("/registered-models/rename"):
            return self._refused("RG003", 400, "BAD_REQUEST", "Registered models cannot be renamed")
        if path.endswith("/search") and "model" in path:
            filter_text = request.query_params.get("filter") or _filter_of(body, self.figures.unread)
            if not searchable(filter_text):
                return self._refused("RG004", 400, "BAD_REQUEST", f"The filter is not supported: {filter_text[:100]}")
        return None

    def _refused(self, rule: str, status: int, code: str, text: str) -> Response:
        self.figures.refusals[rule] += 1
        return JSONResponse({"error_code": code, "message": text}, status)


def _filter_of(body: bytes, unread: Counter[str]) -> str:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        if body.strip():
            unread["MLflow request"] += 1
        return ""
    return str(sent.get("filter", "")) if isinstance(sent, dict) else ""


def _without_aliases(answer: Response, unread: Counter[str]) -> Response:
    if b'"aliases"' not in answer.body:
        return answer
    try:
        content = orjson.loads(bytes(answer.body))
    except orjson.JSONDecodeError:
        unread["MLflow answer"] += 1
        return answer
    kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(orjson.dumps(_dropped(content)), answer.status_code, kept)


def _dropped(content: object) -> object:
    if isinstance(content, dict):
        return {name: _dropped(value) for name, value in content.items() if name != "aliases"}
    return [_dropped(item) for item in content] if isinstance(content, list) else content
