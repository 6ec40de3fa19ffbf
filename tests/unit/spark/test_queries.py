"""The loop keeps queries running, tells what repeats, and narrows down what one record may have caused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from kafka import TopicPartition

from fraudstream.core.errors import CheckpointMisfit, RuntimePartError, StoreUnavailable
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, Failing, read_failing
from fraudstream.spark.failures import Failure
from fraudstream.spark.queries import RECOVERED_SECONDS, KeptQuery, QueryLoop

PART = TopicPartition("transactions", 0)
ENDED = "ended"


class Clock:
    """Time that passes by ``step`` whenever somebody looks, and while somebody waits."""

    def __init__(self, step: float = 1.0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Stop(threading.Event):
    """The end of the loop; a wait for it moves the clock, and takes no time."""

    def __init__(self, step: float = 1.0) -> None:
        super().__init__()
        self.clock = Clock(step)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.clock.now += timeout
        return self.is_set()


class Reporter:
    """What a job commits."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}
        self.told: list[Failing | None] = []
        self.closed = False
        self.began = 0

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.offsets |= offsets

    def begin(self) -> None:
        self.began += 1

    def fail(self, failing: Failing | None) -> None:
        self.told.append(failing)

    def close(self) -> None:
        self.closed = True


@dataclass
class Query:
    """A query that follows a script: an offset that it has come to, an error, its end, or nothing that happens."""

    script: list[int | Exception | str | None]
    stop_all: threading.Event
    offset: int = 0
    stopped: bool = False
    timeouts: list[float | None] = field(default_factory=list)
    fails_to_stop: bool = False

    def awaitTermination(self, timeout: float | None = None) -> bool:
        self.timeouts.append(timeout)
        if not self.script:
            self.stop_all.set()
            return False
        happens = self.script.pop(0)
        if isinstance(happens, Exception):
            raise happens
        if isinstance(happens, int):
            self.offset = happens
        return happens == ENDED

    def stop(self) -> None:
        self.stopped = True
        if self.fails_to_stop:
            raise TimeoutError("The query did not end.")


@dataclass
class Scripted:
    """A kept query whose successive runs follow the scripts; an error in their place is one of its start."""

    runs: list[list[int | Exception | str | None] | Exception]
    stop: Stop = field(default_factory=Stop)
    queries: list[Query] = field(default_factory=list)
    narrowed: list[Failure] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    def start(self) -> Query:
        self.starts.append(self.stop.clock.now)
        run = self.runs.pop(0) if self.runs else []
        if isinstance(run, Exception):
            raise run
        self.queries.append(Query(run, self.stop))
        return self.queries[-1]

    def kept(self, name: str = "scoring", **options: Any) -> KeptQuery:
        def offsets(query: Query) -> dict[TopicPartition, int]:
            return {PART: query.offset} if query.offset else {}

        return KeptQuery(name, self.start, offsets, offsets, idle=lambda _: True, **options)


@pytest.fixture
def ready_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "ready"))
    return tmp_path / "ready"


def run(scripted: Scripted, *more: KeptQuery, **options: Any) -> Reporter:
    reporter = Reporter()
    QueryLoop([scripted.kept(**options), *more], reporter, scripted.stop, scripted.stop.clock).run()  # type: ignore[arg-type]
    return reporter


def boom() -> Exception:
    return RuntimeError("something odd in a batch")


def test_a_query_that_works_is_reported_and_ready(ready_file: Path) -> None:
    scripted = Scripted([[10, 20]])
    reporter = run(scripted)
    assert reporter.offsets == {PART: 20}
    assert ready_file.exists()
    assert reporter.told == [None]
    assert reporter.began == 1
    assert reporter.closed
    assert scripted.queries[0].stopped


def test_one_failure_is_tried_again_and_is_no_news(ready_file: Path) -> None:
    scripted = Scripted([[10, boom()], [20]])
    reporter = run(scripted)
    assert len(scripted.queries) == 2
    assert reporter.told == [None]
    assert ready_file.exists()


def test_a_failure_that_repeats_makes_the_job_failing_until_it_gets_on(ready_file: Path) -> None:
    seen: list[tuple[bool, str]] = []

    def look(_: Any) -> Mapping[TopicPartition, int]:
        failing = read_failing(ready_file)
        seen.append((ready_file.exists(), failing.reason if failing else ""))
        return {}

    error = StoreUnavailable("The document store does not answer. Start it.")
    scripted = Scripted([[error], [error], [error], [5, None]])
    reporter = run(scripted, narrow=lambda _: pytest.fail("nothing can be narrowed down"))
    failures = [failing for failing in reporter.told if failing is not None]
    assert failures[0].reason.startswith("scoring: The document store does not answer")
    assert "fraudstream logs documents" in failures[0].advice
    assert reporter.told[-1] is None
    assert ready_file.exists()
    assert read_failing(ready_file) is None


def test_a_failing_job_is_not_ready_and_says_since_when(ready_file: Path) -> None:
    scripted = Scripted([[boom()], [boom()], [boom()]])
    reporter = run(scripted)
    (since,) = {failing.since for failing in reporter.told if failing is not None}
    failing = read_failing(ready_file)
    assert failing is not None
    assert failing.since == since.replace(microsecond=0)
    assert "something odd in a batch" in failing.reason
    assert not ready_file.exists()


def test_a_full_disk_ends_no_job_and_what_it_fails_of_is_reported(
    ready_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, refused = Path.write_text, [OSError(28, "No space left on device")] * 2

    def full(path: Path, *rest: Any) -> int:
        if refused:
            raise refused.pop()
        return write(path, *rest)

    monkeypatch.setattr(Path, "write_text", full)
    reporter = run(Scripted([[boom()] for _ in range(5)]))
    # Reported once; the file is written as soon as there is room.
    assert len([failing for failing in reporter.told if failing is not None]) == 1
    assert not refused
    failing = read_failing(ready_file)
    assert failing is not None
    assert "something odd in a batch" in failing.reason


def test_what_a_record_may_have_caused_is_narrowed_down_at_the_second_time() -> None:
    scripted = Scripted([[boom()], [boom()], [7]])
    reporter = run(scripted, narrow=lambda failure: scripted.narrowed.append(failure) or True)
    assert [failure.kind for failure in scripted.narrowed] == ["record"]
    assert reporter.told[-1] is None


def test_a_query_that_is_past_its_batch_and_finds_nothing_to_do_has_recovered(ready_file: Path) -> None:
    scripted = Scripted([[boom()], [boom()], [None] * int(RECOVERED_SECONDS + 5)])
    reporter = run(scripted, narrow=lambda _: True)
    assert reporter.told[-1] is None
    assert ready_file.exists()


def test_a_search_that_is_in_vain_leaves_its_reason() -> None:
    def in_vain(_: Failure) -> bool:
        raise StoreUnavailable("The document store does not answer. Start it.")

    reporter = run(Scripted([[boom()], [boom()], [boom()]]), narrow=in_vain)
    assert reporter.told[-1] is not None
    assert "document store does not answer" in reporter.told[-1].reason


def test_a_checkpoint_that_does_not_fit_is_told_at_once_and_taken_up_when_it_does(ready_file: Path) -> None:
    misfit = CheckpointMisfit("transactions/0: the topic was made anew")
    scripted = Scripted([misfit, misfit, [3]])
    reporter = run(scripted, narrow=lambda _: pytest.fail("nothing can be narrowed down"))
    assert reporter.told[0] is not None
    assert "fraudstream recover" in reporter.told[0].advice
    assert reporter.told[-1] is None
    assert ready_file.exists()


def test_a_query_without_anything_to_do_has_recovered_after_a_while() -> None:
    scripted = Scripted([[boom()], [boom()], [None] * int(RECOVERED_SECONDS + 5)])
    reporter = run(scripted)
    assert reporter.told[-1] is None


def test_topics_that_changed_under_a_running_query_are_noticed() -> None:
    def check(_: Any) -> None:
        raise CheckpointMisfit("The topic transactions was made anew while `stream` was reading it.")

    scripted = Scripted([[None] * 40, [None]])
    reporter = run(scripted, check=check)
    assert scripted.queries[0].stopped
    assert reporter.told[1] is not None
    assert "made anew" in reporter.told[1].reason


def test_a_query_whose_checkpoint_was_replaced_goes_on_from_the_other_one_and_commits_nothing_of_its_own() -> None:
    # Somebody recovers it while its second batch runs.
    scripted = Scripted([[3, 8], [4, 5]])
    reporter = run(scripted, is_current=lambda: len(scripted.queries) > 1 or scripted.queries[0].offset < 8)
    assert scripted.queries[0].stopped
    assert reporter.offsets == {PART: 5}
    assert reporter.told == [None]


def test_what_no_search_brings_on_is_advised_by_the_query() -> None:
    reporter = run(Scripted([[boom()], [boom()], [boom()]]), narrow=lambda _: False, advice="`fraudstream recover`")
    assert reporter.told[-1] is not None
    assert reporter.told[-1].advice == "`fraudstream recover`"
    assert "something odd" in reporter.told[-1].reason


def test_spark_that_is_gone_ends_the_job() -> None:
    scripted = Scripted([[RuntimeError("Cannot call methods on a stopped SparkContext.")]])
    lost: list[str] = []
    with pytest.raises(RuntimePartError, match="stopped SparkContext"):
        run(scripted, session_lost=lambda: lost.append("scoring"))
    assert lost == ["scoring"]


def test_a_process_that_is_gone_ends_the_job_whatever_the_error_says() -> None:
    scripted = Scripted([[ConnectionRefusedError(111, "Connection refused")]])
    lost: list[str] = []
    loop = QueryLoop(
        [scripted.kept(session_lost=lambda: lost.append("scoring"))],
        Reporter(),  # type: ignore[arg-type]
        scripted.stop,
        session_ended=lambda: True,
    )
    with pytest.raises(RuntimePartError, match="Connection refused"):
        loop.run()
    assert lost == ["scoring"]


def test_a_session_that_we_end_ourselves_is_not_lost() -> None:
    scripted = Scripted([[RuntimePartError("The topic transactions has more partitions than slots: 9.")]])
    with pytest.raises(RuntimePartError, match="more partitions than slots"):
        run(scripted, session_lost=lambda: pytest.fail("it was lost"))


def test_one_query_that_fails_does_not_hold_up_the_other() -> None:
    stop = Stop()
    broken = Scripted([boom() for _ in range(50)], stop)
    works = Scripted([[1, 2, 3, 4, 5]], stop)
    reporter = run(works, broken.kept("rollups", reported=False))
    assert reporter.offsets == {PART: 5}
    assert reporter.told[-1] is not None
    assert reporter.told[-1].reason.startswith("rollups: ")


def test_a_query_that_is_held_back_starts_when_it_may() -> None:
    stop = Stop()
    works, later = Scripted([[1, 2]], stop), Scripted([[9]], stop)
    allowed: Callable[[], bool] = lambda: bool(works.queries and works.queries[0].offset)  # noqa: E731
    run(works, later.kept("rollups", may_start=allowed, reported=False))
    assert later.queries


def pauses(scripted: Scripted) -> list[float]:
    return [later - earlier for earlier, later in pairwise(scripted.starts)]


def test_pauses_grow_and_are_bounded() -> None:
    scripted = Scripted([boom() for _ in range(8)], Stop(step=0.0))
    run(scripted)
    assert pauses(scripted) == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_progress_resets_the_pauses() -> None:
    scripted = Scripted([boom(), boom(), boom(), [5, boom()], boom()], Stop(step=0.0))
    run(scripted)
    assert pauses(scripted) == [0.5, 1.0, 2.0, 0.5, 1.0]


def test_a_search_that_moves_the_query_on_resets_the_pauses() -> None:
    scripted = Scripted([boom(), boom(), boom()], Stop(step=0.0))
    run(scripted, narrow=lambda _: True)
    assert pauses(scripted) == [0.5, 0.5, 0.5]


def test_a_query_that_ends_by_itself_starts_again_without_a_failure(ready_file: Path) -> None:
    scripted = Scripted([[3, ENDED], [4]])
    reporter = run(scripted)
    assert len(scripted.queries) == 2
    assert reporter.offsets == {PART: 4}
    assert reporter.told == [None]


def test_the_loop_looks_whether_to_stop_each_second_however_many_queries_run() -> None:
    stop = Stop()
    first, second = Scripted([[1, 2, 3]], stop), Scripted([[1, 2, 3]], stop)
    run(first, second.kept("rollups", reported=False))
    assert set(first.queries[0].timeouts) == set(second.queries[0].timeouts) == {0.5}


def test_a_query_that_fails_to_stop_keeps_no_other_from_being_stopped() -> None:
    stop = Stop()
    first, second = Scripted([[1]], stop), Scripted([[1, 2, 3]], stop)

    def start() -> Query:
        query = first.start()
        query.fails_to_stop = True
        return query

    reporter = Reporter()
    kept = [replace(first.kept(), start=start), second.kept("rollups", reported=False)]
    QueryLoop(kept, reporter, stop, stop.clock).run()  # type: ignore[arg-type]
    assert first.queries[0].stopped
    assert second.queries[0].stopped
    assert reporter.closed


def test_a_query_that_starts_again_from_another_checkpoint_has_recovered_at_once() -> None:
    misfit = CheckpointMisfit("50 records are gone.")
    scripted = Scripted([misfit, misfit, []])
    kept = KeptQuery("scoring", scripted.start, lambda _: {}, lambda _: {}, idle=lambda _: False)
    reporter = Reporter()
    QueryLoop([kept], reporter, scripted.stop, scripted.stop.clock).run()  # type: ignore[arg-type]
    assert [failing is not None for failing in reporter.told] == [True, False]


def test_a_misfit_that_only_spark_finds_is_not_over_because_it_starts() -> None:
    scripted = Scripted(
        [[CheckpointMisfit("a state file is broken")], [CheckpointMisfit("a state file is broken")], []]
    )
    kept = KeptQuery("scoring", scripted.start, lambda _: {}, lambda _: {}, idle=lambda _: False)
    reporter = Reporter()
    QueryLoop([kept], reporter, scripted.stop, scripted.stop.clock).run()  # type: ignore[arg-type]
    assert reporter.told[-1] is not None
