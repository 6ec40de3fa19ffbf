from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import StoreUnavailable
from fraudstream.dashboards.data.feed import Feed
from fraudstream.dashboards.data.queries import LiveSnapshot as Snapshot

FIRST = Snapshot(datetime(2026, 5, 4, 12, 0, tzinfo=UTC))
SECOND = Snapshot(datetime(2026, 5, 4, 12, 1, tzinfo=UTC))


class Script:
    """Reads with outcomes from a queue. When a read has begun, the outcome of the read before it has been published."""

    def __init__(self) -> None:
        self.outcomes: queue.Queue[Snapshot | Exception] = queue.Queue()
        self.begun: queue.Queue[int] = queue.Queue()
        self.reads = 0

    def read(self) -> Snapshot:
        self.reads += 1
        self.begun.put(self.reads)
        outcome = self.outcomes.get(timeout=10)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def publish(self, outcome: Snapshot | Exception) -> None:
        self.outcomes.put(outcome)
        self.begun.get(timeout=10)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def feed(script: Script) -> Iterator[Feed]:
    with Feed[Snapshot](script.read, interval_seconds=0) as feed:
        feed.look(patience_seconds=0)
        script.begun.get(timeout=10)
        yield feed
        for _ in range(2):
            script.outcomes.put(FIRST)


def test_nothing_is_read_until_somebody_looks(script: Script) -> None:
    with Feed(script.read) as feed:
        script.outcomes.put(FIRST)
        assert script.reads == 0
        assert feed.look(patience_seconds=10).snapshot == FIRST


def test_many_viewers_share_one_read(script: Script, feed: Feed) -> None:
    script.publish(FIRST)
    views = [feed.look() for _ in range(50)]
    assert {id(view) for view in views} == {id(views[0])}
    assert script.reads == 2


def test_a_lost_store_leaves_the_last_good_data_and_recovers_by_itself(script: Script, feed: Feed) -> None:
    script.publish(FIRST)
    script.publish(StoreUnavailable("The document store does not answer."))
    lost = feed.look()
    assert lost.snapshot == FIRST
    assert "does not answer" in lost.problem
    script.publish(SECOND)
    assert feed.look().snapshot == SECOND
    assert feed.look().problem == ""


def test_an_unreadable_document_is_reported_and_does_not_end_the_reading(script: Script, feed: Feed) -> None:
    script.publish(KeyError("transactions"))
    assert "KeyError" in feed.look().problem
    script.publish(SECOND)
    assert feed.look().snapshot == SECOND


def test_the_reason_of_a_failed_read_holds_no_secret(script: Script, feed: Feed) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")
    script.publish(ValueError(f"{'x' * 193}qX7pL9zRwN4v"))
    assert feed.look().problem.startswith("The stored documents cannot be read (ValueError: xxx")
    assert "qX7" not in feed.look().problem
    load_settings(mongo_uri="mongodb://ana:s3cret-word@127.0.0.1:1/")
    script.publish(StoreUnavailable("no login with s3cret-word\x1b[2J"))
    assert feed.look().problem == "no login with ********\\x1b[2J"


def test_reading_stops_when_nobody_looks(script: Script) -> None:
    now = [1000.0]
    with Feed(script.read, interval_seconds=0, idle_seconds=30, clock=lambda: now[0]) as feed:
        feed.look(patience_seconds=0)
        script.begun.get(timeout=10)
        script.publish(FIRST)
        now[0] += 31
        script.outcomes.put(FIRST)
        with pytest.raises(queue.Empty):
            script.begun.get(timeout=0.3)
        script.outcomes.put(SECOND)
        assert feed.look(patience_seconds=10).snapshot == SECOND
        script.outcomes.put(SECOND)
