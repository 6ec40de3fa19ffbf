"""A hub that puts a request off is asked again: after the time that it names, and not for ever."""

from __future__ import annotations

import httpx
import pytest

from fraudstream.core.access import throttled
from fraudstream.core.access.throttled import unthrottled


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, in seconds, without their waiting."""
    made: list[float] = []
    monkeypatch.setattr(throttled.time, "sleep", made.append)
    return made


def answers(*statuses: int, **headers: str) -> list[httpx.Response]:
    return [httpx.Response(status, headers=headers) for status in statuses]


@pytest.mark.parametrize("status", [200, 204, 404, 401, 503])
def test_any_other_answer_comes_at_once(pauses: list[float], status: int) -> None:
    given = answers(status)
    assert unthrottled(lambda: given.pop(0)).status_code == status
    assert pauses == []


def test_it_is_asked_again_with_growing_pauses(pauses: list[float]) -> None:
    given = answers(429, 429, 429, 200)
    assert unthrottled(lambda: given.pop(0)).status_code == 200
    assert pauses == pytest.approx([1, 2, 4], rel=0.2)


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("86400", 60.0), ("soon", 1.0), ("-1", 1.0)])
def test_the_hub_may_say_how_long(pauses: list[float], asked: str, seconds: float) -> None:
    given = answers(429, 200, **{"Retry-After": asked})
    assert unthrottled(lambda: given.pop(0)).status_code == 200
    assert pauses[0] == pytest.approx(seconds, rel=0.2)


def test_after_a_minute_the_refusal_stands(pauses: list[float]) -> None:
    assert unthrottled(lambda: httpx.Response(429)).status_code == 429
    assert 48 < sum(pauses) < 120
