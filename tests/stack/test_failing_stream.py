"""What makes the stream job fail again and again is told, narrowed down or recovered from; nothing is lost by it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.kafka.clients import client_options, consumer, create_topics, producer, topic_partitions
from fraudstream.core.kafka.progress import STREAM_GROUP
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.health import failing_sentence
from fraudstream.runtime.accounting import lag, problems
from fraudstream.runtime.recovering import carry_out, plans
from tests.events import value
from tests.stack.conftest import Running, SparkJob, await_condition, spoil, stream_job
from tests.stack.test_stream_job import TRIGGERS, champion, publish, read

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SECONDS = 240
# A poisoned batch delays the rest by 30 s at most on a machine that does nothing else; tests run beside others.
DELAY_SECONDS = 60
BATCH = 20_000


class Jobs:
    """One job at a time, which goes on from test to test under the same trigger."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trigger = ""
        self._job: SparkJob | None = None

    def running(self, trigger: str) -> SparkJob:
        """The job under ``trigger``: the one that runs, or another one in its place."""
        if self._job is None or self._job.process.poll() is not None or trigger != self._trigger:
            self.kill()
            self._trigger = trigger
            self._job = stream_job(self._settings, trigger)
        return self._job

    def kill(self) -> None:
        if self._job is not None:
            self._job.kill()


@pytest.fixture(scope="module")
def topics(broker: Running, settings: Settings) -> Settings:
    create_topics(settings)
    champion(settings.data_dir, "1", trees=5)
    return settings


@pytest.fixture(scope="module")
def ready_file(settings: Settings) -> Path:
    return settings.data_dir / "stream.ready"


@pytest.fixture(scope="module")
def jobs(topics: Settings) -> Iterator[Jobs]:
    running = Jobs(topics)
    yield running
    running.kill()


# Of the module: the tests of one trigger follow each other, and share its job.
@pytest.fixture(scope="module", params=TRIGGERS)
def trigger(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def admin(settings: Settings) -> KafkaAdminClient:
    return KafkaAdminClient(**client_options(settings))


def ends(settings: Settings) -> dict[TopicPartition, int]:
    reader = consumer(settings)
    offsets: dict[TopicPartition, int] = reader.end_offsets([TopicPartition(TRANSACTIONS, number) for number in (0, 1)])
    reader.close()
    return offsets


def records(settings: Settings, topic: str) -> int:
    """How many there are, without reading them: nothing is deleted from ours, and no transaction marks them."""
    reader = consumer(settings)
    count = sum(reader.end_offsets(topic_partitions(reader, [topic])).values())
    reader.close()
    return int(count)


def limit_scored(settings: Settings, most_bytes: int) -> None:
    """What a broker's operator can do to make a record impossible to publish.

    No less than a producer's batch, 16 KiB: Java's client never splits one that is smaller.
    """
    client = admin(settings)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, SCORED, {"max.message.bytes": str(most_bytes)})])
    client.close()


def send(settings: Settings, *values: bytes) -> list[Any]:
    sender = producer(settings)
    sent = [sender.send(TRANSACTIONS, value=content) for content in values]
    places = [delivery.get(timeout=60) for delivery in sent]
    sender.close()
    return places


class Out:
    """The records that have come out since, each counted once.

    Places are taken anew with their topic, and the broker's times are not.
    """

    def __init__(self, settings: Settings) -> None:
        # Of half a gigabyte the sums alone, reckoned in Python, would take minutes.
        self._reader = consumer(settings, check_crcs=False)
        self._sources: set[tuple[int, int, str]] = set()
        parts = topic_partitions(self._reader, [SCORED, REJECTED])
        self._reader.assign(parts)
        self._reader.seek_to_end(*parts)
        for part in parts:
            self._reader.position(part)

    def count(self) -> int:
        while polled := self._reader.poll(timeout_ms=200, max_records=10_000):
            for record in (message for records in polled.values() for message in records):
                source = orjson.loads(record.value)["source"]
                self._sources.add((source["partition"], source["offset"], source["enqueued_at"]))
        return len(self._sources)


def await_lag_zero(settings: Settings, job: SparkJob) -> None:
    await_condition(lambda: lag(settings, STREAM_GROUP, TRANSACTIONS) == 0, SECONDS, job.log)


def test_one_record_in_a_batch_that_cannot_be_published_is_set_aside(
    topics: Settings, jobs: Jobs, ready_file: Path, trigger: str, record_property: Callable[[str, object], None]
) -> None:
    first = 1_000_000 if trigger == "realtime" else 2_000_000
    job = jobs.running(trigger)
    publish(topics, first, 10)
    await_lag_zero(topics, job)
    out = Out(topics)
    began = time.monotonic()
    publish(topics, first + 100_000, BATCH)
    await_condition(lambda: out.count() >= BATCH, SECONDS, job.log)
    usual = time.monotonic() - began
    limit_scored(topics, 20_000)
    try:
        (bad,) = send(topics, value(id=first + 500_000, pad="x" * 50_000))
        began = time.monotonic()
        publish(topics, first + 1_000, BATCH)
        await_condition(lambda: bool(failing_sentence(ready_file)), SECONDS, job.log)
        assert "RecordTooLargeException" in (failing_sentence(ready_file) or "RecordTooLargeException")
        await_condition(lambda: out.count() >= 2 * BATCH + 1, SECONDS, job.log)
        poisoned = time.monotonic() - began
        record_property("usual_seconds", round(usual, 1))
        record_property("poisoned_seconds", round(poisoned, 1))
        await_lag_zero(topics, job)
    finally:
        limit_scored(topics, 2 * 1024 * 1024)
    mine = [record for record in read(topics, REJECTED) if record["field"] == "cannot be scored"]
    (rejected,) = [
        record
        for record in mine
        if record["source"]["offset"] == bad.offset and record["source"]["partition"] == bad.partition
    ]
    assert rejected["reason"].startswith("cannot be scored: org.apache.kafka.common.errors.RecordTooLargeException")
    scored = {event["id"] for event in read(topics, SCORED)}
    assert {number for number in range(first + 1_000, first + 1_000 + BATCH) if number % 10} <= scored
    assert first + 500_000 not in scored
    assert poisoned - usual < DELAY_SECONDS
    await_condition(lambda: failing_sentence(ready_file) is None and ready_file.exists(), SECONDS, job.log)
    assert problems(topics) == []


def test_what_concerns_every_record_sets_none_aside_and_is_told(topics: Settings, jobs: Jobs, ready_file: Path) -> None:
    jobs.kill()
    before = records(topics, REJECTED)
    nobody = {"FRAUDSTREAM_SCORING_URL": "http://127.0.0.1:9", "FRAUDSTREAM_SCORING_ATTEMPTS": "1"}
    job = stream_job(topics, "microbatch", FRAUDSTREAM_SCORING="remote", **nobody)
    try:
        publish(topics, 3_000_000, 9)
        await_condition(lambda: bool(problems(topics)), SECONDS, job.log)
        (problem,) = problems(topics)
        assert problem.startswith("stream is failing since ")
        assert "http://127.0.0.1:9/score gave no answer in 1 attempts" in problem
        assert "fraudstream logs scoring" in problem
        assert problem.removeprefix("stream is ") == failing_sentence(ready_file)
        assert not ready_file.exists()
        assert job.process.poll() is None
    finally:
        job.kill()
    assert records(topics, REJECTED) == before


def test_a_transaction_that_was_aborted_is_not_scored_and_leaves_no_lag(
    topics: Settings, jobs: Jobs, trigger: str
) -> None:
    first = 4_000_000 if trigger == "realtime" else 5_000_000
    job = jobs.running(trigger)
    sender = producer(topics, transactional_id=f"sender-{trigger}")
    sender.init_transactions()
    for partition in (0, 1):
        sender.begin_transaction()
        sender.send(TRANSACTIONS, value=value(id=first + partition), partition=partition)
        sender.flush()
        sender.abort_transaction()
        sender.begin_transaction()
        sender.send(TRANSACTIONS, value=value(id=first + 10 + partition), partition=partition)
        sender.commit_transaction()
    sender.begin_transaction()
    sender.send(TRANSACTIONS, value=value(id=first + 20), partition=0)
    sender.flush()
    sender.abort_transaction()
    sender.close()
    await_lag_zero(topics, job)
    scored = {event["id"] for event in read(topics, SCORED)}
    assert {first + 10, first + 11} <= scored
    assert not {first, first + 1, first + 20} & scored


def test_records_that_are_gone_and_a_topic_made_anew_are_told_and_recovered_from(
    topics: Settings, jobs: Jobs, ready_file: Path, trigger: str
) -> None:
    first = 6_000_000 if trigger == "realtime" else 7_000_000
    job = jobs.running(trigger)
    publish(topics, first, 100)
    await_lag_zero(topics, job)
    jobs.kill()

    # Retention is quicker than a job that is down.
    publish(topics, first + 1_000, 50)
    client = admin(topics)
    client.delete_records(ends(topics))
    job = jobs.running(trigger)
    await_condition(
        lambda: "records are gone that were not read" in (failing_sentence(ready_file) or ""), SECONDS, job.log
    )
    assert "fraudstream recover" in (failing_sentence(ready_file) or "")
    (plan,) = plans(topics, ["stream"])
    assert plan.lost == 50
    assert plan.starts == ends(topics)
    publish(topics, first + 2_000, 20)
    carry_out(topics, plans(topics, ["stream"]))
    await_lag_zero(topics, job)
    assert {n for n in range(first + 2_000, first + 2_020) if n % 10} <= {event["id"] for event in read(topics, SCORED)}
    await_condition(ready_file.exists, SECONDS, job.log)

    # Made anew under the running job, and soon longer than the former one was.
    client.delete_topics([TRANSACTIONS])
    await_condition(lambda: TRANSACTIONS not in client.list_topics(), SECONDS, job.log)
    create_topics(topics)
    publish(topics, first + 10_000, 400)
    await_condition(lambda: "made anew" in (failing_sentence(ready_file) or ""), SECONDS, job.log)
    (plan,) = plans(topics, ["stream"])
    assert plan.lost is None
    assert set(plan.starts.values()) == {0}
    carry_out(topics, [plan])
    await_lag_zero(topics, job)
    again = {n for n in range(first + 10_000, first + 10_400) if n % 10}
    assert again <= {event["id"] for event in read(topics, SCORED)}
    assert [plan.is_needed for plan in plans(topics, ["stream"])] == [False]
    client.close()


def test_a_broken_checkpoint_goes_on_from_what_the_job_had_committed(
    topics: Settings, jobs: Jobs, ready_file: Path
) -> None:
    job = jobs.running("microbatch")
    publish(topics, 8_000_000, 30)
    await_lag_zero(topics, job)
    jobs.kill()
    before = records(topics, SCORED)
    folder = Checkpoint.of(topics, "stream").folder
    newest = max((folder / "commits").glob("[0-9]*"), key=lambda file: int(file.name))
    (folder / "offsets" / newest.name).write_text("v1\n{")
    job = jobs.running("microbatch")
    await_condition(lambda: "cannot be read" in (failing_sentence(ready_file) or ""), SECONDS, job.log)
    carry_out(topics, plans(topics, ["stream"]))
    publish(topics, 8_000_100, 10)
    await_lag_zero(topics, job)
    await_condition(lambda: records(topics, SCORED) >= before + 9, SECONDS, job.log)
    assert records(topics, SCORED) == before + 9


def test_what_ends_sparks_process_each_time_is_taken_in_parts(topics: Settings, jobs: Jobs) -> None:
    first, burst, most = 10_000_000, 600, 200_000_000
    job = jobs.running("microbatch")
    await_lag_zero(topics, job)
    jobs.kill()
    out = Out(topics)
    # Of what is compressed a fetch takes a thousand times as much as there is memory for.
    sender = producer(topics, compression_type="gzip", linger_ms=200, max_request_size=2 * most, batch_size=2**20)
    sent = [
        sender.send(TRANSACTIONS, value=value(id=first + number, note="x" * 850_000), partition=number % 2)
        for number in range(burst)
    ]
    sent.append(sender.send(TRANSACTIONS, value=value(id=first + burst, note="x" * most), partition=0))
    sent.append(sender.send(TRANSACTIONS, value=value(id=first + burst + 1), partition=0))
    sender.flush()
    places = [delivery.get(timeout=60) for delivery in sent]
    sender.close()
    job = stream_job(topics, "microbatch", FRAUDSTREAM_DRIVER_MEMORY="512m")
    ended = 0
    while True:
        await_condition(
            lambda: job.process.poll() is not None or lag(topics, STREAM_GROUP, TRANSACTIONS) == 0, SECONDS, job.log
        )
        if job.process.poll() is None:
            break
        # As the supervisor does.
        ended += 1
        assert ended <= 3, job.log.read_text()[-3000:]
        job.start()
    job.kill()
    assert ended
    # The places of all, each once.
    await_condition(lambda: out.count() >= burst + 2, SECONDS, job.log)
    assert out.count() == burst + 2
    # The topic was made anew: another record may have been rejected at the same place.
    reasons = {
        record["reason"]
        for record in read(topics, REJECTED)
        if (record["source"]["partition"], record["source"]["offset"])
        == (places[burst].partition, places[burst].offset)
    }
    assert any(reason.startswith("cannot be scored: 200,000,") for reason in reasons), reasons


def test_a_record_that_nobody_can_read_is_set_aside(
    topics: Settings,
    broker: Running,
    jobs: Jobs,
    trigger: str,
    record_property: Callable[[str, object], None],
) -> None:
    first = 9_000_000 if trigger == "realtime" else 9_500_000
    job = jobs.running(trigger)
    publish(topics, first, 20)
    await_lag_zero(topics, job)
    jobs.kill()
    out = Out(topics)
    publish(topics, first + 100_000, BATCH // 2)
    (bad,) = send(topics, value(id=first + 500, note=f"spoilt-{trigger}"))
    publish(topics, first + 200_000, BATCH // 2)
    spoil(broker, topics, bad, f"spoilt-{trigger}".encode(), f"spoIlt-{trigger}".encode())
    job = jobs.running(trigger)
    began = time.monotonic()
    await_condition(lambda: out.count() >= BATCH + 1, SECONDS, job.log)
    # From the job's start, which Spark's is a part of.
    record_property("poisoned_seconds", round(time.monotonic() - began, 1))
    assert time.monotonic() - began < 2 * DELAY_SECONDS
    publish(topics, first + 1_000, 100)
    await_lag_zero(topics, job)
    assert {n for n in range(first + 1_000, first + 1_100) if n % 10} <= {event["id"] for event in read(topics, SCORED)}
    place = {"topic": TRANSACTIONS, "partition": bad.partition, "offset": bad.offset}
    # The topic was made anew: another record may have been rejected at the same place.
    here = [record for record in read(topics, REJECTED) if place.items() <= record["source"].items()]
    (rejected,) = [record for record in here if record["reason"].startswith("cannot be read: ")]
    assert "fetching the next record" in rejected["reason"]
