"""Azure ML's online endpoint in front of the scoring service: its key, its body, its limits and its status codes.

Sources: how-to-troubleshoot-online-endpoints (codes), reference-yaml-deployment-managed-online (limits), and the
scoring script that Azure ML generates for MLflow models (azureml-mlflow 1.62.0.post6, deploy/_util.py).
"""

from __future__ import annotations

import asyncio
import hmac
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fraudstream.cloud.rehearsal.net.web import client, counted
from fraudstream.cloud.rules.azureml import MOST_REQUEST_TIMEOUT_MS, NAME, most_in_flight
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.text import told_text

_LONGEST_ANSWER = 300


@dataclass(slots=True)
class Deployment:
    """The deployment's own settings; see the YAML reference for what they mean in Azure."""

    key: str
    name: str = "blue"
    request_timeout_ms: int = 5_000
    max_concurrent_requests_per_instance: int = 1
    instance_count: int = 1

    def __post_init__(self) -> None:
        """Raises :class:`ConfigurationError` for a name that Azure would refuse to deploy."""
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"400 BadRequest (ML007): the deployment's name {self.name!r} has to have 3 to 32 characters, letters, "
                "digits or hyphens, the first one a letter. Rename it in azure/azureml/deployment.yml."
            )

    @property
    def most_in_flight(self) -> int:
        """Requests that the deployment lets run or wait; it answers one more with 429."""
        return most_in_flight(self.max_concurrent_requests_per_instance, self.instance_count)


@dataclass(slots=True)
class EndpointFigures:
    """Counts: answers by status, refusals by rule, and what the endpoint could not read by kind."""

    requests: int = 0
    rows: int = 0
    most_in_flight: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


class OnlineEndpoint:
    """The endpoint's application. :attr:`deployment` may change while it runs, such as its key."""

    def __init__(self, deployment: Deployment, scoring: str, container_key: str = "") -> None:
        self.deployment = deployment
        self.also_accepted: list[str] = []
        self._container = {"Content-Type": "application/json"}
        if container_key:
            self._container["Authorization"] = f"Bearer {container_key}"
        self.figures = EndpointFigures()
        self._behind = client(scoring)
        self._in_flight = 0

    def application(self) -> Starlette:
        """``POST /score`` and nothing else."""
        score = counted(self._score, "scoring request", self.figures.unread)
        return Starlette(routes=[Route("/score", score, methods=["POST"])])

    async def _score(self, request: Request) -> Response:
        self.figures.requests += 1
        deployment = self.deployment
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        accepted = (deployment.key, *self.also_accepted)
        if scheme.lower() != "bearer" or not any(hmac.compare_digest(sent.encode(), key.encode()) for key in accepted):
            return self._refused(401, "ML002", "key_auth_bad_header: the key is missing or wrong")
        if self._in_flight >= deployment.most_in_flight:
            return self._refused(429, "ML003", "too many pending requests: the deployment is at its concurrency limit")
        self._in_flight += 1
        self.figures.most_in_flight = max(self.figures.most_in_flight, self._in_flight)
        try:
            body = await request.body()
            limit = min(deployment.request_timeout_ms, MOST_REQUEST_TIMEOUT_MS) / 1000
            return await asyncio.wait_for(self._run_model(body), limit)
        except TimeoutError:
            return self._refused(408, "ML004", f"upstream request timeout of {deployment.request_timeout_ms} ms")
        finally:
            self._in_flight -= 1

    async def _run_model(self, body: bytes) -> Response:
        problem = body_problem(body)
        if problem is not None:
            return self._model_error(problem, 500)
        self.figures.rows += len(orjson.loads(body)["input_data"]["data"])
        try:
            answer = await self._behind.post("/score", content=body, headers=self._container)
        except httpx.TransportError as error:
            return self._model_error(f"the container does not answer ({type(error).__name__})", 502)
        if answer.status_code != 200:
            return self._model_error(told_text(answer.text, _LONGEST_ANSWER), answer.status_code)
        self.figures.statuses[200] += 1
        return Response(answer.content, 200, self._headers(), "application/json")

    def _model_error(self, text: str, status: int) -> Response:
        headers = {"ms-azureml-model-error-statuscode": str(status), "ms-azureml-model-error-reason": "model_error"}
        return self._refused(424, "ML001", text, headers)

    def _refused(self, status: int, rule: str, text: str, headers: dict[str, str] | None = None) -> Response:
        self.figures.statuses[status] += 1
        self.figures.refusals[rule] += 1
        return JSONResponse({"error": text}, status, self._headers() | (headers or {}))

    def _headers(self) -> dict[str, str]:
        return {"x-request-id": str(uuid.uuid4()), "azureml-model-deployment": self.deployment.name}


def body_problem(body: bytes) -> str | None:
    """Why the generated scoring script cannot make a table of a body, or None."""
    try:
        sent: Any = orjson.loads(body)["input_data"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    if not isinstance(sent, dict) or not {"columns", "index", "data"} <= set(sent):
        return "input_data without columns, index and data became named tensors, which the model does not take"
    if not isinstance(sent["data"], list):
        return f"input_data's data is no list of rows but {type(sent['data']).__name__}"
    return None
