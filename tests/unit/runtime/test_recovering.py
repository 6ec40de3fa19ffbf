"""What `recover` plans for each query, and that nothing moves where not all of it can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaTimeoutError

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable, ConfigurationError
from fraudstream.core.kafka import broker, progress
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import TopicState
from fraudstream.core.streaming.health import Failing
from fraudstream.runtime import accounting, recovering
from fraudstream.runtime.recovering import Plan, carry_out, plans
from fraudstream.spark import failures

ZERO, ONE = TopicPartition(TRANSACTIONS, 0), TopicPartition(TRANSACTIONS, 1)
STORED = [TopicPartition(topic, 0) for topic in (SCORED, LABELS, REJECTED)]


class Broker:
    """What it keeps of the topics and of the jobs' groups; ``error`` is what every question is answered with."""

    def __init__(self) -> None:
        self.begins = dict.fromkeys((ZERO, ONE, *STORED), 0)
        self.ends = dict.fromkeys(self.begins, 1_000)
        self.groups: dict[str, dict[TopicPartition, OffsetAndMetadata]] = {}
        self.error: Exception | None = None

    def stands(self, group: str, offsets: Mapping[TopicPartition, int], failing: Failing | None = None) -> None:
        metadata = failing.to_text() if failing else ""
        self.groups[group] = {part: OffsetAndMetadata(at, metadata, -1) for part, at in offsets.items()}

    def offsets(self, group: str) -> dict[TopicPartition, int]:
        return {part: known.offset for part, known in self.groups.get(group, {}).items()}

    def topics(self, topics: Iterable[str]) -> TopicState:
        state = TopicState(self.begins, self.ends, dict.fromkeys((TRANSACTIONS, SCORED, LABELS, REJECTED), "a"))
        return state.of(list(topics))

    def consumer(self, _settings: Settings, group_id: str | None = None) -> Client:
        return Client(self, self.groups.setdefault(str(group_id), {}))


class Client:
    """A consumer of one group."""

    def __init__(self, broker: Broker, group: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self._broker, self._group = broker, group

    def _answer(self) -> None:
        if self._broker.error is not None:
            raise self._broker.error

    def partitions_for_topic(self, topic: str) -> set[int]:
        self._answer()
        return {part.partition for part in self._broker.ends if part.topic == topic}

    def committed(self, part: TopicPartition, metadata: bool = False, timeout_ms: int | None = None) -> Any:
        self._answer()
        known = self._group.get(part)
        return known if metadata or known is None else known.offset

    def end_offsets(self, parts: Iterable[TopicPartition], timeout_ms: int | None = None) -> dict[TopicPartition, int]:
        return {part: self._broker.ends[part] for part in parts}

    def beginning_offsets(
        self, parts: Iterable[TopicPartition], timeout_ms: int | None = None
    ) -> dict[TopicPartition, int]:
        return {part: self._broker.begins[part] for part in parts}

    def assign(self, _: Any) -> None:
        """Nothing is read."""

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        self._group |= offsets

    def close(self) -> None:
        """It has no connection."""


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Broker:
    double = Broker()
    monkeypatch.setattr(broker, "consumer", double.consumer)
    monkeypatch.setattr(progress, "consumer", double.consumer)
    monkeypatch.setattr(recovering.TopicState, "read", lambda _, topics: double.topics(topics))
    return double


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def batch(settings: Settings, query: str, offsets: str) -> Path:
    """A batch that was finished, as Spark leaves it; returns the file of its offsets."""
    folder = Checkpoint.of(settings, query).folder
    for name, content in (("offsets", f"v1\n{{}}\n{offsets}"), ("commits", "v1\n{}")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "3").write_text(content)
    (folder / "metadata").write_text('{"id":"03a7"}')
    return folder / "offsets" / "3"


def broken(settings: Settings, query: str = "stream") -> None:
    batch(settings, query, "").write_text("v1\n{")


def planned(settings: Settings, query: str, *, part: str = "stream") -> Plan:
    return next(plan for plan in plans(settings, [part]) if plan.query == query)


def failing(query: str, text: str) -> Failing:
    """What a job says when its query fails with such an error."""
    failure = failures.failure_of(RuntimeError(text))
    return Failing(datetime(2026, 11, 29, 10, tzinfo=UTC), f"{query}: {failure.reason}", failure.advice)


CHECKSUM = "org.apache.hadoop.fs.ChecksumException: Checksum error: file:/x/offsets/3 at 0"
STATE = "[STATE_STORE_CANNOT_READ] state file /x/state/0/0/3.delta does not exist"


# A checkpoint that cannot be read...


@pytest.mark.parametrize(
    ("begin", "end", "finished", "start", "lost"),
    [
        (0, 1_000, 100, 100, 0),
        (0, 1_000, 1_000, 1_000, 0),
        (500, 1_000, 100, 500, 400),
        (0, 20, 1_000, 0, None),
        (5, 20, 1_000, 5, None),
        (500, 1_000, None, 500, None),
    ],
)
def test_without_its_checkpoint_a_job_goes_on_at_what_it_committed_as_far_as_that_is_of_the_topic(
    kafka: Broker, settings: Settings, begin: int, end: int, finished: int | None, start: int, lost: int | None
) -> None:
    broken(settings)
    kafka.begins[ZERO], kafka.ends[ZERO] = begin, end
    kafka.stands(progress.STREAM_GROUP, {ONE: 7} | ({} if finished is None else {ZERO: finished}))
    plan = planned(settings, "stream")
    assert (plan.starts, plan.lost) == ({ZERO: start, ONE: 7}, lost)
    assert "cannot be read" in plan.problems[0]


def test_what_is_lost_is_told_over_all_partitions(kafka: Broker, settings: Settings) -> None:
    broken(settings)
    kafka.begins |= {ZERO: 30, ONE: 50}
    kafka.stands(progress.STREAM_GROUP, {ZERO: 10, ONE: 45})
    assert planned(settings, "stream").lost == 25


def test_a_partition_of_which_nothing_was_committed_is_read_from_its_first_record(
    kafka: Broker, settings: Settings
) -> None:
    broken(settings)
    kafka.stands(progress.STREAM_GROUP, {ZERO: 10})
    plan = planned(settings, "stream")
    assert (plan.starts, plan.lost) == ({ZERO: 10, ONE: 0}, 0)


def test_where_nothing_was_committed_nobody_can_tell_what_is_lost(kafka: Broker, settings: Settings) -> None:
    broken(settings)
    plan = planned(settings, "stream")
    assert (plan.starts, plan.lost) == ({ZERO: 0, ONE: 0}, None)


# A checkpoint that only Spark finds broken...


def test_what_fits_and_works_is_left_alone(kafka: Broker, settings: Settings) -> None:
    batch(settings, "stream", '{"transactions":{"0":6,"1":5}}')
    kafka.stands(progress.STREAM_GROUP, {ZERO: 6, ONE: 5})
    assert not planned(settings, "stream").is_needed


def test_a_job_that_asks_for_recovery_gets_another_checkpoint_where_its_own_stood(
    kafka: Broker, settings: Settings
) -> None:
    batch(settings, "stream", '{"transactions":{"0":6,"1":5}}')
    # The stream job's query has another name than its checkpoint.
    kafka.stands(progress.STREAM_GROUP, {ZERO: 8, ONE: 5}, failing("scoring", CHECKSUM))
    plan = planned(settings, "stream")
    assert (plan.starts, plan.lost) == ({ZERO: 6, ONE: 5}, 0)
    (problem,) = plan.problems
    assert problem.startswith(
        "the job cannot go on from its checkpoint, failing since 2026-11-29 10:00:00 UTC: scoring: "
    )
    assert "ChecksumException" in problem
    assert "fraudstream recover" not in problem
    before = Checkpoint.of(settings, "stream").folder
    carry_out(settings, [plan])
    after = Checkpoint.of(settings, "stream")
    assert after.folder != before
    assert after.committed() == kafka.offsets(progress.STREAM_GROUP) == {ZERO: 6, ONE: 5}
    # The job says it until it has gone on; there is nothing to mend in what has no files yet.
    assert not planned(settings, "stream").is_needed


@pytest.mark.parametrize(
    ("query", "text", "needed"),
    [
        ("documents", CHECKSUM, ["documents"]),
        ("rollups", CHECKSUM, ["rollups"]),
        ("rollups", STATE, ["rollups"]),
        ("documents", "java.net.ConnectException: Connection refused", []),
        ("documents", "java.lang.IllegalStateException: something else", []),
    ],
)
def test_only_the_query_that_fails_of_its_checkpoint_gets_another_one(
    kafka: Broker, settings: Settings, query: str, text: str, needed: list[str]
) -> None:
    batch(settings, "documents", '{"scored":{"0":6},"labels":{"0":5},"rejected":{"0":4}}')
    batch(settings, "rollups", '{"scored":{"0":3},"labels":{"0":2}}')
    kafka.stands(progress.STORE_GROUP, dict.fromkeys(STORED, 6), failing(query, text))
    query_plans = plans(settings, ["store"])
    assert [plan.query for plan in query_plans if plan.is_needed] == needed
    assert {plan.lost for plan in query_plans} == {0}
    # The rollups go on where the documents are, from which they are counted anew.
    assert [plan.starts[STORED[0]] for plan in query_plans if plan.is_needed] == [6] * len(needed)


# What cannot be asked or written...


@pytest.mark.parametrize(
    "ask",
    [
        lambda settings: plans(settings, ["stream"]),
        lambda settings: accounting.lag(settings, progress.STREAM_GROUP, TRANSACTIONS),
        lambda settings: accounting.end_offsets(settings, TRANSACTIONS),
        accounting.problems,
    ],
)
def test_a_broker_that_stops_answering_is_told_as_such(
    kafka: Broker, settings: Settings, ask: Callable[[Settings], object]
) -> None:
    kafka.error = KafkaTimeoutError("after 60 s")
    with pytest.raises(BrokerUnavailable, match=r"did not answer \(KafkaTimeoutError: .*fraudstream status"):
        ask(settings)


def test_the_lag_is_what_the_group_has_not_finished(kafka: Broker, settings: Settings) -> None:
    kafka.stands(progress.STREAM_GROUP, {ZERO: 990, ONE: 1_000})
    assert accounting.lag(settings, progress.STREAM_GROUP, TRANSACTIONS) == 10


def test_the_group_stays_where_no_checkpoint_can_be_written(
    kafka: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.stands(progress.STREAM_GROUP, {ZERO: 8})
    (settings.data_dir / "checkpoints").symlink_to("/proc")
    with pytest.raises(ConfigurationError, match=r"`stream` can be written in .*/checkpoints \(.*DATA_DIR"):
        carry_out(settings, [Plan("stream", "stream", ("broken",), 0, {ZERO: 3})])
    assert kafka.offsets(progress.STREAM_GROUP) == {ZERO: 8}


def test_a_disk_that_is_full_is_told_before_the_group_moves(
    kafka: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.stands(progress.STREAM_GROUP, {ZERO: 8})
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(recovering.tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            carry_out(settings, [Plan("stream", "stream", ("broken",), 0, {ZERO: 3})])
    assert kafka.offsets(progress.STREAM_GROUP) == {ZERO: 8}


def test_a_checkpoint_that_cannot_be_replaced_after_all_is_told(
    kafka: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Checkpoint, "write", refused)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        carry_out(settings, [Plan("stream", "stream", ("broken",), 0, {ZERO: 3})])
