"""Messages from the cloud to devices, and what became of them: `/messages`.

The service takes them over AMQP. Here they come over HTTP, with the headers that its HTTP endpoint for devices has for
the same properties; feedback has the service's own REST addresses.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from fraudstream.devices.errors import invalid
from fraudstream.devices.hub import Hub
from fraudstream.devices.registry.mailbox import MOST_BYTES
from fraudstream.devices.service import openapi
from fraudstream.devices.service.access import allow
from fraudstream.devices.service.bodies import answer, read_body

_SYSTEM = {
    "iothub-messageid": "message-id",
    "iothub-correlationid": "correlation-id",
    "iothub-userid": "user-id",
    "iothub-contenttype": "content-type",
    "iothub-contentencoding": "content-encoding",
    "iothub-ack": "iothub-ack",
}
_APPLICATION = "iothub-app-"
_PREFIX, _SUFFIX = "/devices/", "/messages/devicebound"
_FEEDBACK = "/messages/servicebound/feedback"


def add(app: FastAPI, hub: Hub) -> None:
    """Add the endpoints."""

    @app.post("/messages/devicebound", summary="Send a message to a device", **openapi.SEND)
    async def send(request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        # One byte more than a message may have: the mailbox refuses it in the service's words.
        body = await read_body(request, MOST_BYTES + 1)
        hub.send(_device(request.headers.get("iothub-to", "")), _properties(request), body, _seconds(request))
        return Response(status_code=204)

    @app.get(_FEEDBACK, summary="What became of messages", **openapi.PLAIN)
    async def feedback(request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        if (batch := hub.mailbox.feedback()) is None:
            return Response(status_code=204)
        lock, records = batch
        headers = {"ETag": f'"{lock}"', "Content-Type": "application/vnd.microsoft.iothub.feedback.json"}
        return answer(records, headers=headers)

    @app.delete(f"{_FEEDBACK}/{{lock}}", summary="The feedback was read", **openapi.PLAIN)
    async def complete(lock: str, request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        hub.mailbox.complete_feedback(lock)
        return Response(status_code=204)

    @app.post(f"{_FEEDBACK}/{{lock}}/abandon", summary="The feedback is to come again", **openapi.PLAIN)
    async def abandon(lock: str, request: Request) -> Response:
        allow(hub, request, "ServiceConnect")
        hub.mailbox.abandon_feedback(lock)
        return Response(status_code=204)


def _device(to: str) -> str:
    if not to.lower().startswith(_PREFIX) or not to.lower().endswith(_SUFFIX):
        raise invalid("The header iothub-to is /devices/ID/messages/devicebound.")
    return to[len(_PREFIX) : -len(_SUFFIX)]


def _properties(request: Request) -> dict[str, Any]:
    properties = {name: request.headers[header] for header, name in _SYSTEM.items() if header in request.headers}
    own = {name[len(_APPLICATION) :]: value for name, value in request.headers.items() if name.startswith(_APPLICATION)}
    return {**properties, **{name: value for name, value in own.items() if name}}


def _seconds(request: Request) -> float | None:
    text = request.headers.get("iothub-expiry")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid("The header iothub-expiry is a time such as 2026-01-31T09:30:00Z.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time()
