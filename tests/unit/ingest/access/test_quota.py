"""Throughput units: what is over them is answered 429, and a second later there is room again."""

from __future__ import annotations

import pytest

from fraudstream.ingest.access.quota import Quota
from fraudstream.ingest.refusal import Refusal


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_unit_is_a_thousand_events_or_a_megabyte_a_second() -> None:
    clock = Clock()
    quota = Quota(1, clock)
    quota.take(1_000, 10)
    with pytest.raises(Refusal, match="50002") as raised:
        quota.take(1, 10)
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (429, "1")
    clock.now += 0.5
    quota.take(500, 10)
    clock.now += 1
    quota.take(1, 1_000_000)
    with pytest.raises(Refusal):
        quota.take(1, 1)


def test_a_batch_larger_than_a_second_of_it_passes_and_is_owed() -> None:
    clock = Clock()
    quota = Quota(1, clock)
    quota.take(5_000, 10)
    clock.now += 3.9
    with pytest.raises(Refusal):
        quota.take(1, 10)
    clock.now += 0.2
    quota.take(1, 10)


def test_without_units_there_is_no_limit() -> None:
    quota = Quota(0, Clock())
    for _ in range(100):
        quota.take(10_000, 1_000_000)
