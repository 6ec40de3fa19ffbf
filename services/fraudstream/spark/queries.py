"""The loop that keeps a job's streaming queries running: start, look, back off, narrow down, report, stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from kafka import TopicPartition

from fraudstream.core.errors import CheckpointMisfit, FraudstreamError, RuntimePartError
from fraudstream.core.kafka.progress import ProgressReporter
from fraudstream.core.retry import Backoff
from fraudstream.core.streaming.health import Failing, announce_failing, announce_ready, announce_running
from fraudstream.spark.failures import Failure, failure_of

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
_BACKOFF = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
# A query that has run for so long after a failure, and finds nothing left to do, has recovered.
RECOVERED_SECONDS = 20.0
# How often a running query's topics are checked.
CHECK_SECONDS = 30.0
# One failure may be a coincidence; the second in a row makes the job failing.
_REPEATED = 2
_LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)

Offsets = Mapping[TopicPartition, int]


def _nothing(_: Any) -> None:
    return None


def _not_narrowed(_: Failure) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class KeptQuery:
    """A query that is kept running.

    ``start`` starts it from its checkpoint. ``finished`` gives the offsets up to which it has processed its input,
    ``settled`` those that it will not go behind after a failure, ``idle`` whether it has nothing left to do. While
    ``may_start`` is false, it is not started. ``narrow`` looks for the record that makes it fail and sets it aside; it
    answers whether the query is past the batch, and ``advice`` says what helps where it is not. ``check`` raises where
    the topics of a running query are no longer those that it reads. ``is_current`` says whether its checkpoint is still
    the one in use. ``session_lost`` is called when Spark's process has ended. ``has_begun``: whether a query that was
    started takes records by now. ``reported``: its offsets are the job's progress.
    """

    name: str
    start: Callable[[], Any]
    finished: Callable[[Any], Offsets]
    settled: Callable[[Any], Offsets]
    idle: Callable[[Any], bool]
    may_start: Callable[[], bool] = lambda: True
    narrow: Callable[[Failure], bool] = _not_narrowed
    advice: str = ""
    check: Callable[[Any], object] = _nothing
    is_current: Callable[[], bool] = lambda: True
    session_lost: Callable[[], None] = lambda: None
    has_begun: Callable[[Any], bool] = lambda _: True
    reported: bool = True


@dataclass(slots=True)
class _State:
    kept: KeptQuery
    query: Any = None
    settled: Offsets = field(default_factory=dict)
    failures: int = 0
    failing: Failing | None = None
    misfit_at_start: bool = False
    start_at: float = 0.0  # monotonic, as the two below
    started_at: float = 0.0
    checked_at: float = 0.0

    @property
    def pause(self) -> float:
        """Seconds to wait after the failures in a row."""
        return _BACKOFF.seconds(self.failures)


class QueryLoop:
    """Keeps queries running until ``stop``. A batch that fails is tried again from the checkpoint: delayed, never lost.

    While one of them repeats a failure, the job is announced as failing, with since when, why and what to do.
    """

    def __init__(
        self,
        queries: Sequence[KeptQuery],
        reporter: ProgressReporter,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        session_ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._states = [_State(kept) for kept in queries]
        self._reporter = reporter
        self._stop = stop
        self._clock = clock
        self._session_ended = session_ended
        self._announced: Failing | Literal["ready", "starting"] = "starting"
        self._is_told = True
        self._is_running_told = False

    def running(self, name: str) -> Any:
        """The query of that name while it runs, else None."""
        return next((state.query for state in self._states if state.kept.name == name), None)

    def run(self) -> None:
        """Run until ``stop``; then stop the queries. Raises :class:`RuntimePartError` where Spark itself has ended."""
        try:
            while not self._stop.is_set():
                for state in self._states:
                    self._advance(state)
                self._announce()
                self._announce_running()
                if all(state.query is None for state in self._states):
                    self._stop.wait(FIRST_PAUSE_SECONDS)
        finally:
            for state in self._states:
                self._end(state)
            self._reporter.close()

    def _advance(self, state: _State) -> None:
        """Start the query if it is due, or look how the running one is."""
        if state.query is None:
            if self._clock() >= state.start_at and state.kept.may_start():
                self._start(state)
            return
        try:
            ended = state.query.awaitTermination(_LOOK_SECONDS / len(self._states))
            if not state.kept.is_current():
                # `fraudstream recover` replaced the checkpoint: this query's progress no longer counts.
                log.info("checkpoint_replaced", query=state.kept.name)
                self._end(state)
                return
            if not ended and self._clock() - state.checked_at >= CHECK_SECONDS:
                state.checked_at = self._clock()
                state.kept.check(state.query)
            finished, settled = state.kept.finished(state.query), state.kept.settled(state.query)
        except Exception as error:
            self._fail(state, error)
            return
        if ended:
            state.query = None
            return
        if state.kept.reported:
            self._reporter.commit(finished)
        if settled != state.settled or (
            state.failing is not None
            and self._clock() - state.started_at >= RECOVERED_SECONDS
            and state.kept.idle(state.query)
        ):
            state.settled = settled
            self._recover(state)

    def _start(self, state: _State) -> None:
        if state.kept.reported:
            self._reporter.begin()
        try:
            state.query = state.kept.start()
            state.settled = state.kept.settled(state.query)
        except Exception as error:
            self._fail(state, error)
            state.misfit_at_start = isinstance(error, CheckpointMisfit)
            return
        if state.misfit_at_start:
            # The failure was the checkpoint that it could not start from. Another one is in its place.
            state.misfit_at_start = False
            self._recover(state)
        state.started_at = state.checked_at = self._clock()
        log.info("query_started", query=state.kept.name)

    def _recover(self, state: _State) -> None:
        if state.failing is not None:
            log.info("query_recovered", query=state.kept.name)
        state.failures, state.failing = 0, None

    def _fail(self, state: _State, error: Exception) -> None:
        self._end(state)
        failure = failure_of(error)
        if failure.kind == "session" or self._session_ended():
            if not isinstance(error, FraudstreamError):
                # Nothing says whose batch ended the process.
                for other in self._states:
                    other.kept.session_lost()
            advice = failure.advice if failure.kind == "session" else "What is logged before this shows how it ended."
            raise RuntimePartError(
                f"Spark's process is of no use any more ({failure.reason}). {advice}".rstrip()
            ) from error
        state.failures += 1
        repeated = state.failures >= _REPEATED or failure.is_a_records_own
        log.warning(
            "query_failed",
            query=state.kept.name,
            kind=failure.kind,
            reason=failure.reason,
            retry_in_seconds=state.pause,
            # Our own errors say all in one line. Of others the log needs the whole trace, once.
            exc_info=error if state.failures == 1 and not isinstance(error, FraudstreamError) else None,
        )
        if repeated or failure.kind == "misfit":
            since = state.failing.since if state.failing else datetime.now(UTC)
            state.failing = Failing(since, f"{state.kept.name}: {failure.reason}", failure.advice)
            self._announce()
        if repeated and failure.kind == "record":
            self._narrow(state, failure)
        state.start_at = self._clock() + state.pause

    def _narrow(self, state: _State, failure: Failure) -> None:
        try:
            is_past_batch = state.kept.narrow(failure)
        except Exception as error:
            # The user has to remove what stops the search first.
            cause = failure_of(error)
            log.warning("not_narrowed_down", query=state.kept.name, kind=cause.kind, reason=cause.reason)
            if state.failing is not None:
                state.failing = Failing(state.failing.since, f"{state.kept.name}: {cause.reason}", cause.advice)
            return
        if is_past_batch:
            state.failures = 0
        elif state.failing is not None and state.kept.advice:
            state.failing = replace(state.failing, advice=state.kept.advice)

    def _end(self, state: _State) -> None:
        if state.query is None:
            return
        query, state.query = state.query, None
        try:
            query.stop()
        except Exception as error:
            log.warning("query_not_stopped", query=state.kept.name, reason=failure_of(error).reason)

    def _announce_running(self) -> None:
        """Announce once that all queries run."""
        # One that has just ended cannot say whether it had begun.
        with suppress(Exception):
            if not self._is_running_told and all(
                state.query is not None and state.kept.has_begun(state.query) for state in self._states
            ):
                self._is_running_told = announce_running()

    def _announce(self) -> None:
        """Announce the job's health where it has changed or could not be written; the oldest failure stands for all."""
        failures = [state.failing for state in self._states if state.failing is not None]
        health: Failing | Literal["ready", "starting"]
        oldest = min(failures, key=lambda failing: failing.since, default=None)
        if oldest is not None:
            health = oldest
        elif self._announced == "ready" or any(state.query is not None for state in self._states):
            health = "ready"
        else:
            health = self._announced if isinstance(self._announced, str) else "starting"
        if health == self._announced and self._is_told:
            return
        is_new, self._announced = health != self._announced, health
        if health == "starting":
            self._is_told = True
            return
        failing = health if isinstance(health, Failing) else None
        self._is_told = announce_failing(failing) if failing else announce_ready()
        if is_new:
            self._reporter.fail(failing)
