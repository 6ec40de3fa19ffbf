"""Direct methods: calls of a connected device that wait for its answer.

Source: "Understand and invoke direct methods from IoT Hub" of the service's documentation.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from fraudstream.devices.errors import HubRefused, invalid, too_large

MOST_BYTES = 128 * 1024
DEFAULT_SECONDS = 30
_LEAST_SECONDS, _MOST_SECONDS = 5, 300
_NAME = re.compile(r"[!#%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_ANSWER = re.compile(r"\$iothub/methods/res/(-?\d{1,9})/\?(?:.*&)?\$rid=([^&]*)")


class Methods:
    """The calls that wait. ``deliver`` brings a message to a device; ``await_device`` waits until it is connected."""

    def __init__(
        self,
        deliver: Callable[[str, str, bytes], Awaitable[bool]],
        await_device: Callable[[str, float], Awaitable[bool]],
    ) -> None:
        self._deliver = deliver
        self._await_device = await_device
        self._numbers = itertools.count(1)
        self._waiting: dict[tuple[str, str], asyncio.Future[dict[str, Any]]] = {}

    async def call(self, device_id: str, request: Any) -> dict[str, Any]:
        """The device's ``{"status": …, "payload": …}``. Raises :class:`HubRefused`."""
        name, payload, seconds, connect_seconds = _read(request)
        if not await self._await_device(device_id, connect_seconds):
            raise _not_online(device_id)
        number = str(next(self._numbers))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[device_id, number] = answer
        try:
            if not await self._deliver(device_id, f"$iothub/methods/POST/{name}/?$rid={number}", payload):
                raise _not_online(device_id)
            return await asyncio.wait_for(answer, seconds)
        except TimeoutError as error:
            raise HubRefused(
                f"{device_id!r} did not answer {name!r} within {seconds} s.", 504_101, "GatewayTimeout"
            ) from error
        finally:
            self._waiting.pop((device_id, number), None)

    def answered(self, device_id: str, topic: str, body: bytes) -> bool:
        """Take a device's answer; False for a topic that is none."""
        match = _ANSWER.fullmatch(topic)
        if match is None:
            return False
        answer = self._waiting.get((device_id, match[2]))
        if answer is not None and not answer.done():
            try:
                payload = orjson.loads(body) if body else None
                orjson.dumps(payload)
            except (orjson.JSONDecodeError, orjson.JSONEncodeError):
                problem = f"{device_id!r} answered without JSON, or with JSON that is nested too deeply."
                answer.set_exception(HubRefused(problem, 502_000, "InvalidResponse"))
            else:
                answer.set_result({"status": int(match[1]), "payload": payload})
        return True


def _read(request: Any) -> tuple[str, bytes, int, int]:
    if not isinstance(request, dict) or not isinstance(request.get("methodName"), str):
        raise invalid("The body is an object with methodName, and payload if the method takes one.")
    name = request["methodName"]
    if not _NAME.fullmatch(name):
        raise invalid("methodName is a text of 1 to 100 letters, digits and !#%&'*+-.^_`|~ .")
    try:
        payload = orjson.dumps(request.get("payload"))
    except orjson.JSONEncodeError as error:  # orjson reads values that are nested four times as deep as it writes
        raise invalid("The payload is nested too deeply.") from error
    if len(payload) > MOST_BYTES:
        raise too_large(f"The payload is larger than {MOST_BYTES} bytes.")
    seconds = _seconds(request, "responseTimeoutInSeconds", DEFAULT_SECONDS, _LEAST_SECONDS)
    return name, payload, seconds, _seconds(request, "connectTimeoutInSeconds", 0, 0)


def _seconds(request: dict[str, Any], name: str, default: int, least: int) -> int:
    value = request.get(name)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST_SECONDS:
        raise invalid(f"{name} is a whole number from {least} to {_MOST_SECONDS}.")
    return value


def _not_online(device_id: str) -> HubRefused:
    return HubRefused(
        f"The device {device_id!r} is not connected, or has not subscribed to $iothub/methods/POST/#.",
        404_103,
        "DeviceNotOnline",
    )
