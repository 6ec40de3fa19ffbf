"""The HTTP application: Event Hubs' addresses for sending, and what watches the service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version as package_version
from typing import Any

import orjson
import structlog
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fraudstream.core.contract.topics import PUBLICATION_BYTES
from fraudstream.ingest import messages, openapi
from fraudstream.ingest.access.quota import Quota
from fraudstream.ingest.access.tokens import Gate, Target
from fraudstream.ingest.hubs import Hubs
from fraudstream.ingest.metrics import CONTENT_TYPE, Metrics
from fraudstream.ingest.refusal import XML, Refusal, answer, error_response
from fraudstream.ingest.sender import DELIVERY_SECONDS, Sender, is_final

# Service Bus' REST API names versions by their month or day.
_VERSION = re.compile(r"20[0-9]{2}-[01][0-9](?:-[0-3][0-9])?(?:-preview)?")
_TIMEOUT = re.compile(r"[0-9]{1,5}")
_PARTITION = re.compile(r"[0-9]{1,5}")
# What a server has most likely received already along with the headers, so that it need not end the connection.
_UNREAD_BYTES = 64 * 1024
_PUBLISHER_CHARACTERS = 128

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What the addresses need: who may send, where to, how much of it, and by whom it is sent on.

    ``body_seconds``: how long a request may take to arrive.
    """

    gate: Gate
    hubs: Hubs
    quota: Quota
    sender: Sender
    body_seconds: float


def create_app(service: Service) -> FastAPI:
    """The application, which sends from its start-up to its shutdown."""
    metrics = Metrics(lambda: service.sender.waiting)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.sender.start()
        yield
        await to_thread.run_sync(service.sender.stop)

    app = FastAPI(
        title="Fraudstream ingest",
        description="Events in over HTTP, as Event Hubs takes them: 201 once the broker has them.",
        version=package_version("fraudstream"),
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault)
    _add_probes(app, service, metrics)
    _add_sending(app, service, metrics)
    openapi.complete(app.openapi(), service.hubs.open)
    return app


def _add_sending(app: FastAPI, service: Service, metrics: Metrics) -> None:
    async def answered(request: Request, publisher: str = "", partition: str | None = None) -> Response:
        try:
            sent = await _take(service, request, publisher, partition)
        except Refusal as refusal:
            metrics.count_refused(refusal.status)
            return answer(refusal, request.url.hostname or "", request.url.path)
        metrics.count_taken(sent)
        return Response(status_code=201, media_type=XML)

    documented: dict[str, Any] = {
        "response_class": Response,
        "status_code": 201,
        "responses": openapi.RESPONSES,
        "openapi_extra": openapi.SEND,
    }

    # Some of the service's clients put a slash behind the address.
    @app.post("/{hub}/messages/", include_in_schema=False)
    @app.post("/{hub}/messages", summary="Send an event, or a batch of them", **documented)
    async def send(hub: str, request: Request) -> Response:  # noqa: ARG001 - read from the request's path
        return await answered(request)

    @app.post("/{hub}/publishers/{publisher}/messages/", include_in_schema=False)
    @app.post("/{hub}/publishers/{publisher}/messages", summary="Send as a publisher", **documented)
    async def send_as(hub: str, publisher: str, request: Request) -> Response:  # noqa: ARG001
        return await answered(request, publisher=publisher)

    @app.post("/{hub}/partitions/{partition}/messages/", include_in_schema=False)
    @app.post("/{hub}/partitions/{partition}/messages", summary="Send to a partition", **documented)
    async def send_to(hub: str, partition: str, request: Request) -> Response:  # noqa: ARG001
        return await answered(request, partition=partition)


async def _take(service: Service, request: Request, publisher: str, partition: str | None) -> int:
    """Send the request's events; returns how many they are. Raises :class:`Refusal`."""
    try:
        # Who may not send is told so before anything of what was sent is read.
        topic, number = await _admit(service, request, publisher, partition)
    except Refusal as refusal:
        announced = request.headers.get("content-length", "")
        refusal.closes = not (announced.isdecimal() and int(announced[:20]) <= _UNREAD_BYTES)
        raise
    body = await _body(request, service.body_seconds)
    sent = messages.read(request.headers.get("content-type", ""), request.headers.items(), body, publisher)
    service.quota.take(len(sent), len(body))
    try:
        await asyncio.wait_for(service.sender.send(topic, number, sent), _seconds(request))
    except TimeoutError:
        raise _busy("Timeout: the broker has not answered in time; the events may arrive yet.") from None
    except KafkaError as error:
        raise _not_taken(service.hubs, topic, error) from None
    return len(sent)


async def _admit(service: Service, request: Request, publisher: str, partition: str | None) -> tuple[str, int | None]:
    """The topic, and the partition where the path names one. Raises :class:`Refusal`."""
    hub = str(request.path_params["hub"])
    target = Target((request.url.hostname or "").lower(), hub.lower(), request.url.path.strip("/").lower())
    service.gate.sender(request.headers.get("authorization", ""), target)
    _check_query(request)
    topic = service.hubs.topic(hub)
    return topic, await _partition(service.hubs, topic, partition, publisher)


def _check_query(request: Request) -> None:
    version, timeout = request.query_params.get("api-version"), request.query_params.get("timeout")
    if version is not None and not _VERSION.fullmatch(version):
        raise Refusal(400, "BadRequest: api-version is no version; send 2014-01.")
    if timeout is not None and not _TIMEOUT.fullmatch(timeout):
        raise Refusal(400, "BadRequest: timeout is no whole number of seconds.")


def _seconds(request: Request) -> float:
    asked = int(request.query_params.get("timeout") or DELIVERY_SECONDS)
    # The sender gives up by itself then.
    return float(min(max(asked, 1), DELIVERY_SECONDS + 5))


async def _partition(hubs: Hubs, topic: str, partition: str | None, publisher: str) -> int | None:
    """The number of the partition that the path names. Raises :class:`Refusal`, also where there is no such hub."""
    if len(publisher) > _PUBLISHER_CHARACTERS:
        raise Refusal(400, f"BadRequest: a publisher has at most {_PUBLISHER_CHARACTERS} characters.")
    number = int(partition) if partition is not None and _PARTITION.fullmatch(partition) else None
    there = hubs.known(topic)
    if not there or (number is not None and number not in there):
        there = await to_thread.run_sync(hubs.find, topic)
    if not there:
        raise Refusal(404, "40400: there is no such hub.")
    if partition is not None and number not in there:
        raise Refusal(400, f"ArgumentOutOfRange: partitions go from 0 to {max(there)}.")
    return number


async def _body(request: Request, seconds: float) -> bytes:
    """The request's body. Raises :class:`Refusal`: 413, 408 where it comes too slowly, 400 where it ends early."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > PUBLICATION_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(seconds):
            chunks, size = [], 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > PUBLICATION_BYTES:
                    raise _too_large()
                chunks.append(chunk)
            return b"".join(chunks)
    except TimeoutError:
        raise Refusal(408, f"RequestTimeout: the body did not arrive within {seconds:g} s.", closes=True) from None
    except ClientDisconnect:
        raise Refusal(400, "BadRequest: the connection ended before the body did.", closes=True) from None


def _too_large() -> Refusal:
    return Refusal(413, f"RequestEntityTooLarge: an event or batch has at most {PUBLICATION_BYTES} bytes.", closes=True)


def _not_taken(hubs: Hubs, topic: str, error: BaseException) -> Refusal:
    if isinstance(error, UnknownTopicOrPartitionError):
        hubs.forget(topic)
        return Refusal(404, "40400: there is no such hub.")
    if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
        return Refusal(413, "RequestEntityTooLarge: the broker takes no event of this size.")
    if isinstance(error, InvalidRecordError):
        return Refusal(400, "BadRequest: the hub takes no event like this; one that is compacted needs a PartitionKey.")
    if is_final(error):
        return Refusal(500, "InternalServerError: the broker refuses these events.")
    return _busy("ServerBusy: the broker did not take the events in time; they may arrive yet.")


def _busy(message: str) -> Refusal:
    return Refusal(503, message, retry_after=1)


def _add_probes(app: FastAPI, service: Service, metrics: Metrics) -> None:
    @app.get("/health", summary="Whether events get through", response_class=Response)
    async def health() -> Response:
        problem = service.sender.problem
        state = {"status": "ok"} if problem is None else {"status": "failing", "reason": problem}
        body = orjson.dumps(state | {"waiting_events": service.sender.waiting})
        return Response(body, 200 if problem is None else 503, media_type="application/json")

    @app.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Error"
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    name = "40400: there is nothing at this address." if status == 404 else f"{detail}."
    return error_response(status, name, f"{request.url.hostname}:{request.url.path.lstrip('/')}", headers)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("failed", path=request.url.path[:200], exc_info=error)
    return error_response(500, "InternalServerError: see the service's log.", request.url.path, {})
