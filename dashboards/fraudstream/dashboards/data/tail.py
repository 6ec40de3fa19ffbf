"""The newest decisions straight from the topic `scored`, so that a page shows them before any document is written.

The consumer has no group and commits nothing, so that any number of dashboards can read the topic's end. It reads
while somebody looks. After a rest it goes on from its last position, or from the window's start if that is later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from fraudstream.core.contract.event import ID
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.clients import topic_partitions
from fraudstream.core.output.text import error_text
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.data.watched import Watched
from fraudstream.dashboards.data.window import MOST_ROWS, Window
from fraudstream.dashboards.data.window_view import EMPTY, WindowView

SPAN = timedelta(hours=1)

_POLL_MS = 200
_MOST_RECORDS = 5_000
# A poll does not fail while the broker is away; a request for the end offsets does.
_CHECK_SECONDS = 5.0
_CHECK_MS = 3_000
_PAUSE_SECONDS = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TailView:
    """The window, and why nothing arrives (empty while reading works). ``caught_up``: reading has reached the end."""

    window: WindowView = EMPTY
    problem: str = ""
    caught_up: bool = False


@dataclass
class _Start:
    """How a connection began: the window's start, and the end offsets at that time.

    ``resumed``: the partitions that go on from an earlier connection. ``cut``: those that begin later than the window,
    with the time of their first record once it has arrived.
    """

    since: datetime
    ends: dict[TopicPartition, int]
    resumed: set[TopicPartition] = field(default_factory=set)
    cut: dict[TopicPartition, datetime | None] = field(default_factory=dict)


class Tail(Watched):
    """Follows `scored` in its own thread while somebody looks; ``connect`` makes a consumer without a group."""

    def __init__(
        self,
        connect: Callable[[], Any],
        window: Window | None = None,
        idle_seconds: float = 30.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("tail", idle_seconds)
        self._connect = connect
        self._window = window or Window()
        self._now = now
        self._problem = ""
        self._caught_up = False
        self._positions: dict[TopicPartition, int] = {}

    def look(self) -> TailView:
        """What has arrived so far."""
        self._note_look()
        return TailView(self._window.view(), self._problem, self._caught_up)

    def _run(self) -> None:
        while self._wait_for_viewers():
            try:
                consumer = self._connect()
            except BrokerUnavailable as error:
                self._fail(error_text(error))
                continue
            try:
                self._follow(consumer)
            except (KafkaError, BrokerUnavailable) as error:
                self._fail(f"The topic {SCORED} cannot be read ({error_text(error)}).")
            # The thread must survive any record and any error of the client; the page names the problem.
            except Exception as error:
                log.exception("tail_failed")
                self._fail(f"The topic {SCORED} cannot be read ({error_text(error)}).")
            finally:
                consumer.close()

    def _follow(self, consumer: Any) -> None:
        parts = topic_partitions(consumer, [SCORED])
        if not parts:
            raise BrokerUnavailable(f"The topic {SCORED} does not exist yet.")
        consumer.assign(parts)
        start = self._seek(consumer, parts)
        checked_at = time.monotonic()
        try:
            while not self._closed and self._is_watched():
                records = consumer.poll(_POLL_MS, max_records=_MOST_RECORDS)
                self._window.add(decision for part in parts for decision in _decisions(records.get(part, ())))
                self._positions |= {part: consumer.position(part) for part in parts}
                if not self._caught_up:
                    self._check_caught_up(start, records)
                if time.monotonic() - checked_at > _CHECK_SECONDS:
                    consumer.end_offsets(parts, timeout_ms=_CHECK_MS)
                    checked_at = time.monotonic()
        finally:
            self._caught_up = False

    def _seek(self, consumer: Any, parts: list[TopicPartition]) -> _Start:
        """Set each partition to where reading goes on, at most one window before its end."""
        since = self._now() - SPAN
        first_within = consumer.offsets_for_times(dict.fromkeys(parts, int(since.timestamp() * 1000)))
        ends: dict[TopicPartition, int] = consumer.end_offsets(parts)
        most = MOST_ROWS // len(parts)
        start = _Start(since, ends)
        for part in parts:
            earliest = first_within[part].offset if first_within.get(part) else ends[part]
            position = self._positions.get(part, -1)
            if earliest <= position <= ends[part]:
                start.resumed.add(part)
            else:
                position = max(earliest, ends[part] - most)
                if position > earliest:
                    start.cut[part] = None
            consumer.seek(part, position)
        return start

    def _check_caught_up(self, start: _Start, records: Mapping[TopicPartition, Any]) -> None:
        for part, first_at in start.cut.items():
            if first_at is None and records.get(part):
                start.cut[part] = datetime.fromtimestamp(records[part][0].timestamp / 1000, UTC)
        if any(self._positions[part] < end for part, end in start.ends.items()):
            return
        # If every partition was resumed, the window is still complete since the same moment as before.
        if len(start.resumed) < len(start.ends):
            self._window.complete_since(max([start.since, *(first_at for first_at in start.cut.values() if first_at)]))
        self._caught_up, self._problem = True, ""

    def _wait_for_viewers(self) -> bool:
        with self._condition:
            if self._problem:
                self._condition.wait_for(lambda: self._closed, _PAUSE_SECONDS)
            return super()._wait_for_viewers()

    def _fail(self, problem: str) -> None:
        if not self._problem:
            log.warning("tail_lost", reason=problem)
        self._problem = problem
        self._caught_up = False


def _decisions(records: Any) -> list[Decision]:
    decisions = (decision_of(record.value, record.timestamp) for record in records)
    return [decision for decision in decisions if decision is not None]


def decision_of(value: bytes, published_ms: int) -> Decision | None:
    """A record of `scored` as a decision. None if it is not a valid one: the store job reports those."""
    try:
        event = orjson.loads(value)
        source = event["source"]
        enqueued_at = datetime.fromisoformat(source["enqueued_at"]).astimezone(UTC)
        id, features = fields.id_of(event[ID]), fields.kept(event)
        if id is None or features is None:
            return None
        reasons = tuple(stored.reasons(event["reasons"]))
        decision = Decision(
            id=id,
            event_time=datetime.fromisoformat(event["event_time"]).astimezone(UTC),
            enqueued_at=enqueued_at,
            partition=int(source["partition"]),
            fraud=event["prediction"] == 1,
            score=float(event["score"]),
            threshold=float(event["threshold"]),
            model_version=stored.text(event["model_version"], 60),
            latency_ms=stored.milliseconds(published_ms - 1000 * enqueued_at.timestamp()),
            reasons=reasons,
            features=fields.named_in(reasons, event) | features,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return decision if math.isfinite(decision.score) and math.isfinite(decision.threshold) else None
