"""The HTTP application over one hub."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version as package_version

import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fraudstream.devices.errors import HubRefused, HubUnavailable, invalid
from fraudstream.devices.hub import Hub
from fraudstream.devices.service import devices, messages, openapi, twins
from fraudstream.devices.service.bodies import answer, refusal

_NAMES = {404: "ResourceNotFound", 405: "InvalidOperation"}

log = structlog.get_logger(__name__)


def create_app(hub: Hub, is_ready: Callable[[], bool]) -> FastAPI:
    """The REST API; ``is_ready`` says whether the broker is there."""
    app = FastAPI(
        title="Fraudstream IoT hub",
        description="Devices, their twins, methods and messages, as the service API of an Azure IoT hub.",
        version=package_version("fraudstream"),
        redoc_url=None,
    )
    app.add_exception_handler(HubRefused, _refused)
    app.add_exception_handler(HubUnavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    devices.add(app, hub)
    twins.add(app, hub)
    messages.add(app, hub)

    @app.get("/health", summary="Whether devices can connect", response_class=Response)
    async def health() -> Response:
        ready = is_ready()
        return answer({"status": "ok" if ready else "the MQTT broker starts"}, 200 if ready else 503)

    # What FastAPI has described is kept, and shown from then on.
    app.openapi().setdefault("components", {})["securitySchemes"] = openapi.SECURITY
    return app


async def _refused(request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, HubRefused) else HubRefused(str(error), 500_001, "ServerError")
    if refused.status == 401:
        log.warning("request_refused", path=request.url.path[:200], reason=str(refused))
    return refusal(refused)


async def _unavailable(_request: Request, error: Exception) -> Response:
    return refusal(HubRefused(str(error), 503_001, "ServiceUnavailable"))


async def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    name = _NAMES.get(status, "ArgumentInvalid")
    return refusal(HubRefused("The hub has no such address. /docs lists all.", status * 1000 + 1, name))


async def _disconnected(_request: Request, _error: Exception) -> Response:
    return refusal(invalid("The client closed the connection."))
