"""Records sent to Kafka one by one, with an answer for each: where it landed, or why the broker did not take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka.errors import (
    AuthorizationError,
    BrokerResponseError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.output.redaction import redact
from fraudstream.core.output.text import told_text

# Longest wait for a record's answer, seconds; a request is given the 20 s that Event Hubs asks for (azure-docs,
# apache-kafka-configurations) and some more.
ANSWER_SECONDS = 30
# The producer gives up by itself first, and then holds nothing that its end would wait for.
_GUARD_SECONDS = ANSWER_SECONDS + 10
_LONGEST_REASON = 200
OPTIONS: dict[str, Any] = {
    "bootstrap_timeout_ms": 15_000,
    "max_block_ms": 10_000,
    "linger_ms": 0,
    "request_timeout_ms": 25_000,
    "delivery_timeout_ms": ANSWER_SECONDS * 1_000,
    # A topic that a producer creates by sending to it would have the broker's defaults, not the table's settings.
    "allow_auto_create_topics": False,
}

_MEANINGS: tuple[tuple[tuple[type[KafkaError], ...], str], ...] = (
    ((MessageSizeTooLargeError, RecordListTooLargeError), "it is larger than the topic or a request may be"),
    ((AuthorizationError,), "this sign-in may not write to the topic"),
    ((UnknownTopicOrPartitionError, InvalidTopicError), "there is no such topic; `fraudstream topics create` makes it"),
    ((NotEnoughReplicasError, NotEnoughReplicasAfterAppendError), "too few of the topic's replicas are there"),
    ((KafkaTimeoutError,), "no answer in time: it may have arrived all the same, or the topic is not there"),
)


class Outgoing(NamedTuple):
    """A record to send; ``name`` is what the answer goes by."""

    name: str
    topic: str
    key: bytes | None
    value: bytes


@dataclass(slots=True)
class Delivered:
    """Where each record landed (name → topic/partition/offset), and why others did not (name → the reason).

    ``unanswered`` are those of ``refused`` for which no answer came: they may have arrived all the same.
    """

    places: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)

    def refuse(self, name: str, error: Exception) -> None:
        """Take a record that was not acknowledged into account."""
        self.refused[name] = reason(error)
        if not is_refusal(error):
            self.unanswered.add(name)


def reason(error: BaseException) -> str:
    """Why Kafka did not take a record, in words and with the error's own name."""
    name, text = type(error).__name__, " ".join(redact(str(error)).split())
    meaning = next((words for kinds, words in _MEANINGS if isinstance(error, kinds)), "")
    # The library's text starts with the error's number and name.
    own = text.partition(f"{name}: ")[2] or text
    shown = f"{name}: {told_text(own, _LONGEST_REASON)}" if own else name
    return f"{meaning} ({shown})" if meaning else shown


def is_refusal(error: BaseException) -> bool:
    """Whether the broker, or the client that knows its limits, answered that it does not take this record."""
    return isinstance(error, BrokerResponseError) and not error.retriable


def send_each(connect: Callable[[], Any], records: Sequence[Outgoing]) -> Delivered:
    """Send the records one after the other, each once the last one is answered.

    ``connect`` makes a producer with :data:`OPTIONS`, which gives up a record after ``ANSWER_SECONDS``.

    One at a time, because an idempotent producer of kafka-python fails all that it holds when the broker refuses one
    record, and takes nothing more: ``connect`` makes another one then. Once an answer stays out, the rest is not sent
    and told as such. Raises :class:`BrokerUnavailable` where the first connection is not made, never ``KafkaError``.
    """
    delivered = Delivered()
    producer: Any = None
    try:
        for record in records:
            if delivered.unanswered:
                delivered.refused[record.name] = "not sent: Kafka stopped answering"
                continue
            try:
                producer = producer or connect()
                landed = producer.send(record.topic, key=record.key, value=record.value).get(timeout=_GUARD_SECONDS)
            except (KafkaError, BrokerUnavailable) as error:
                if producer is None and not delivered.places and not delivered.refused:
                    raise
                delivered.refuse(record.name, error)
                _close(producer)
                producer = None
            else:
                delivered.places[record.name] = f"{landed.topic}/{landed.partition}/{landed.offset}"
        return delivered
    finally:
        _close(producer)


def _close(producer: Any) -> None:
    if producer is not None:
        # Every record was answered, or told as unanswered.
        with suppress(KafkaError):
            producer.close(timeout=1)
