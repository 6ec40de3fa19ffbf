"""The back-off's waits: doubled, bounded, jittered, and the same for loops and for tenacity."""

from __future__ import annotations

import pytest
from tenacity import Retrying, stop_after_attempt

from fraudstream.core.retry import Backoff


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 10.0), (10**6, 10.0)]
)
def test_the_wait_doubles_up_to_its_limit(failures: int, seconds: float) -> None:
    assert Backoff(0.5, 10.0).seconds(failures) == seconds


def test_a_first_wait_of_zero_never_grows() -> None:
    assert Backoff(0.0, 10.0).seconds(100) == 0.0


def test_jitter_multiplies_the_wait() -> None:
    waits = {Backoff(0.2, 5.0, jitter=(0.5, 1.0)).seconds(2) for _ in range(200)}
    assert len(waits) > 100
    assert 0.2 <= min(waits) < 0.25
    assert 0.35 < max(waits) <= 0.4


def test_what_the_other_side_asks_for_takes_the_place_of_the_doubled_wait() -> None:
    backoff = Backoff(0.1, 5.0, jitter=(1.0, 1.5))
    assert all(30.0 <= backoff.seconds(3, asked_seconds=30.0) <= 45.0 for _ in range(50))


def test_tenacity_waits_the_same() -> None:
    waits: list[float] = []
    answers = iter([OSError(), OSError(), OSError(), "answer"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return str(answer)

    patient = Retrying(wait=Backoff(0.2, 0.5), stop=stop_after_attempt(4), sleep=waits.append)
    assert patient(ask) == "answer"
    assert waits == [0.2, 0.4, 0.5]
