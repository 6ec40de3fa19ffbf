"""The HTTP application: endpoints over one champion that a background thread keeps up to date."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version as package_version
from typing import Any

import orjson
import structlog
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.errors import ScoringRejected
from fraudstream.core.output.text import error_text, printable
from fraudstream.core.registry import LoadedModel
from fraudstream.scoring import openapi
from fraudstream.scoring.bodies import INVOCATION_SHAPES, SCORE_SHAPES, ScoringAnswer, Shape, read_request, score
from fraudstream.scoring.champion import ServedChampion
from fraudstream.scoring.gate import OPEN_PATHS, Gate
from fraudstream.scoring.metrics import CONTENT_TYPE, Metrics

VERSION_HEADER = "X-Fraudstream-Model-Version"
MOST_BODY_BYTES = 32 * 2**20

# About 200 rows. Larger bodies are read and scored in a thread, so that small ones need not wait for them; for small
# ones the thread would cost more than the scoring.
_MOST_INLINE_BYTES = 32 * 2**10

log = structlog.get_logger(__name__)


def create_app(champion: ServedChampion, settings: Settings) -> FastAPI:
    """The application, which follows the champion from its start-up to its shutdown."""
    metrics = Metrics(settings.model_name, lambda: loaded.version if (loaded := champion.loaded) else None)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        champion.start()
        yield
        await to_thread.run_sync(champion.stop)

    app = FastAPI(
        title="Fraudstream scoring",
        description=f"{PROJECT.definition.title}: decides which transactions are fraud, with the registered champion.",
        version=package_version("fraudstream"),
        lifespan=lifespan,
        redoc_url=None,
    )
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(
        Gate,
        key=settings.scoring_key.get_secret_value(),
        metrics=metrics,
        endpoints=OPEN_PATHS | {"/score", "/invocations"},
    )
    _add_scoring(app, champion, metrics, settings)
    _add_probes(app, champion, settings)

    @app.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return app


def _add_scoring(app: FastAPI, champion: ServedChampion, metrics: Metrics, settings: Settings) -> None:
    async def answer(request: Request, shapes: tuple[Shape, ...]) -> Response:
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return _error(400, "The client closed the connection before the body was complete.")
        if body is None:
            return _error(
                413,
                f"The body is larger than {MOST_BODY_BYTES} bytes. Send the rows in several requests.",
                # The rest of the body stays unread, so nothing can follow it on this connection.
                {"Connection": "close"},
            )
        # The one look at the champion: a promotion meanwhile must not mix two versions in an answer.
        loaded = champion.loaded
        if loaded is None:
            wait = math.ceil(settings.champion_poll_seconds)
            return _error(503, champion.reason, {"Retry-After": str(wait)})
        try:
            if len(body) > _MOST_INLINE_BYTES:
                scored = await to_thread.run_sync(_score_body, loaded, body, shapes)
            else:
                scored = _score_body(loaded, body, shapes)
        except ScoringRejected as error:
            return _error(400, str(error))
        except Exception as error:
            # The model's code comes from the registry and may raise anything; the service goes on.
            log.exception("scoring_failed", version=loaded.version)
            return _error(
                500,
                f"Version {loaded.version} of {settings.model_name!r} failed ({error_text(error)}). "
                "See the service's log, or promote another: `fraudstream models promote`.",
            )
        metrics.count_rows(request.url.path, scored.rows, scored.alerts)
        return Response(scored.body, media_type="application/json", headers={VERSION_HEADER: loaded.version})

    @app.post(
        "/score",
        summary="Score rows in any of the known shapes",
        response_class=Response,
        openapi_extra=openapi.SCORE_BODY,
        responses=openapi.SCORE_RESPONSES,
    )
    async def score_rows(request: Request) -> Response:
        return await answer(request, SCORE_SHAPES)

    @app.post(
        "/invocations",
        summary="Score rows in MLflow's shapes",
        response_class=Response,
        openapi_extra=openapi.INVOCATIONS_BODY,
        responses=openapi.INVOCATIONS_RESPONSES,
    )
    async def invocations(request: Request) -> Response:
        sent = request.headers.get("content-type", "")
        if sent.partition(";")[0].strip().lower() not in ("", "application/json"):
            return _error(
                415, f"The body is {printable(sent, 80)}. Send application/json: dataframe_split or dataframe_records."
            )
        return await answer(request, INVOCATION_SHAPES)


def _add_probes(app: FastAPI, champion: ServedChampion, settings: Settings) -> None:
    @app.get("/ping", summary="200 when rows can be scored", response_class=Response)
    async def ping() -> Response:
        return _error(503, champion.reason) if champion.loaded is None else Response("\n", media_type="text/plain")

    @app.get("/version", summary="MLflow's version", response_class=Response)
    async def version() -> Response:
        # The distribution that both MLflow in full and its client alone bring.
        return Response(package_version("mlflow-skinny"), media_type="text/plain")

    @app.get("/health", summary="Which version scores", response_class=Response)
    async def health() -> Response:
        loaded = champion.loaded
        if loaded is None:
            state = {"status": "no champion", "model_version": None, "model_name": settings.model_name}
            return _json(503, {**state, "reason": champion.reason})
        return _json(200, {"status": "ok", "model_version": loaded.version, "model_name": settings.model_name})


def _score_body(loaded: LoadedModel, body: bytes, shapes: tuple[Shape, ...]) -> ScoringAnswer:
    return score(loaded, read_request(body, shapes))


async def _read_body(request: Request) -> bytes | None:
    """The body, or ``None`` when it is larger than allowed."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MOST_BODY_BYTES:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Error"
    headers = error.headers if isinstance(error, HTTPException) else None
    path = printable(request.url.path, 100)
    return _error(status, f"{detail}: {request.method} {path}. The service's addresses: /docs.", dict(headers or {}))


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json(status, {"error": message}, headers)


def _json(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")
