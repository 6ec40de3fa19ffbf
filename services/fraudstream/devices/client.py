"""A client of the hub's REST API, as the commands use it; an Azure IoT hub answers it as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self
from urllib.parse import quote

import httpx
import orjson

from fraudstream.core.access.iot_hub import API_VERSION
from fraudstream.core.access.throttled import unthrottled
from fraudstream.core.output.text import error_text
from fraudstream.devices.errors import HubRefused, HubUnavailable

_TIMEOUT_SECONDS = 30.0
_PAGE = 100


class Principal(Protocol):
    """Who signs in: a policy, or an edge device; ``host`` is the name that devices know the hub by."""

    @property
    def host(self) -> str: ...

    def token(self) -> str:
        """A token that holds for some time."""
        ...


class HubClient:
    """Requests to one hub, signed in as a policy, or as an edge device where it asks who its children are."""

    def __init__(self, principal: Principal, url: str = "", timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        """``url``: the hub's address; empty for the principal's host over HTTPS."""
        self._principal = principal
        self._url = (url or f"https://{principal.host}").rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._client = httpx.Client(base_url=self._url)

    @property
    def host(self) -> str:
        """The name that devices know the hub by."""
        return self._principal.host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, device_id: str) -> dict[str, Any]:
        """The identity of a device. Raises :class:`HubRefused`, :class:`HubUnavailable`, as all requests do."""
        identity: dict[str, Any] = self._request("GET", f"/devices/{quote(device_id, safe='')}")
        return identity

    def put(self, identity: Mapping[str, Any], etag: str | None = None) -> dict[str, Any]:
        """Create the device, or update the one with that ETag (``*``: any)."""
        path = f"/devices/{quote(str(identity['deviceId']), safe='')}"
        headers = {} if etag is None else {"If-Match": f'"{etag}"'}
        stored: dict[str, Any] = self._request("PUT", path, identity, headers)
        return stored

    def delete(self, device_id: str, etag: str = "*") -> None:
        """Delete the device."""
        self._request("DELETE", f"/devices/{quote(device_id, safe='')}", headers={"If-Match": f'"{etag}"'})

    def query(self, text: str, most: int | None = None) -> list[dict[str, Any]]:
        """The rows that a query gives, at most so many."""
        rows: list[dict[str, Any]] = []
        for page in self._pages(text):
            rows += page
            if most is not None and len(rows) >= most:
                return rows[:most]
        return rows

    def twin(self, device_id: str, patch: Mapping[str, Any] | None = None, etag: str = "*") -> dict[str, Any]:
        """The twin; with ``patch`` after its tags and desired properties were merged into it."""
        path = f"/twins/{quote(device_id, safe='')}"
        if patch is None:
            shown: dict[str, Any] = self._request("GET", path)
            return shown
        changed: dict[str, Any] = self._request("PATCH", path, patch, {"If-Match": f'"{etag}"'})
        return changed

    def call(self, device_id: str, name: str, payload: Any, seconds: int) -> dict[str, Any]:
        """What a method of the device answers: ``{"status": …, "payload": …}``."""
        body = {"methodName": name, "payload": payload, "responseTimeoutInSeconds": seconds}
        path = f"/twins/{quote(device_id, safe='')}/methods"
        answer: dict[str, Any] = self._request("POST", path, body, seconds=seconds)
        return answer

    def send(self, device_id: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a message to the device; ``headers`` carry its properties."""
        to = {"iothub-to": f"/devices/{device_id}/messages/devicebound"}
        self._request("POST", "/messages/devicebound", headers={**headers, **to}, content=body)

    def feedback(self) -> list[dict[str, Any]]:
        """What became of messages since it was last asked."""
        response = self._send("GET", "/messages/servicebound/feedback")
        if response.status_code == httpx.codes.NO_CONTENT:
            return []
        lock = response.headers["etag"].strip('"')
        self._request("DELETE", f"/messages/servicebound/feedback/{lock}")
        records: list[dict[str, Any]] = response.json()
        return records

    def in_scope(self, edge_id: str) -> list[dict[str, Any]]:
        """The edge device and its children, with their keys; the edge device itself asks."""
        path = f"/devices/{quote(edge_id, safe='')}/modules/$edgeHub/devicesAndModulesInDeviceScope"
        try:
            devices: list[dict[str, Any]] = self._request("GET", path)["devices"]
        except (KeyError, TypeError) as error:
            raise self._unavailable(error) from error
        return devices

    def _pages(self, text: str) -> Iterator[list[dict[str, Any]]]:
        following: str | None = ""
        while following is not None:
            headers = {"x-ms-max-item-count": str(_PAGE)} | ({"x-ms-continuation": following} if following else {})
            response = self._send("POST", "/devices/query", orjson.dumps({"query": text}), headers)
            yield response.json()
            following = response.headers.get("x-ms-continuation")

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float = 0,
    ) -> Any:
        given = content if body is None else orjson.dumps(body)
        response = self._send(method, path, given, headers, seconds)
        try:
            return response.json() if response.content else None
        except ValueError as error:
            raise self._unavailable(error) from error

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0,
    ) -> httpx.Response:
        def send() -> httpx.Response:
            return self._client.request(
                method,
                path,
                params={"api-version": API_VERSION},
                content=content,
                headers={**(headers or {}), "Authorization": self._principal.token()},
                timeout=self._timeout_seconds + seconds,
            )

        try:
            response = unthrottled(send)
        except httpx.HTTPError as error:
            raise self._unavailable(error) from error
        if response.is_error:
            raise _refusal(response)
        return response

    def _unavailable(self, error: Exception) -> HubUnavailable:
        return HubUnavailable(
            f"The IoT hub at {self._url} does not answer ({error_text(error)}). Start it with "
            "`fraudstream up --with devices`, or set FRAUDSTREAM_IOT_HUB_URL."
        )


def _refusal(response: httpx.Response) -> HubRefused:
    try:
        text = str(response.json()["Message"])
    except (ValueError, KeyError, TypeError):
        text = f"status {response.status_code}"
    name = response.headers.get("iothub-errorcode", "")
    said = text.partition(";")[2] or text
    return HubRefused(f"{name + ': ' if name else ''}{said}", response.status_code * 1000, name)
