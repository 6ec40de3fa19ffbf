"""The hub's REST API: the tier and its throttles, in front of the local hub's own."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fraudstream.cloud.rehearsal.iothub.hub import IotHub
from fraudstream.cloud.rehearsal.net.web import client, counted, pass_on
from fraudstream.cloud.rules.iothub_limits import METHOD_METER_BYTES

_METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE"]
# Method and path, the rule whose throttle holds, and whether a tier without twins has it.
_OPERATIONS = (
    (re.compile(r"(GET|PUT|DELETE) /devices(/[^/]+)?"), "IH005", True),
    (re.compile(r"GET /twins/[^/]+"), "IH006", False),
    (re.compile(r"(PATCH|PUT) /twins/[^/]+"), "IH007", False),
    (re.compile(r"POST /twins/[^/]+/methods"), "IH009", False),
    (re.compile(r"POST /messages/devicebound"), "IH010", False),
)
# What the local hub refuses by the service's own limits: path, status, and what its answer says.
_REFUSED = tuple(
    (re.compile(path), status, said, rule)
    for path, status, said, rule in (
        (r"/twins/[^/]+", 413, b"", "IH008"),
        (r"/twins/[^/]+/methods", 413, b"", "IH009"),
        (r"/messages/devicebound", 403, b"", "IH011"),
        (r"/messages/devicebound", 413, b"", "IH011"),
        (r"/devices/[^/]+", 400, b" children,", "IH013"),
        (r"/devices/[^/]+", 400, b" nested ", "IH013"),
        (r".*", 401, b"", "IH016"),
    )
)


class HubService:
    """Passes requests on to the local hub at ``address``, as fast as the units allow."""

    def __init__(self, hub: IotHub, address: str) -> None:
        self.hub = hub
        self._behind = client(address)

    def application(self) -> Starlette:
        """All addresses of the API."""
        answer = counted(self._answer, "IoT hub request", self.hub.figures.unread)
        return Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        self.hub.figures.requests += 1
        path = request.url.path.rstrip("/")
        body = await request.body()
        for pattern, rule, is_everywhere in _OPERATIONS:
            if pattern.fullmatch(f"{request.method} {path}"):
                if not is_everywhere and not self.hub.tier.complete:
                    self.hub.refuse("IH012")
                    return _refused(403, 403_010, "InvalidOperation", "The hub's tier does not have it.")
                seconds = self.hub.wait(rule, _amount(rule, body))
                if seconds is None:
                    return _refused(429, 429_001, "ThrottlingException", "The hub is asked too often. Try again later.")
                await asyncio.sleep(seconds)
        answer = await pass_on(request, self._behind, body)
        for pattern, status, said, rule in _REFUSED:
            if status == answer.status_code and pattern.fullmatch(path) and said in bytes(answer.body):
                self.hub.refuse(rule)
                break
        return answer


def _amount(rule: str, body: bytes) -> float:
    """1, and of a method the bytes of its payload in steps."""
    if rule != "IH009":
        return 1.0
    try:
        asked: Any = orjson.loads(body)
        size = len(orjson.dumps(asked.get("payload")))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, AttributeError):
        size = len(body)
    return float(max(1, math.ceil(size / METHOD_METER_BYTES)) * METHOD_METER_BYTES)


def _refused(status: int, code: int, name: str, text: str) -> Response:
    content = {"Message": f"ErrorCode:{name};{text}", "ExceptionMessage": f"Error {code}"}
    return JSONResponse(content, status, {"iothub-errorcode": name})
