"""The REST API answers every request as the service does, and never with an error of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fraudstream.core.access.iot_hub import token
from fraudstream.devices.hub import Hub
from fraudstream.devices.registry.policies import POLICIES
from fraudstream.devices.service.app import create_app

HOST = "hub.azure-devices.net"
VERSION = {"api-version": "2021-04-12"}


class Service:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.transport = httpx.ASGITransport(create_app(hub, lambda: True))

    def ask(self, method: str, path: str, policy: str = "iothubowner", **options: Any) -> httpx.Response:
        signed = {"Authorization": token(HOST, self.hub.policies.keys(policy)[0], policy=policy)}
        headers = signed | options.pop("headers", {})
        params = options.pop("params", VERSION)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url=f"https://{HOST}") as client:
                return await client.request(method, path, params=params, headers=headers, **options)

        return asyncio.run(send())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    hub = Hub(tmp_path / "registry.sqlite3", (HOST,))
    hub.identities.put("till-1", {}, None)
    yield Service(hub)
    hub.close()


@pytest.mark.parametrize(
    ("method", "path", "rights"),
    [
        ("GET", "/devices/till-1", {"RegistryRead"}),
        ("GET", "/devices", {"RegistryRead"}),
        ("PUT", "/devices/till-2", {"RegistryWrite"}),
        ("DELETE", "/devices/till-1", {"RegistryWrite"}),
        ("GET", "/statistics/devices", {"RegistryRead"}),
        ("GET", "/statistics/service", {"ServiceConnect"}),
        ("GET", "/twins/till-1", {"ServiceConnect"}),
        ("PATCH", "/twins/till-1", {"ServiceConnect"}),
        ("POST", "/twins/till-1/methods", {"ServiceConnect"}),
        ("POST", "/messages/devicebound", {"ServiceConnect"}),
        ("GET", "/messages/servicebound/feedback", {"ServiceConnect"}),
        ("POST", "/devices/query", {"RegistryRead", "ServiceConnect"}),
    ],
)
def test_each_policy_does_what_it_has_the_right_to(service: Service, method: str, path: str, rights: set[str]) -> None:
    for policy, held in POLICIES.items():
        status = service.ask(method, path, policy, json={}).status_code
        assert (status == 401) is not bool(rights & set(held)), policy
        assert status < 500


@pytest.mark.parametrize(
    ("options", "status", "name"),
    [
        ({"params": {}}, 400, "InvalidProtocolVersion"),
        ({"headers": {"Authorization": "SharedAccessSignature sr=x&sig=y&se=1"}}, 401, "IotHubUnauthorized"),
        ({"headers": {"Authorization": token("other", "AAAA" * 8)}}, 401, "IotHubUnauthorized"),
    ],
)
def test_errors_have_the_services_names(service: Service, options: dict[str, Any], status: int, name: str) -> None:
    answer = service.ask("GET", "/devices/till-1", **options)
    assert (answer.status_code, answer.headers["iothub-errorcode"]) == (status, name)
    assert answer.json()["Message"].startswith(f"ErrorCode:{name};")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/devices/till-2"),
        ("PATCH", "/twins/till-1"),
        ("POST", "/twins/till-1/methods"),
        ("POST", "/devices/query"),
    ],
)
def test_a_body_that_cannot_be_meant_is_a_bad_request(service: Service, method: str, path: str, body: bytes) -> None:
    assert service.ask(method, path, content=body).status_code == 400


def test_a_payload_that_is_nested_too_deeply_is_a_bad_request(service: Service) -> None:
    body = b'{"methodName": "reboot", "payload": %b%b}' % (b"[" * 300, b"]" * 300)
    assert service.ask("POST", "/twins/till-1/methods", content=body).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/devices/a/b/c", 404),
        ("PATCH", "/devices/till-1", 405),
        ("GET", "/devices/%00%ff", 404),
        ("GET", "/devices?top=0", 400),
        ("GET", "/devices?top=x", 400),
        ("GET", "/twins/nobody", 404),
        ("DELETE", "/devices/till-1", 412),
        ("DELETE", "/messages/servicebound/feedback/none", 412),
    ],
)
def test_other_addresses_have_an_answer_too(service: Service, method: str, path: str, status: int) -> None:
    place, _, query = path.partition("?")
    more = dict(pair.split("=") for pair in query.split("&") if pair)
    assert service.ask(method, place, params={**VERSION, **more}).status_code == status


def test_a_twin_is_changed_with_its_etag_and_replaced_whole(service: Service) -> None:
    body = {"tags": {"town": "Bern"}, "properties": {"desired": {"rate": 1}}}
    changed = service.ask("PATCH", "/twins/till-1", json=body, headers={"If-Match": '"AAAAAAAAAAE="'})
    assert changed.headers["etag"] == '"AAAAAAAAAAM="'
    assert service.ask("PATCH", "/twins/till-1", json=body, headers={"If-Match": '"AAAAAAAAAAE="'}).status_code == 412
    replaced = service.ask("PUT", "/twins/till-1", json={"properties": {"desired": {"level": 2}}}).json()
    assert replaced["tags"] == {}
    assert replaced["properties"]["desired"]["level"] == 2
    assert "rate" not in replaced["properties"]["desired"]


def test_a_message_is_queued_with_its_properties(service: Service) -> None:
    headers = {"iothub-to": "/devices/till-1/messages/deviceBound", "iothub-messageid": "m", "iothub-app-level": "3"}
    assert service.ask("POST", "/messages/devicebound", content=b"hello", headers=headers).status_code == 204
    message = service.hub.mailbox.next("till-1")
    assert message is not None
    assert (message.body, message.properties) == (b"hello", {"message-id": "m", "level": "3"})
    for wrong in ({"iothub-to": "till-1"}, {"iothub-expiry": "soon"}, {"iothub-expiry": "2020-01-01T00:00:00Z"}):
        answer = service.ask("POST", "/messages/devicebound", content=b"", headers={**headers, **wrong})
        assert answer.status_code == 400


def test_an_edge_device_sees_its_children_with_its_own_token(service: Service) -> None:
    edge = service.hub.identities.put("edge", {"capabilities": {"iotEdge": True}}, None)
    service.hub.identities.put("child", {"deviceScope": edge.scope}, None)
    path = "/devices/edge/modules/$edgeHub/devicesAndModulesInDeviceScope"
    own = token(f"{HOST}/devices/edge", str(edge.keys[0]))
    answer = service.ask("GET", path, headers={"Authorization": own})
    assert [device["deviceId"] for device in answer.json()["devices"]] == ["edge", "child"]
    assert service.ask("GET", path).status_code == 401
    assert service.ask("GET", path.replace("/edge/", "/child/"), headers={"Authorization": own}).status_code == 401
