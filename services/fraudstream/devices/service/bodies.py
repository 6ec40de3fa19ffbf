"""Requests as JSON, and the answers of the service."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from fastapi import Request, Response

from fraudstream.devices.errors import HubRefused, invalid, too_large

MOST_BODY_BYTES = 1024 * 1024


async def read_body(request: Request, most: int = MOST_BODY_BYTES) -> bytes:
    """The body. Raises :class:`HubRefused` where it is larger than that."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large(f"The body is larger than {most} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request) -> Any:
    """The body as JSON. Raises :class:`HubRefused`."""
    try:
        return orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        raise invalid("The body is no JSON.") from error


def answer(content: Any, status: int = 200, etag: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """JSON, with its ETag."""
    tagged = {} if etag is None else {"ETag": f'"{etag}"'}
    return Response(orjson.dumps(content), status, {**tagged, **(headers or {})}, "application/json; charset=utf-8")


def refusal(error: HubRefused) -> Response:
    """An error as the service tells it."""
    content = {"Message": f"ErrorCode:{error.name};{error}", "ExceptionMessage": f"Tracking ID:{uuid.uuid4().hex}"}
    return answer(content, error.status, headers={"iothub-errorcode": error.name})
