"""Identities: `/devices`, and what an edge device asks about those that connect through it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from fraudstream.devices.errors import invalid, precondition_failed
from fraudstream.devices.hub import Hub
from fraudstream.devices.registry import queries
from fraudstream.devices.registry.identities import MOST_LISTED
from fraudstream.devices.service import openapi
from fraudstream.devices.service.access import allow, allow_device
from fraudstream.devices.service.bodies import answer, read_json

_MOST_ITEMS = "x-ms-max-item-count"
_CONTINUATION = "x-ms-continuation"


def add(app: FastAPI, hub: Hub) -> None:
    """Add the endpoints."""
    _add_identities(app, hub)
    _add_lists(app, hub)


def _add_identities(app: FastAPI, hub: Hub) -> None:
    @app.get("/devices/{device_id}", summary="A device's identity", **openapi.PLAIN)
    async def show(device_id: str, request: Request) -> Response:
        allow(hub, request, "RegistryRead")
        identity = hub.identities.get(device_id)
        return answer(hub.shown(identity), etag=identity.etag)

    @app.put("/devices/{device_id}", summary="Create a device, or with If-Match update it", **openapi.PUT_IDENTITY)
    async def put(device_id: str, request: Request) -> Response:
        allow(hub, request, "RegistryWrite")
        wanted = await read_json(request)
        if not isinstance(wanted, dict):
            raise invalid("The body is an object.")
        identity = hub.identities.put(device_id, wanted, request.headers.get("if-match"))
        return answer(hub.shown(identity), etag=identity.etag)

    @app.delete("/devices/{device_id}", summary="Delete a device and its twin", **openapi.CONDITIONAL)
    async def delete(device_id: str, request: Request) -> Response:
        allow(hub, request, "RegistryWrite")
        hub.identities.get(device_id)
        if (if_match := request.headers.get("if-match")) is None:
            raise precondition_failed(device_id)
        hub.identities.delete(device_id, if_match)
        return Response(status_code=204)

    @app.delete("/devices/{device_id}/commands", summary="Remove a device's messages", **openapi.PLAIN)
    async def purge(device_id: str, request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        hub.identities.get(device_id)
        return answer({"deviceId": device_id, "moduleId": None, "totalMessagesPurged": hub.mailbox.purge(device_id)})


def _add_lists(app: FastAPI, hub: Hub) -> None:
    @app.get("/devices", summary="Identities, in the order of their ids", **openapi.LIST)
    async def listed(request: Request) -> Response:
        allow(hub, request, "RegistryRead")
        most = _whole(request.query_params.get("top", str(MOST_LISTED)), "top", 1, MOST_LISTED)
        return answer([hub.shown(identity) for identity in hub.identities.all(most)])

    @app.post("/devices/query", summary="Twins, by the hub's query language", **openapi.QUERY)
    async def query(request: Request) -> Response:
        allow(hub, request, "RegistryRead", "ServiceConnect")
        body = await read_json(request)
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            raise invalid("The body is an object with query.")
        asked = queries.parse(body["query"])
        rows = asked.run(hub.shown_twin(identity.device_id) for identity in hub.identities.all(-1))
        return _page(rows, request)

    @app.get("/statistics/devices", summary="How many devices there are", **openapi.PLAIN)
    async def registered(request: Request) -> Response:
        allow(hub, request, "RegistryRead")
        statuses = [identity.status for identity in hub.identities.all(-1)]
        return answer(
            {
                "totalDeviceCount": len(statuses),
                "enabledDeviceCount": statuses.count("enabled"),
                "disabledDeviceCount": statuses.count("disabled"),
            }
        )

    @app.get("/statistics/service", summary="How many devices are connected", **openapi.PLAIN)
    async def connected(request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        return answer({"connectedDeviceCount": hub.count_connected()})

    @app.get(
        "/devices/{device_id}/modules/$edgeHub/devicesAndModulesInDeviceScope",
        summary="An edge device and its children, with their keys",
        **openapi.PLAIN,
    )
    async def in_scope(device_id: str, request: Request) -> Response:
        edge = allow_device(hub, request, device_id)
        children = hub.identities.children(device_id) if edge.is_edge else []
        return answer({"devices": [hub.shown(identity) for identity in (edge, *children)], "modules": []})


def _page(rows: list[dict[str, Any]], request: Request) -> Response:
    most = _whole(request.headers.get(_MOST_ITEMS, str(MOST_LISTED)), _MOST_ITEMS, 1, MOST_LISTED)
    start = _whole(request.headers.get(_CONTINUATION) or "0", _CONTINUATION, 0, 10**9)
    headers = {"x-ms-item-type": "Twin"}
    if start + most < len(rows):
        headers[_CONTINUATION] = str(start + most)
    return answer(rows[start : start + most], headers=headers)


def _whole(text: str, name: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:12]) <= most:
        raise invalid(f"{name} is a whole number from {least} to {most}.")
    return int(text)
