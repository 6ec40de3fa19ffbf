"""Sends records to Kafka on a schedule and accounts for each of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable
from fraudstream.generator.malformed import OVERSIZED, Record
from fraudstream.generator.pacing import Clock, Interruption, Pace, Schedule
from fraudstream.generator.reading import end_offsets

# A broker that is killed and comes back within this time loses nothing: sends are retried until then.
DELIVERY_TIMEOUT_SECONDS = 300

# kafka-python buffers without a limit, so records in flight are limited here. Without a rate the limit is low, which
# keeps an event's date close to its sending. With one it is high, as the schedule goes on while a broker restarts.
UNPACED_IN_FLIGHT = 5_000
PACED_IN_FLIGHT = 200_000
IN_FLIGHT_BYTES = 128 * 1024 * 1024

PRODUCER_OPTIONS: dict[str, Any] = {
    "batch_size": 128 * 1024,
    "linger_ms": 5,
    "delivery_timeout_ms": DELIVERY_TIMEOUT_SECONDS * 1_000,
    # With the default of 30 s, a producer may go on waiting long after a broker has restarted.
    "reconnect_backoff_max_ms": 1_000,
    "allow_auto_create_topics": False,
}


class Delivery(Protocol):
    """The outcome of one send: pending, acknowledged, or failed."""

    @property
    def is_done(self) -> bool:
        """Whether it is settled."""
        ...

    def get(self, timeout: float | None = None) -> Any:
        """Wait for the acknowledgement; raises what the send failed with."""
        ...


class RecordProducer(Protocol):
    """The methods of a Kafka producer that are used here. ``send`` returns before the record is acknowledged."""

    def send(self, topic: str, value: bytes, key: bytes | None) -> Delivery: ...

    def renew(self) -> None:
        """Replace the producer: after a refused record, an idempotent producer accepts no more records."""


class Renewable:
    """A Kafka producer that can be replaced by a new one."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._producer = connect()

    def send(self, topic: str, value: bytes, key: bytes | None) -> Delivery:
        delivery: Delivery = self._producer.send(topic, value=value, key=key)
        return delivery

    def renew(self) -> None:
        self.close()
        self._producer = self._connect()

    def close(self) -> None:
        """Close the producer. Errors are ignored: each record was acknowledged or has been reported as lost."""
        from kafka.errors import KafkaError

        with suppress(KafkaError):
            self._producer.close(timeout=5)


@dataclass(slots=True)
class Result:
    """The records that the broker acknowledged.

    ``produced`` counts all records of the run's own topic, ``elsewhere`` those of other topics; ``malformed`` those
    that break the contract, by kind in ``kinds``; ``refused`` oversized records that the broker would not take.
    ``first_id`` and ``last_id`` are of acknowledged records, None without any: the least and the largest number, or
    the first and the last text. ``seconds``: from the first send to the last acknowledgement. ``offsets``: topic →
    partition → its end before and after the run, other senders' records included. ``stopped``: a signal ended it.
    ``position`` is that of the last record with one that needs not be sent again.
    """

    produced: int = 0
    malformed: int = 0
    refused: int = 0
    first_id: int | str | None = None
    last_id: int | str | None = None
    seconds: float = 0.0
    stopped: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    offsets: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    elsewhere: int = 0
    position: Any = None

    @property
    def events_per_second(self) -> float:
        return self.produced / self.seconds if self.seconds else 0.0

    def count(self, record: Record) -> None:
        """Count an acknowledged record."""
        self.pass_by(record)
        if record.topic is not None:
            self.elsewhere += 1
            return
        self.produced += 1
        self.first_id = record.id if self.first_id is None else _lesser(self.first_id, record.id)
        self.last_id = record.id if self.last_id is None else _larger(self.last_id, record.id)
        if record.kind is not None:
            self.malformed += 1
            self.kinds[record.kind] += 1

    def refuse(self, record: Record) -> None:
        """Count a record that the broker would not take."""
        self.refused += 1
        self.pass_by(record)

    def pass_by(self, record: Record) -> None:
        """Note that the record needs not be sent again."""
        if record.position is not None:
            self.position = record.position


def _lesser(first: int | str, other: int | str) -> int | str:
    """The lesser number; of texts, which are in no order, the one that came first."""
    return min(first, other) if isinstance(first, int) and isinstance(other, int) else first


def _larger(first: int | str, other: int | str) -> int | str:
    return max(first, other) if isinstance(first, int) and isinstance(other, int) else other


class Sent(NamedTuple):
    """A record that was handed to the producer."""

    record: Record
    delivery: Delivery

    @property
    def size(self) -> int:
        return len(self.record.value)


def publish(
    settings: Settings,
    topic: str,
    records: Iterator[Record],
    *,
    rate: float = 0.0,
    seconds: float | None = None,
    count: int | None = None,
    on_acknowledged: Callable[[Result], None] | None = None,
) -> Result:
    """Send the records at ``rate`` per second (0: as fast as the broker takes them) and await every acknowledgement.

    Ends after all records, ``count`` of them or ``seconds``, or at SIGINT or SIGTERM. ``on_acknowledged`` gets what has
    been acknowledged so far. Raises :class:`BrokerUnavailable` when a record was not acknowledged in time,
    :class:`BrokerRefused` when the broker does not take a record that is not oversized on purpose.
    """

    return accounted(settings, (topic,), paced(topic, records, rate, seconds, count, on_acknowledged))


def paced(
    topic: str,
    records: Iterator[Record],
    rate: float,
    seconds: float | None,
    count: int | None,
    on_acknowledged: Callable[[Result], None] | None,
) -> Deliver:
    """What sends the records on a schedule; see :func:`publish`."""

    def deliver_all(sender: RecordProducer, clock: Clock) -> Result:
        pace = Pace(rate, seconds, clock, count)
        return deliver(
            sender, topic, records, pace, clock, PACED_IN_FLIGHT if rate else UNPACED_IN_FLIGHT, on_acknowledged
        )

    return deliver_all


Deliver = Callable[[RecordProducer, Clock], Result]


def accounted(settings: Settings, topics: Sequence[str], deliver_all: Deliver) -> Result:
    """Connect a producer, deliver with it until SIGINT or SIGTERM, and note where the topics ended before and after.

    Raises as :func:`publish` does.
    """
    from fraudstream.core.kafka.clients import producer

    before = {topic: end_offsets(settings, topic) for topic in topics}
    sender = Renewable(partial(producer, settings, **PRODUCER_OPTIONS))
    try:
        with Interruption() as clock:
            result = deliver_all(sender, clock)
    finally:
        sender.close()
    for topic, starts in before.items():
        after = end_offsets(settings, topic)
        result.offsets[topic] = {str(number): (start, after[number]) for number, start in starts.items()}
    return result


def deliver(
    producer: RecordProducer,
    topic: str,
    records: Iterator[Record],
    schedule: Schedule,
    clock: Clock,
    in_flight: int,
    on_acknowledged: Callable[[Result], None] | None = None,
) -> Result:
    """Send each record when it is due, with at most ``in_flight`` unacknowledged, and await all of them.

    A record goes to ``topic``, or to its own. It is taken from ``records`` when it is due, not before. An oversized
    record may be refused, and the producer then fails all records that it holds. It is therefore sent alone. Raises as
    :func:`publish` does.
    """
    from kafka.errors import KafkaError, MessageSizeTooLargeError

    result = Result()
    pending: deque[Sent] = deque()
    pending_bytes = 0
    number = 0
    start = clock.now()

    def settle() -> None:
        nonlocal pending_bytes
        sent = pending.popleft()
        try:
            if not _settle(sent, result):
                producer.renew()
        except KafkaError as error:
            raise _lost(sent.record, error, result, pending, number, schedule) from error
        pending_bytes -= sent.size
        if on_acknowledged is not None:
            on_acknowledged(result)

    while schedule.wait_for(number):
        record = next(records, None)
        if record is None:
            break
        alone = record.kind == OVERSIZED
        while alone and pending:
            settle()
        number += 1
        try:
            delivery = producer.send(record.topic or topic, value=record.value, key=record.key)
        except KafkaError as error:
            if alone and isinstance(error, MessageSizeTooLargeError):
                # The client itself refuses a record that is larger than its limit for requests.
                result.refuse(record)
                continue
            raise _lost(record, error, result, pending, number, schedule) from error
        pending.append(Sent(record, delivery))
        pending_bytes += len(record.value)
        while pending and (
            alone or pending[0].delivery.is_done or len(pending) >= in_flight or pending_bytes > IN_FLIGHT_BYTES
        ):
            settle()
    while pending:
        settle()
    result.seconds = clock.now() - start
    result.stopped = clock.stopped
    return result


def _settle(sent: Sent, result: Result) -> bool:
    """Wait for the broker's answer and count it. Returns whether the record was acknowledged."""
    from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

    try:
        # The producer gives up earlier by itself. This limit only guards against one that never answers.
        sent.delivery.get(timeout=DELIVERY_TIMEOUT_SECONDS + 60)
    except (MessageSizeTooLargeError, RecordListTooLargeError):
        # A broker with the cloud's limit refuses these, which serves the same purpose as their rejection.
        if sent.record.kind != OVERSIZED:
            raise
        result.refuse(sent.record)
        return False
    result.count(sent.record)
    return True


def _lost(
    record: Record, error: Exception, result: Result, pending: deque[Sent], sent: int, schedule: Schedule
) -> BrokerUnavailable | BrokerRefused:
    """The error for a record that was not acknowledged. Counts the records that were."""
    from kafka.errors import KafkaError

    from fraudstream.core.kafka.deliveries import is_refusal, reason

    place = result.position
    for other in pending:
        if other.delivery.is_done:
            with suppress(KafkaError):
                _settle(other, result)
    # What came behind the lost record is sent again with it.
    result.position = place
    what = f"event {record.id}" if record.topic is None else f"the label of {record.id}"
    progress = f"it acknowledged {result.produced + result.elsewhere} of the {sent} sent"
    if is_refusal(error):
        # Kafka refuses all records of a request together, and does not say which of them was too large.
        return BrokerRefused(
            f"Kafka refused {what} or one sent with it: {reason(error)}; {progress}. "
            f"Correct the topic's settings or the sign-in, and {schedule.again(record.id)}."
        )
    return BrokerUnavailable(
        f"Kafka did not acknowledge {what} ({type(error).__name__}: {error}); {progress}. "
        f"See `fraudstream status`, and {schedule.again(record.id)}: "
        "events that arrived after all are then not taken a second time."
    )
