"""A record or a rollup that cannot be written is set aside by a running store job; the rest hardly waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import LABELS, SCORED
from fraudstream.core.documents import client as documents
from fraudstream.core.kafka.clients import create_topics, producer
from fraudstream.core.streaming.health import failing_sentence
from fraudstream.runtime import recovering
from tests.events import GOOD, value
from tests.stack.conftest import Running, SparkJob, await_condition, spoil

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SECONDS = 240
BATCH = 20_000
# A bad record or rollup delays the rest by 30 s at most on a machine that does nothing else; tests run beside others.
DELAY_SECONDS = 60


@pytest.fixture(scope="module")
def topics(broker: Running, store: Running, settings: Settings) -> Settings:
    create_topics(settings)
    return settings


@pytest.fixture
def db(topics: Settings) -> Database[documents.Document]:
    return documents.database(topics)


@pytest.fixture
def job(topics: Settings) -> Iterator[SparkJob]:
    spark_job = SparkJob(topics, "store")
    yield spark_job
    spark_job.kill()


def decision(number: int, **changes: Any) -> bytes:
    source = {"topic": "transactions", "partition": 0, "offset": number, "enqueued_at": "2026-11-24T10:11:13.000Z"}
    fields = {
        "event_time": "2026-11-24T10:11:12Z",
        "prediction": 0,
        "score": 0.1,
        "threshold": 0.5,
        "model_version": "1",
        "scored_at": "2026-11-24T10:11:13.100Z",
        "reasons": [],
        "source": source,
    }
    return json.dumps(GOOD | {"id": number, "merchant": f"m-{number}"} | fields | changes).encode()


def send(settings: Settings, topic: str, *values: bytes) -> list[Any]:
    sender = producer(settings)
    sent = [sender.send(topic, value=content, partition=0) for content in values]
    places = [delivery.get(timeout=60) for delivery in sent]
    sender.close()
    return places


def batch(first: int) -> list[bytes]:
    return [decision(number) for number in range(first, first + BATCH)]


def total(db: Database[documents.Document], origin: str = "live") -> int:
    rollup = db.rollups.find_one({"_id": f"total||{origin}|all|all"})
    return rollup["transactions"] if rollup else 0


@contextmanager
def unique(db: Database[documents.Document], collection: str, *fields: str) -> Iterator[None]:
    """What an operator of the store can do to make a document impossible to write."""
    name = db[collection].create_index([(field, 1) for field in fields], unique=True)
    try:
        yield
    finally:
        db[collection].drop_index(name)


def seconds_until(condition: Callable[[], bool], began: float, job: SparkJob) -> float:
    await_condition(condition, SECONDS, job.log)
    return time.monotonic() - began


def test_a_document_that_the_store_refuses_is_set_aside(
    topics: Settings, db: Database[documents.Document], job: SparkJob, record_property: Callable[[str, object], None]
) -> None:
    send(topics, SCORED, decision(1))
    await_condition(lambda: total(db) == 1, SECONDS, job.log)
    with unique(db, "transactions", "merchant"):
        began = time.monotonic()
        send(topics, SCORED, *batch(100_000))
        usual = seconds_until(lambda: total(db) == 1 + BATCH, began, job)
        began = time.monotonic()
        values = batch(200_000)
        (bad,) = send(topics, SCORED, *values[:5_000], decision(300_000, merchant="m-1"), *values[5_000:])[5_000:5_001]
        poisoned = seconds_until(
            lambda: total(db) == 1 + 2 * BATCH and db.transactions.count_documents({}) == 1 + 2 * BATCH, began, job
        )
    record_property("usual_seconds", round(usual, 1))
    record_property("poisoned_seconds", round(poisoned, 1))
    (rejected,) = db.rejected.find({"field": "cannot be written"})
    assert rejected["reason"].startswith("cannot be written: code 11000: ")
    assert json.loads(rejected["raw"])["id"] == 300_000
    assert bad.offset == 1 + BATCH + 5_000
    assert poisoned - usual < DELAY_SECONDS
    assert failing_sentence(job.ready_file) is None


def test_a_rollup_that_the_store_refuses_is_set_aside(
    topics: Settings, db: Database[documents.Document], job: SparkJob, record_property: Callable[[str, object], None]
) -> None:
    live = total(db)
    with unique(db, "rollups", "period", "start", "dimension", "value"):
        began = time.monotonic()
        send(topics, LABELS, value(id=400_000, isFraud=1))
        send(topics, SCORED, *batch(500_000))
        took = seconds_until(lambda: total(db) == live + BATCH, began, job)
    record_property("poisoned_seconds", round(took, 1))
    refused = db.rejected.find_one({"_id": "rollups/total||history|all|all"})
    assert refused is not None
    assert refused["reason"].startswith("cannot be written: code 11000: ")
    assert total(db, "history") == 0
    assert db.transactions.find_one({"_id": 400_000}) is not None
    assert failing_sentence(job.ready_file) is None
    # The next state of what was refused takes its place.
    send(topics, LABELS, value(id=400_001, isFraud=0))
    await_condition(lambda: total(db, "history") == 2, SECONDS, job.log)


def test_rollups_are_counted_anew_under_a_running_job(
    topics: Settings, db: Database[documents.Document], job: SparkJob
) -> None:
    before = total(db)
    send(topics, SCORED, decision(449_999))
    await_condition(lambda: total(db) == before + 1, SECONDS, job.log)
    db.rollups.insert_one({"_id": "total||live|all|nobody", "updated_at": datetime(2026, 1, 1, tzinfo=UTC)})
    recovering.carry_out(topics, recovering.plans(topics, ["store"], rebuild_rollups=True))
    send(topics, SCORED, decision(450_000))
    await_condition(lambda: total(db) == before + 2, SECONDS, job.log)
    await_condition(lambda: db.rollups.find_one({"_id": "total||live|all|nobody"}) is None, SECONDS, job.log)
    assert total(db) == db.transactions.count_documents({"origin": "live"})
    assert failing_sentence(job.ready_file) is None


def test_a_decision_that_nobody_can_read_is_set_aside_and_the_rest_counts(
    topics: Settings,
    broker: Running,
    db: Database[documents.Document],
    job: SparkJob,
    record_property: Callable[[str, object], None],
) -> None:
    await_condition(job.ready_file.exists, SECONDS, job.log)
    stored, live = db.transactions.count_documents({}), total(db)
    job.kill()
    send(topics, SCORED, *batch(600_000))
    job.start()
    usual = seconds_until(
        lambda: db.transactions.count_documents({}) == stored + BATCH and total(db) == live + BATCH,
        time.monotonic(),
        job,
    )
    job.kill()
    values = batch(700_000)
    send(topics, SCORED, *values[:5_000])
    (bad,) = send(topics, SCORED, decision(800_000, note="spoilt-decision"))
    send(topics, SCORED, *values[5_000:])
    spoil(broker, topics, bad, b"spoilt-decision", b"spoIlt-decision")
    job.start()
    poisoned = seconds_until(
        lambda: db.transactions.count_documents({}) == stored + 2 * BATCH and total(db) == live + 2 * BATCH,
        time.monotonic(),
        job,
    )
    record_property("usual_seconds", round(usual, 1))
    record_property("poisoned_seconds", round(poisoned, 1))
    rejected = db.rejected.find_one({"_id": f"{SCORED}/0/{bad.offset}"})
    assert rejected is not None
    assert rejected["reason"].startswith("cannot be read: ")
    assert db.transactions.find_one({"_id": 800_000}) is None
    assert poisoned - usual < DELAY_SECONDS
    await_condition(lambda: failing_sentence(job.ready_file) is None, SECONDS, job.log)
