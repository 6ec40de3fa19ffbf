"""Posts records in batches over several connections, and repeats a batch until it is acknowledged.

Records with one key go over one connection, one batch after the other, so that they keep their order.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections import deque
from typing import Any, NamedTuple

import httpx
import orjson
from kafka.errors import (
    InvalidRequestError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from fraudstream.core.contract.topics import HTTP_BATCH_BYTES, HTTP_BATCH_TYPE
from fraudstream.core.output.text import ascii_json, told_text
from fraudstream.core.retry import Backoff
from fraudstream.generator.outcome import Outcome
from fraudstream.generator.posting.target import API_VERSION, Target
from fraudstream.generator.publish import DELIVERY_TIMEOUT_SECONDS

BATCH_EVENTS = 100
CONNECTIONS = 4

_ANSWER_SECONDS = 70.0
_LONGEST_KEY = 128
_LONGEST_REASON = 200
_BACKOFF = Backoff(0.2, 10.0, (0.5, 1.5))
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
# What the answers that no repetition changes are called among Kafka's errors, with which the caller deals.
_FINAL: dict[int, type[KafkaError]] = {
    400: InvalidRequestError,
    401: TopicAuthorizationFailedError,
    403: TopicAuthorizationFailedError,
    404: InvalidTopicError,
    413: MessageSizeTooLargeError,
}


class Posted(NamedTuple):
    """A record on its way. ``item``: it as an event of a batch, in JSON; None for bytes that are no text, which only a
    request of their own carries.
    """

    topic: str
    value: bytes
    key: str | None
    item: bytes | None
    delivery: Outcome


class HttpProducer:
    """Takes records as a Kafka producer does.

    A batch is repeated for ``patience`` seconds, in which a broker may restart. ``transport`` is for tests.
    """

    def __init__(
        self,
        target: Target,
        *,
        connections: int = CONNECTIONS,
        batch_events: int = BATCH_EVENTS,
        patience: float = DELIVERY_TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        verify = True if target.trusted is None else target.trusted
        self._client = httpx.Client(timeout=_ANSWER_SECONDS, limits=limits, transport=transport, verify=verify)
        self._target = target
        self._batch_events = batch_events
        self._patience = patience
        self._closing = threading.Event()
        self._lines = [_Line(self) for _ in range(connections)]
        self._next = 0

    def send(self, topic: str, value: bytes, key: bytes | None) -> Outcome:
        """Take a record; it is on its way when this returns."""
        if key is None:
            self._next += 1
            line = self._lines[self._next % len(self._lines)]
        else:
            line = self._lines[zlib.crc32(key) % len(self._lines)]
        delivery, partition_key = Outcome(), _text(key)
        line.add(Posted(topic, value, partition_key, _item(value, partition_key), delivery))
        return delivery

    def renew(self) -> None:
        """Nothing that failed stays behind."""

    def close(self) -> None:
        """End all connections; what has no answer yet may have arrived."""
        self._closing.set()
        for line in self._lines:
            line.end()
        self._client.close()

    def post(self, batch: list[Posted]) -> None:
        """Post records of one topic until they are acknowledged, and settle each."""
        failure = self._posted(batch)
        if isinstance(failure, MessageSizeTooLargeError) and len(batch) > 1:
            middle = len(batch) // 2
            self.post(batch[:middle])
            self.post(batch[middle:])
            return
        for record in batch:
            record.delivery.settle(failure)

    def batch_of(self, waiting: deque[Posted]) -> list[Posted]:
        """Take the records for the next request from those that wait, in their order: some, or one as it is."""
        batch = [waiting.popleft()]
        size = len(batch[0].item or b"")
        while size and waiting and waiting[0].item and len(batch) < self._batch_events:
            size += len(waiting[0].item)
            if size > HTTP_BATCH_BYTES or waiting[0].topic != batch[0].topic:
                break
            batch.append(waiting.popleft())
        return batch

    def _posted(self, batch: list[Posted]) -> KafkaError | None:
        """None once the records are acknowledged; otherwise what they failed with."""
        ends_at, failures, problem = time.monotonic() + self._patience, 0, ""
        while not self._closing.is_set():
            asked = 0.0
            try:
                answer = self._request(batch)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code == httpx.codes.CREATED:
                    return None
                problem = f"{answer.status_code}: {told_text(answer.text, _LONGEST_REASON)}"
                if answer.status_code not in _PASSING:
                    return _FINAL.get(answer.status_code, InvalidRequestError)(problem)
                asked = _asked_seconds(answer)
            failures += 1
            wait = _BACKOFF.seconds(failures, asked)
            if time.monotonic() + wait > ends_at:
                break
            self._closing.wait(wait)
        return KafkaTimeoutError(f"{self._target.address} did not take it: {problem or 'the run has ended'}")

    def _request(self, batch: list[Posted]) -> httpx.Response:
        topic = batch[0].topic
        headers = {"Authorization": self._target.authorization(topic)}
        url = f"{self._target.address}/{topic}/messages"
        query = {"api-version": API_VERSION, "timeout": "60"}
        items = [record.item for record in batch if record.item is not None]
        if items:
            content, headers["Content-Type"] = b"[%b]" % b",".join(items), HTTP_BATCH_TYPE
        else:
            content, headers["Content-Type"] = batch[0].value, "application/octet-stream"
            if batch[0].key is not None:
                headers["BrokerProperties"] = ascii_json({"PartitionKey": batch[0].key})
        return self._client.post(url, params=query, content=content, headers=headers)


class _Line:
    """One connection with its thread: records that come while it posts go together next."""

    def __init__(self, sender: HttpProducer) -> None:
        self._sender = sender
        self._waiting: deque[Posted] = deque()
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._run, name="posting", daemon=True).start()

    def add(self, record: Posted) -> None:
        with self._changed:
            self._waiting.append(record)
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                batch = self._sender.batch_of(self._waiting)
            self._sender.post(batch)


def _item(value: bytes, key: str | None) -> bytes | None:
    try:
        item: dict[str, Any] = {"Body": value.decode("utf-8")}
    except UnicodeDecodeError:
        return None
    return orjson.dumps(item if key is None else item | {"BrokerProperties": {"PartitionKey": key}})


def _text(key: bytes | None) -> str | None:
    """A partition key as the service takes it; None for what cannot be one."""
    try:
        text = None if key is None else key.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and len(text) <= _LONGEST_KEY else None


def _asked_seconds(answer: httpx.Response) -> float:
    given = answer.headers.get("Retry-After", "")
    return min(float(given), 60.0) if given.isdecimal() else 0.0
