"""Sending on a schedule, against a producer and a clock of which the tests hold the strings."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from fraudstream.core.errors import BrokerRefused, BrokerUnavailable
from fraudstream.generator.malformed import OVERSIZED, Record
from fraudstream.generator.pacing import Interruption, Pace, scheduled
from fraudstream.generator.publish import IN_FLIGHT_BYTES, Result, deliver


@dataclass
class FakeClock:
    time: float = 100.0
    stopped: bool = False
    waits: list[float] = field(default_factory=list)
    stop_at: float = float("inf")

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time = min(self.time + seconds, self.stop_at)
        self.stopped = self.time >= self.stop_at


@dataclass
class FakeDelivery:
    error: Exception | None
    is_done: bool
    on_get: Callable[[], None]

    def get(self, timeout: float | None = None) -> Any:
        self.on_get()
        self.is_done = True
        if self.error is not None:
            raise self.error


@dataclass
class FakeProducer:
    """Acknowledges at once, or only when asked (``lazy``); ``errors`` by position; a send takes ``send_seconds``."""

    clock: FakeClock
    lazy: bool = False
    send_seconds: float = 0.0
    errors: dict[int, Exception] = field(default_factory=dict)
    sent: list[tuple[float, str, bytes, bytes | None]] = field(default_factory=list)
    unacknowledged: int = 0
    most_unacknowledged: int = 0
    renewed: int = 0

    def renew(self) -> None:
        assert self.unacknowledged == 0
        self.renewed += 1

    def send(self, topic: str, value: bytes, key: bytes | None) -> FakeDelivery:
        position = len(self.sent)
        self.sent.append((self.clock.time, topic, value, key))
        self.clock.time += self.send_seconds
        self.unacknowledged += self.lazy
        self.most_unacknowledged = max(self.most_unacknowledged, self.unacknowledged)
        return FakeDelivery(self.errors.get(position), not self.lazy, self._acknowledge)

    def _acknowledge(self) -> None:
        self.unacknowledged -= self.lazy


def records(count: int, size: int = 3) -> Iterator[Record]:
    return (Record(number, b"%d" % number, b"v" * size) for number in range(count))


def run(
    source: Iterator[Record],
    producer: FakeProducer,
    rate: float = 0.0,
    seconds: float | None = None,
    in_flight: int = 1_000,
    on_acknowledged: Callable[[Result], None] | None = None,
    count: int | None = None,
) -> Result:
    clock = producer.clock
    return deliver(
        producer, "transactions", source, Pace(rate, seconds, clock, count), clock, in_flight, on_acknowledged
    )


@pytest.mark.parametrize("rate", [1 / 3, 1.0, 250.0])
def test_records_leave_on_a_fixed_schedule(rate: float) -> None:
    producer = FakeProducer(FakeClock())
    result = run(records(50), producer, rate=rate, count=50)
    assert [moment for moment, *_ in producer.sent] == pytest.approx([100 + number / rate for number in range(50)])
    assert result.seconds == pytest.approx(49 / rate)
    assert (result.produced, result.first_id, result.last_id) == (50, 0, 49)


def test_a_late_record_does_not_delay_the_schedule() -> None:
    clock = FakeClock()
    producer = FakeProducer(clock)

    def slow() -> Iterator[Record]:
        for record in records(10):
            if record.id == 2:
                clock.time += 5.5
            yield record

    run(slow(), producer, rate=1.0)
    moments = [moment - 100 for moment, *_ in producer.sent]
    assert moments == pytest.approx([0, 1, 7.5, 7.5, 7.5, 7.5, 7.5, 7.5, 8, 9])


def test_a_time_limit_with_a_rate_sends_exactly_what_is_due() -> None:
    producer = FakeProducer(FakeClock())
    assert run(records(10_000), producer, rate=20.0, seconds=3.0).produced == 60


def test_the_first_limit_that_is_reached_ends_the_run() -> None:
    assert run(records(100), FakeProducer(FakeClock()), rate=20.0, seconds=3.0, count=10).produced == 10
    assert run(records(100), FakeProducer(FakeClock()), rate=20.0, seconds=0.2, count=10).produced == 4
    assert run(records(100), FakeProducer(FakeClock()), count=10).produced == 10


def test_a_time_limit_without_a_rate_ends_the_run() -> None:
    producer = FakeProducer(FakeClock(), send_seconds=0.01)
    assert run(records(10_000), producer, seconds=1.0).produced == pytest.approx(100, abs=1)
    assert producer.clock.waits == []


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [(0.1, 30.0, 3), (1 / 3, 30, 10), (1.0, 0.5, 1), (0.0, 5.0, None), (5.0, None, None), (3.0, 0.0, 0)],
)
def test_scheduled(rate: float, seconds: float | None, expected: int | None) -> None:
    assert scheduled(rate, seconds) == expected


def test_a_record_is_made_when_it_is_due() -> None:
    clock = FakeClock()
    moments: list[float] = []

    def source() -> Iterator[Record]:
        for record in records(3):
            moments.append(clock.time)
            yield record

    run(source(), FakeProducer(clock), rate=2.0)
    assert moments == pytest.approx([100, 100.5, 101])


def test_what_is_in_flight_is_bounded() -> None:
    producer = FakeProducer(FakeClock(), lazy=True)
    assert run(records(100), producer, in_flight=10).produced == 100
    assert producer.most_unacknowledged == 10
    assert producer.unacknowledged == 0


def test_bytes_in_flight_are_bounded() -> None:
    producer = FakeProducer(FakeClock(), lazy=True)
    shared = b"v" * (IN_FLIGHT_BYTES // 4)
    assert run((Record(number, None, shared) for number in range(20)), producer).produced == 20
    assert producer.most_unacknowledged == 5


def test_a_lost_record_is_an_error_that_says_what_arrived() -> None:
    producer = FakeProducer(FakeClock(), errors={4: KafkaTimeoutError("expired")})
    with pytest.raises(BrokerUnavailable, match=r"event 4 \(KafkaTimeoutError.*acknowledged 4 of the 5 sent"):
        run(records(10), producer)


def test_a_record_that_is_lost_at_the_end_is_an_error_too() -> None:
    producer = FakeProducer(FakeClock(), lazy=True, errors={9: KafkaTimeoutError("expired")})
    with pytest.raises(BrokerUnavailable, match=r"event 9 .*acknowledged 9 of the 10 sent"):
        run(records(10), producer)


def test_a_send_that_fails_at_once_is_an_error() -> None:
    class Unreachable(FakeProducer):
        def send(self, topic: str, value: bytes, key: bytes | None) -> FakeDelivery:
            raise KafkaTimeoutError("no metadata")

    with pytest.raises(BrokerUnavailable, match=r"event 0 .*no metadata"):
        run(records(3), Unreachable(FakeClock()))


def test_oversized_records_may_be_refused_but_no_others() -> None:
    def source(kind: str | None) -> Iterator[Record]:
        yield Record(1, b"1", b"v")
        yield Record(2, b"2", b"v", kind, "value")

    refusing = {1: MessageSizeTooLargeError("too large")}
    producer = FakeProducer(FakeClock(), lazy=True, errors=refusing)
    result = run(source(OVERSIZED), producer)
    assert (result.produced, result.malformed, result.refused, producer.renewed) == (1, 0, 1, 1)
    with pytest.raises(
        BrokerRefused, match=r"refused event 2 .*MessageSizeTooLargeError.*acknowledged 1 of the 2 sent"
    ):
        run(source("broken_json"), FakeProducer(FakeClock(), errors=refusing))


def test_an_oversized_record_is_sent_alone() -> None:
    producer = FakeProducer(FakeClock(), lazy=True)
    source = [*records(20), Record(20, b"20", b"v", OVERSIZED, "value"), Record(21, b"21", b"v")]
    result = run(iter(source), producer)
    assert (result.produced, result.malformed, producer.renewed) == (22, 1, 0)


def test_malformed_records_are_counted_by_kind() -> None:
    source = [
        Record(1, b"1", b"v"),
        Record(2, None, b"", "empty", "value"),
        Record(3, b"3", b"x", "no_object", "value"),
    ]
    result = run(iter(source), FakeProducer(FakeClock()))
    assert (result.produced, result.malformed, dict(result.kinds)) == (3, 2, {"empty": 1, "no_object": 1})
    assert (result.first_id, result.last_id) == (1, 3)


def test_progress_is_what_was_acknowledged() -> None:
    seen: list[int] = []
    run(records(5), FakeProducer(FakeClock()), on_acknowledged=lambda result: seen.append(result.produced))
    assert seen == [1, 2, 3, 4, 5]


def test_a_stop_ends_the_run_and_awaits_what_was_sent() -> None:
    producer = FakeProducer(FakeClock(stop_at=104.5), lazy=True)
    result = run(records(100), producer, rate=1.0)
    assert (result.produced, result.stopped, producer.unacknowledged) == (5, True, 0)


def test_nothing_sent_is_a_result() -> None:
    result = run(records(0), FakeProducer(FakeClock()))
    assert (result.produced, result.first_id, result.last_id, result.events_per_second) == (0, None, None, 0.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_at_once(number: signal.Signals) -> None:
    previous = signal.getsignal(number)
    with Interruption() as clock:
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        started = time.monotonic()
        clock.wait(60)
        assert time.monotonic() - started < 30
        assert clock.stopped
        # A second signal has to act as usual again.
        assert signal.getsignal(number) == previous
    assert signal.getsignal(number) == previous


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e-12])
def test_a_wait_may_be_longer_than_a_clock_counts(rate: float) -> None:
    with Interruption() as clock:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        # As for the second event at that rate.
        clock.wait(1 / rate)
        assert clock.stopped


def test_an_undisturbed_wait_lasts() -> None:
    with Interruption() as clock:
        started = clock.now()
        clock.wait(0.05)
        assert clock.now() - started >= 0.049
        assert not clock.stopped


def test_an_oversized_record_that_the_client_itself_refuses_is_counted_as_refused() -> None:
    class Strict(FakeProducer):
        def send(self, topic: str, value: bytes, key: bytes | None) -> FakeDelivery:
            if len(value) > 100:
                raise MessageSizeTooLargeError
            return super().send(topic, value, key)

    source = [*records(3), Record(3, b"3", b"v" * 200, OVERSIZED), Record(4, b"4", b"v")]
    result = run(iter(source), Strict(FakeClock()), count=5)
    assert (result.produced, result.refused, result.last_id) == (4, 1, 4)
    with pytest.raises(BrokerRefused, match="event 5"):
        run(iter([Record(5, b"5", b"v" * 200)]), Strict(FakeClock()), count=1)
