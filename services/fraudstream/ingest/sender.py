"""Messages → Kafka: one thread with one idempotent producer; a request is answered once all replicas have its messages.

The producer is of Python: its calls take time, and some of them wait. The event loop hands requests over and goes on.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from kafka.errors import KafkaError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import VIA_HEADER
from fraudstream.core.kafka.clients import producer
from fraudstream.core.kafka.deliveries import is_refusal, reason
from fraudstream.core.output.text import error_text
from fraudstream.ingest.messages import Message
from fraudstream.ingest.refusal import Refusal

# A broker that is restarted within this time costs the senders a wait, and no repetition.
DELIVERY_SECONDS = 30
OPTIONS: dict[str, Any] = {
    "enable_idempotence": True,
    # Requests that come within this time are acknowledged together: a third of the processor time less than with 1 ms.
    "linger_ms": 5,
    "metrics_enabled": False,
    "batch_size": 128 * 1024,
    "bootstrap_timeout_ms": 5_000,
    # Partitions are known before a message is handed over.
    "max_block_ms": 5_000,
    "request_timeout_ms": 20_000,
    "delivery_timeout_ms": DELIVERY_SECONDS * 1_000,
    # With the default of 30 s, a producer may go on waiting long after a broker has restarted.
    "reconnect_backoff_max_ms": 1_000,
    "allow_auto_create_topics": False,
    "client_id": "fraudstream-ingest",
}

# What may be on its way at a time: some seconds' worth of what the broker takes.
MOST_MESSAGES = 20_000
MOST_BYTES = 64 * 1024 * 1024
_VIA = (VIA_HEADER, b"http")
# So many messages of a request are handed to the producer before another request has its turn.
_TURN = 256
_CLOSE_SECONDS = 10
_RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)

Connect = Callable[[], Any]


class _Posting:
    """The messages of one request on their way. ``failure``: why one of them was not taken."""

    __slots__ = ("_left", "_lock", "answered", "failure", "messages", "next", "partition", "size", "topic")

    def __init__(self, topic: str, partition: int | None, messages: Sequence[Message], answered: Any) -> None:
        self.topic = topic
        self.partition = partition
        self.messages = messages
        self.answered = answered
        self.size = sum(message.size for message in messages)
        self.failure: BaseException | None = None
        self.next = 0
        self._left = len(messages)
        self._lock = threading.Lock()

    def settle(self, number: int, failure: BaseException | None) -> bool:
        """Note the outcome of so many of its messages; returns whether it was the last."""
        with self._lock:
            self._left -= number
            if failure is not None:
                self.failure = failure
            return self._left == 0


class Sender:
    """Sends messages; ``most_messages`` and ``most_bytes`` may be on their way at a time."""

    def __init__(self, connect: Connect, most_messages: int, most_bytes: int) -> None:
        self._connect = connect
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages = 0
        self._bytes = 0
        self._outbox: queue.SimpleQueue[_Posting | None] = queue.SimpleQueue()
        self._answers: deque[_Posting] = deque()
        self._waking = threading.Lock()
        self._awake = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="ingest-sender", daemon=True)
        self._producer: Any = None
        self._broken: Any = None
        self._connect_at = 0.0
        self._told = False
        self.problem: str | None = "the broker has not answered yet"

    @classmethod
    def of(cls, settings: Settings) -> Sender:
        """As the settings say."""
        options = OPTIONS | {"max_request_size": min(settings.kafka_max_request_bytes, 4 * 2**20)}
        return cls(
            lambda: producer(settings, **options),
            MOST_MESSAGES,
            MOST_BYTES,
        )

    @property
    def waiting(self) -> int:
        """Messages that are on their way."""
        return self._messages

    def start(self) -> None:
        """Begin to send, for the event loop that calls this."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Send what was handed over, within some seconds, and end."""
        self._outbox.put(None)
        self._thread.join(_CLOSE_SECONDS + 2)

    async def send(self, topic: str, partition: int | None, messages: Sequence[Message]) -> None:
        """Return once the broker has all messages; each goes to ``partition``, or to the one of its key.

        Raises :class:`Refusal` (503) where too much is on its way already, and ``KafkaError`` where one was not taken,
        or no answer came: it may then have arrived.
        """
        assert self._loop is not None, "start() comes first"  # noqa: S101
        posting = _Posting(topic, partition, messages, self._loop.create_future())
        # A request that is larger than all room has it to itself.
        busy = self._messages > 0
        if busy and (
            self._messages + len(messages) > self._most_messages or self._bytes + posting.size > self._most_bytes
        ):
            raise Refusal(503, "ServerBusy: too many events are on their way to the broker.", retry_after=1)
        self._messages += len(messages)
        self._bytes += posting.size
        self._outbox.put(posting)
        await posting.answered

    def _run(self) -> None:
        while (posting := self._next()) is not None:
            if self._connected():
                self._hand_over(posting)
            else:
                problem = KafkaError(self.problem or "")
                self._settle(posting, len(posting.messages) - posting.next, problem, None)
        _close(self._producer)

    def _next(self) -> _Posting | None:
        """What is to be sent next; None once nothing is any more. While nobody sends, it connects all the same."""
        while True:
            self._connected()
            with suppress(queue.Empty):
                return self._outbox.get(timeout=_RECONNECT_SECONDS)

    def _connected(self) -> bool:
        """Whether there is a producer that sends. An attempt is made some time after the last one, not before."""
        if self._producer is not None and self._producer is not self._broken:
            return True
        if time.monotonic() < self._connect_at:
            return False
        try:
            self._renew()
        except Exception as error:
            # Whatever it is: a thread that ends would leave all requests without an answer.
            self._connect_at = time.monotonic() + _RECONNECT_SECONDS
            self._fails_of(error_text(error))
            return False
        return True

    def _fails_of(self, problem: str) -> None:
        """Say it once, however many requests meet it."""
        if not self._told:
            log.warning("not_sending", reason=problem)
        self.problem, self._told = problem, True

    def _renew(self) -> None:
        old, self._producer = self._producer, None
        if old is not None:
            # Others' messages may still be on their way with it.
            threading.Thread(target=_close, args=(old,), name="ingest-close", daemon=True).start()
        self._producer = self._connect()
        self.problem = None

    def _hand_over(self, posting: _Posting) -> None:
        sender, end = self._producer, min(posting.next + _TURN, len(posting.messages))
        for at in range(posting.next, end):
            message = posting.messages[at]
            try:
                headers = [*message.headers, _VIA]
                delivery = sender.send(posting.topic, message.value, message.key, headers, posting.partition)
            except Exception as error:
                self._settle(posting, len(posting.messages) - at, error, sender)
                return
            delivery.add_both(self._answered, posting, sender)
        posting.next = end
        if end < len(posting.messages):
            self._outbox.put(posting)

    def _answered(self, posting: _Posting, sender: Any, outcome: Any) -> None:
        failure = outcome if isinstance(outcome, BaseException) else None
        self._settle(posting, 1, failure, sender)

    def _settle(self, posting: _Posting, number: int, failure: BaseException | None, sender: Any) -> None:
        if failure is not None and sender is not None:
            # An idempotent producer of kafka-python that failed once may take nothing more.
            self._broken = sender
            if not is_refusal(failure):
                self._fails_of(reason(failure))
        elif failure is None and self.problem is not None and sender is self._producer:
            self.problem, self._told = None, False
        if not posting.settle(number, failure):
            return
        self._answers.append(posting)
        with self._waking:
            if self._awake:
                return
            self._awake = True
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self._answer)  # type: ignore[union-attr]

    def _answer(self) -> None:
        """In the event loop: wake all requests that are done, those that the broker answered together at once."""
        with self._waking:
            self._awake = False
        while self._answers:
            posting = self._answers.popleft()
            self._messages -= len(posting.messages)
            self._bytes -= posting.size
            if posting.answered.cancelled():
                continue
            if posting.failure is None:
                posting.answered.set_result(None)
            else:
                posting.answered.set_exception(posting.failure)


def is_final(error: BaseException) -> bool:
    """Whether trying again would not help: the broker said no, or the client could not make a record of it."""
    return is_refusal(error) or not isinstance(error, KafkaError)


def _close(sender: Any) -> None:
    if sender is not None:
        with suppress(KafkaError):
            sender.close(timeout=_CLOSE_SECONDS)
