"""The online endpoint and the registry over TLS, in front of a container that does what the test wants."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fraudstream.cloud.rehearsal.azureml.online_endpoint import Deployment, OnlineEndpoint
from fraudstream.cloud.rehearsal.azureml.registry import Registry
from fraudstream.cloud.rehearsal.net import certificates
from fraudstream.cloud.rehearsal.net.web import WebServer
from fraudstream.cloud.rules.table import rules
from fraudstream.core.errors import ConfigurationError, PortTaken
from fraudstream.runtime.supervise.preflight import free_port

pytestmark = pytest.mark.rehearsal

Violation = Callable[[httpx.AsyncClient, httpx.AsyncClient], Awaitable[int]]
GOOD = {"input_data": {"columns": ["amount"], "index": [0], "data": [[1.0]]}}
KEY = "a-key-of-this-test"


async def _container(request: Request) -> Response:
    body = await request.body()
    if b"slow" in body:
        await asyncio.sleep(3)
    if b"broken" in body:
        return JSONResponse({"error": "the model failed"}, 500)
    return JSONResponse([{"prediction": 0, "score": 0.1, "threshold": 0.5}])


async def _mlflow(request: Request) -> Response:
    return JSONResponse({"registered_model": {"name": "fraud", "aliases": [{"alias": "champion", "version": "1"}]}})


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, OnlineEndpoint, Registry]]:
    """Clients of the endpoint and of the registry, and both of them."""
    tls = certificates.create(folder)
    routes = [
        Route("/score", _container, methods=["POST"]),
        Route("/{path:path}", _mlflow, methods=["GET", "POST", "DELETE"]),
    ]
    container = WebServer(Starlette(routes=routes), free_port())
    online = OnlineEndpoint(Deployment(KEY, request_timeout_ms=1_000), f"http://127.0.0.1:{container.port}")
    registry = Registry(f"http://127.0.0.1:{container.port}")
    servers = [
        container,
        WebServer(online.application(), free_port(), tls.server),
        WebServer(registry.application(), free_port(), tls.server),
    ]
    for server in servers:
        await server.start()
    clients = [
        httpx.AsyncClient(base_url=f"https://localhost:{server.port}", verify=tls.client_context(), timeout=20)
        for server in servers[1:]
    ]
    try:
        yield clients[0], clients[1], online, registry
    finally:
        for client in clients:
            await client.aclose()
        for server in reversed(servers):
            await server.stop()


def run(folder: Path, work: Callable[..., Any]) -> Any:
    async def served() -> Any:
        async with serving(folder) as parts:
            return await work(*parts)

    return asyncio.run(served())


async def score(client: httpx.AsyncClient, body: Any = GOOD, key: str = KEY) -> httpx.Response:
    return await client.post("/score", json=body, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parity("scoring over HTTP with a bearer key", "rehearsal")
def test_a_good_request_gets_a_bare_list(tmp_path: Path) -> None:
    answer = run(tmp_path, lambda client, *_: score(client))
    assert answer.status_code == 200
    assert answer.json()[0]["prediction"] == 0
    assert answer.headers["x-request-id"]
    assert answer.headers["azureml-model-deployment"] == "blue"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"dataframe_records": [{"amount": 1.0}]}, "ML001"),
        ({"input_data": {"columns": ["amount"], "data": [[1.0]]}}, "ML001"),
        ({"input_data": {"columns": ["broken"], "index": [0], "data": [[1.0]]}}, "ML001"),
    ],
)
def test_what_the_model_cannot_read_is_424(tmp_path: Path, body: Any, rule: str) -> None:
    answer = run(tmp_path, lambda client, *_: score(client, body))
    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
    assert rules()[rule].answer.startswith("424")


def test_without_the_key_it_is_401(tmp_path: Path) -> None:
    assert run(tmp_path, lambda client, *_: score(client, key="wrong")).status_code == 401
    assert rules()["ML002"].answer == "401"


def test_a_slow_model_is_408_and_too_many_requests_are_429(tmp_path: Path) -> None:
    slow = {"input_data": {"columns": ["slow"], "index": [0], "data": [[1.0]]}}

    async def work(client: httpx.AsyncClient, _registry: Any, online: OnlineEndpoint, _: Any) -> list[int]:
        answers = await asyncio.gather(*(score(client, slow) for _ in range(5)))
        assert online.figures.most_in_flight == 2
        return sorted(answer.status_code for answer in answers)

    assert run(tmp_path, work) == [408, 408, 429, 429, 429]
    assert (rules()["ML004"].answer, rules()["ML003"].answer) == ("408", "429")


def test_http_is_not_answered(tmp_path: Path) -> None:
    async def work(client: httpx.AsyncClient, *_: Any) -> None:
        port = client.base_url.port
        async with httpx.AsyncClient() as plain:
            with pytest.raises(httpx.TransportError):
                await plain.post(f"http://localhost:{port}/score", json=GOOD)

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "rule"),
    [
        ("POST", "/api/2.0/mlflow/registered-models/alias", {}, 404, "RG001"),
        ("GET", "/api/2.0/mlflow/registered-models/alias", {"alias": "champion"}, 404, "RG001"),
        ("POST", "/api/2.0/mlflow/logged-models", {}, 404, "RG002"),
        ("POST", "/api/2.0/mlflow/registered-models/rename", {}, 400, "RG003"),
        ("GET", "/api/2.0/mlflow/model-versions/search", {"filter": "name LIKE 'fr%'"}, 400, "RG004"),
        ("GET", "/api/2.0/mlflow/model-versions/search", {"filter": "tags.role='champion'"}, 400, "RG004"),
    ],
)
def test_the_registry_lacks_what_azure_lacks(
    tmp_path: Path, method: str, path: str, query: dict[str, str], status: int, rule: str
) -> None:
    async def work(_client: Any, client: httpx.AsyncClient, _online: Any, registry: Registry) -> int:
        answer = await client.request(method, path, params=query)
        assert registry.figures.refusals[rule] == 1
        return answer.status_code

    assert run(tmp_path, work) == status
    assert rules()[rule].answer == str(status)


SLOW = {"input_data": {"columns": ["slow"], "index": [0], "data": [[1.0]]}}
CLOSES = -1


async def too_many(client: httpx.AsyncClient, _: httpx.AsyncClient) -> int:
    answers = await asyncio.gather(*(score(client, SLOW) for _ in range(4)))
    return max(answer.status_code for answer in answers)


async def over_http(client: httpx.AsyncClient, _: httpx.AsyncClient) -> int:
    async with httpx.AsyncClient() as plain:
        try:
            return (await plain.post(f"http://localhost:{client.base_url.port}/score", json=GOOD)).status_code
        except httpx.TransportError:
            return CLOSES


async def misnamed(_client: httpx.AsyncClient, _: httpx.AsyncClient) -> int:
    try:
        Deployment(KEY, name="1-blue")
    except ConfigurationError as error:
        return int(str(error).split(" ", 1)[0])
    return 0


def scoring(body: Any = GOOD, key: str = KEY) -> Violation:
    async def violate(client: httpx.AsyncClient, _: httpx.AsyncClient) -> int:
        return (await score(client, body, key)).status_code

    return violate


def registry(method: str, path: str, **query: str) -> Violation:
    async def violate(_: httpx.AsyncClient, client: httpx.AsyncClient) -> int:
        return (await client.request(method, f"/api/2.0/mlflow/{path}", params=query)).status_code

    return violate


VIOLATIONS: list[tuple[str, Violation, int]] = [
    ("ML001", scoring({"input_data": {"columns": ["amount"], "data": [[1.0]]}}), 424),
    ("ML002", scoring(key="wrong"), 401),
    ("ML003", too_many, 429),
    ("ML004", scoring(SLOW), 408),
    ("ML005", over_http, CLOSES),
    ("ML007", misnamed, 400),
    ("RG001", registry("GET", "registered-models/alias", alias="champion"), 404),
    ("RG002", registry("POST", "logged-models"), 404),
    ("RG003", registry("POST", "registered-models/rename"), 400),
    ("RG004", registry("GET", "model-versions/search", filter="name LIKE 'fr%'"), 400),
]


@pytest.mark.parametrize(("rule", "violate", "status"), VIOLATIONS, ids=[rule for rule, _, _ in VIOLATIONS])
@pytest.mark.parity("rules of Azure ML and its registry", "rehearsal")
def test_a_violation_is_refused(tmp_path: Path, rule: str, violate: Violation, status: int) -> None:
    async def work(client: httpx.AsyncClient, behind: httpx.AsyncClient, *_: Any) -> int:
        return await violate(client, behind)

    assert run(tmp_path, work) == status
    assert rules()[rule].answer.startswith("closes" if status == CLOSES else str(status))


def test_the_registry_shows_no_aliases(tmp_path: Path) -> None:
    async def work(_client: Any, client: httpx.AsyncClient, *_: Any) -> Any:
        return (await client.get("/api/2.0/mlflow/registered-models/get", params={"name": "fraud"})).json()

    assert run(tmp_path, work) == {"registered_model": {"name": "fraud"}}


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            asyncio.run(WebServer(Starlette(), port).start())
