"""Twins and direct methods: `/twins`."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from fraudstream.devices.hub import Hub
from fraudstream.devices.service import openapi
from fraudstream.devices.service.access import allow
from fraudstream.devices.service.bodies import answer, read_json


def add(app: FastAPI, hub: Hub) -> None:
    """Add the endpoints."""

    @app.get("/twins/{device_id}", summary="A device's twin", **openapi.PLAIN)
    async def show(device_id: str, request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        twin = hub.shown_twin(device_id)
        return answer(twin, etag=twin["etag"])

    @app.patch("/twins/{device_id}", summary="Merge tags and desired properties", **openapi.CHANGE_TWIN)
    async def patch(device_id: str, request: Request) -> Response:
        return await change(device_id, request, replace=False)

    @app.put("/twins/{device_id}", summary="Replace tags and desired properties", **openapi.CHANGE_TWIN)
    async def put(device_id: str, request: Request) -> Response:
        return await change(device_id, request, replace=True)

    @app.post("/twins/{device_id}/methods", summary="Call a method of a connected device", **openapi.METHOD)
    async def call(device_id: str, request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        return answer(await hub.methods.call(device_id, await read_json(request)))

    async def change(device_id: str, request: Request, replace: bool) -> Response:
        allow(hub, request, "ServiceConnect")
        body = await read_json(request)
        twin = hub.change_twin(device_id, body, request.headers.get("if-match"), replace)
        return answer(twin, etag=twin["etag"])
