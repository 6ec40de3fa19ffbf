"""Rejected events sent again with a real broker and store: to the topic they came from, and each with its answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from pymongo.database import Database
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import EventError
from fraudstream.core.kafka import deliveries
from fraudstream.core.kafka.clients import client_options, consumer, create_topics, producer
from fraudstream.core.kafka.deliveries import Outgoing, send_each
from fraudstream.core.kafka.resend import Correction, send_back
from fraudstream.store import cli
from fraudstream.store.records import rejection
from tests.events import value
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)


@pytest.fixture
def db(store: Running, broker: Running, settings: Settings) -> Iterator[Database[documents.Document]]:
    create_topics(settings)
    database = documents.database(settings)
    yield database
    database[documents.REJECTED].delete_many({})


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("kafka_port", "kafka_controller_port", "mongo_port"):
        monkeypatch.setenv(f"FRAUDSTREAM_{name.upper()}", str(getattr(settings, name)))
    return lambda *words: CliRunner().invoke(cli.app, ["replay", *words])


def rejected(db: Database[documents.Document], topic: str, offset: int, raw: bytes) -> str:
    source = {"topic": topic, "partition": 0, "offset": offset}
    document = rejection("amount: not a number", raw, source, NOW, None, NOW)
    db[documents.REJECTED].insert_one(document)
    return str(document["_id"])


def ends(settings: Settings, topic: str) -> dict[int, int]:
    reader = consumer(settings)
    try:
        parts = [TopicPartition(topic, number) for number in range(settings.topic_partitions)]
        return {part.partition: end for part, end in reader.end_offsets(parts).items()}
    finally:
        reader.close()


def record_at(settings: Settings, place: str) -> Any:
    topic, partition, offset = place.split("/")
    reader = consumer(settings)
    try:
        part = TopicPartition(topic, int(partition))
        reader.assign([part])
        reader.seek(part, int(offset))
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for records in reader.poll(timeout_ms=1_000).values():
                return records[0]
    finally:
        reader.close()
    raise AssertionError(place)


def largest(settings: Settings, topic: str, count: int) -> None:
    admin = KafkaAdminClient(**client_options(settings))
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(count)})])
    admin.close()


def test_what_the_broker_refuses_is_told_by_id_and_what_got_through_as_well(
    db: Database[documents.Document], settings: Settings, command: Any
) -> None:
    long = rejected(db, "transactions", 1, value(amount="x", note="y" * 5_000))
    short = rejected(db, "transactions", 2, value(amount="x", id=7))
    before = ends(settings, "transactions")
    largest(settings, "transactions", 1_000)
    try:
        answer = command(long, short, "--set", "amount=1")
        shown = command(long, short, "--set", "amount=1", "--json")
    finally:
        largest(settings, "transactions", 4 * 2**20)
    assert answer.exit_code == shown.exit_code == 1
    assert answer.stdout == "sent 1 of 2 events back\n"
    assert answer.stderr.startswith(f"{long}: Kafka did not take it: it is larger than the topic or a request may be")
    report = json.loads(shown.stdout)
    assert report["sent"] == [short]
    assert [refusal["id"] for refusal in report["refused"]] == [long]
    assert "MessageSizeTooLarge" in report["refused"][0]["reason"]
    assert sum(ends(settings, "transactions").values()) == sum(before.values()) + 2


def test_a_label_goes_back_to_labels_and_a_scored_record_is_scored_anew(
    db: Database[documents.Document], settings: Settings
) -> None:
    label = rejected(db, "labels", 2037, value(amount="x", isFraud=1))
    decision = {
        "event_time": "2026-11-24T10:11:12Z",
        "prediction": 1,
        "score": 0.9,
        "threshold": 0.5,
        "model_version": "1",
        "scored_at": "2026-11-24T10:11:13.100Z",
        "reasons": [],
        "source": {"topic": "transactions", "partition": 0, "offset": 9, "enqueued_at": "2026-11-24T10:11:13.000Z"},
    }
    scored = rejected(db, "scored", 5, value(amount="x")[:-1] + b"," + json.dumps(decision).encode()[1:])
    answer = send_back(settings, [label, scored, label], Correction({("amount",): "12.50"}))
    assert answer.refused == {}
    assert set(answer.places) == {label, scored}
    assert answer.places[label].startswith("labels/")
    assert answer.places[scored].startswith("transactions/")
    sent = record_at(settings, answer.places[scored])
    assert sent.value == value(amount="x").replace(b'"x"', b"12.50")
    assert sent.key == b"1001000"
    assert record_at(settings, answer.places[label]).value == value(amount="x", isFraud=1).replace(b'"x"', b"12.50")


def test_all_or_none_is_sent_and_each_that_stops_it_is_named(
    db: Database[documents.Document], settings: Settings
) -> None:
    good = rejected(db, "transactions", 1, value(source=None))
    wrong = rejected(db, "transactions", 2, value(source=None, income="much"))
    unlabelled = rejected(db, "labels", 3, value(source=None))
    foreign = rejected(db, "rejected", 4, value(source=None))
    before = ends(settings, "transactions")
    with pytest.raises(EventError) as caught:
        send_back(settings, [good, wrong, "transactions/9/9", unlabelled, foreign], Correction({}, [("source",)]))
    message = str(caught.value)
    assert "transactions/0/1" not in message
    for part in ("transactions/0/2: still not valid, income", "transactions/9/9: no such", "labels/0/3", "'rejected'"):
        assert part in message
    assert ends(settings, "transactions") == before
    assert list(send_back(settings, [good], Correction({}, [("source",)])).places) == [good]


def test_the_command_takes_reserved_and_odd_names_away(
    db: Database[documents.Document], settings: Settings, command: Any
) -> None:
    raw = (
        b'{"source": null, "a=b": 1, "arn": 74537605259536043849425, "merchant": {"$id": 1, "fee": 1.10}, '
        + value(amount=1.0)[1:]
    )
    document_id = rejected(db, "transactions", 1, raw)
    words = ["--unset", "source", "--set", '"a=b"=two', "--unset", "/merchant/$id", "--json"]
    shown = json.loads(command(document_id, *words).stdout)
    assert record_at(settings, shown["landed"][document_id]).value == (
        b'{ "a=b": "two", "arn": 74537605259536043849425, "merchant": { "fee": 1.10}, ' + value(amount=1.0)[1:]
    )
    assert command(document_id, "--set", "amount").exit_code == 2
    assert command(document_id, "--unset", "").exit_code == 2


def test_a_topic_that_is_gone_is_told_within_the_limit(broker: Running, settings: Settings) -> None:
    began = time.monotonic()
    records = [Outgoing(str(number), "unheard_of", None, b"{}") for number in range(20)]
    answer = send_each(partial(producer, settings, **deliveries.OPTIONS), records)
    assert time.monotonic() - began < deliveries.ANSWER_SECONDS + 15
    assert len(answer.refused) == 20
    assert "topic" in answer.refused["0"]


def test_a_request_that_the_client_knows_to_be_too_large_is_told(broker: Running, settings: Settings) -> None:
    create_topics(settings)
    records = [Outgoing("large", "transactions", None, b"x" * 2_000), Outgoing("small", "transactions", None, b"{}")]
    answer = send_each(partial(producer, settings, **(deliveries.OPTIONS | {"max_request_size": 1_000})), records)
    assert list(answer.refused) == ["large"]
    assert list(answer.places) == ["small"]
    assert answer.unanswered == set()


# A producer that its end finds with records in it prints a traceback.
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_dies_leaves_nothing_hanging(broker: Running, settings: Settings) -> None:
    create_topics(settings)
    connected: list[Any] = []

    def connect() -> Any:
        connected.append(producer(settings, **deliveries.OPTIONS))
        sent = connected[-1].send("transactions", value=b"{}").get(timeout=30)
        assert sent.offset >= 0
        broker.kill()
        return connected[-1]

    began = time.monotonic()
    answer = send_each(connect, [Outgoing(name, "transactions", None, b"{}") for name in ("first", "second")])
    took = time.monotonic() - began
    broker.start()
    assert answer.unanswered == {"first"}
    assert answer.refused["second"] == "not sent: Kafka stopped answering"
    assert took < deliveries.ANSWER_SECONDS + 20
