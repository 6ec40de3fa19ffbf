"""What any sender may have put into the topics is read by every reader of ours: codecs, markers, gaps, large tails."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import BrokerRefused
from fraudstream.core.kafka.clients import client_options, consumer, create_topics, producer
from fraudstream.core.project.project import bundled
from fraudstream.dashboards.data.tail import Tail
from fraudstream.generator.malformed import OVERSIZED, Record
from fraudstream.generator.next_id import next_id
from fraudstream.generator.publish import publish
from fraudstream.runtime.accounting import end_offsets, summarise
from fraudstream.stream.progress import OutputTail, output_ends
from tests.events import GOOD
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

CODECS = (None, "gzip", "snappy", "lz4", "zstd")


@pytest.fixture
def topics(broker: Running, settings: Settings) -> Settings:
    create_topics(settings)
    return settings


@pytest.mark.parametrize("codec", CODECS)
def test_the_next_id_is_known_behind_records_of_every_codec(topics: Settings, codec: str | None) -> None:
    first = next_id(topics, 5_000)
    sender = producer(topics, compression_type=codec)
    for number in range(first, first + 20):
        sender.send(TRANSACTIONS, key=b"%d" % number, value=b"x" * 300).get(timeout=60)
    sender.close()
    assert next_id(topics, 5_000) == first + 20


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_the_next_id_is_known_behind_the_markers_of_a_transaction(topics: Settings, end: str) -> None:
    first = next_id(topics, 5_000)
    sender = producer(topics, transactional_id=f"sender-{end}")
    sender.init_transactions()
    sender.begin_transaction()
    for number in range(first, first + 10):
        sender.send(TRANSACTIONS, key=b"%d" % number, value=b"{}")
    sender.flush()
    sender.commit_transaction() if end == "commit" else sender.abort_transaction()
    sender.close()
    assert next_id(topics, 5_000) >= (first + 10 if end == "commit" else first)


def test_the_next_id_is_known_behind_a_tail_of_large_records_and_deleted_ones(topics: Settings) -> None:
    first = next_id(topics, 5_000)
    sender = producer(topics)
    for number in range(first, first + 30):
        sender.send(TRANSACTIONS, key=b"%d" % number, value=b"x" * 1_500_000)
    sender.flush()
    sender.close()
    assert next_id(topics, 5_000) == first + 30
    admin = KafkaAdminClient(**client_options(topics))
    admin.delete_records({part: end for part, end in end_offsets(topics, TRANSACTIONS).items() if part.partition == 0})
    admin.close()
    assert next_id(topics, 5_000) >= first + 29


def test_what_the_broker_refuses_of_a_generated_run_is_told_and_oversized_records_harm_no_others(
    topics: Settings,
) -> None:
    admin = KafkaAdminClient(**client_options(topics))

    def largest(count: int) -> None:
        change = ConfigResource(ConfigResourceType.TOPIC, TRANSACTIONS, {"max.message.bytes": str(count)})
        admin.alter_configs([change])

    good = [Record(number, b"%d" % number, b"x" * 300) for number in range(100)]
    oversized = Record(50, b"50", b"x" * 50_000, OVERSIZED, "value")
    largest(40_000)
    try:
        result = publish(topics, TRANSACTIONS, iter([*good[:50], oversized, *good[51:]]))
        assert (result.produced, result.refused) == (99, 1)
        largest(200)
        with pytest.raises(BrokerRefused, match=r"refused event 0 .*MessageSizeTooLarge.*acknowledged 0 of"):
            publish(topics, TRANSACTIONS, iter(good))
    finally:
        largest(4 * 2**20)
        admin.close()


@pytest.mark.parametrize("codec", CODECS)
def test_decisions_of_every_codec_are_accounted_for_and_reach_the_live_page(
    store: Running, topics: Settings, codec: str | None
) -> None:
    before = end_offsets(topics, SCORED)
    offset = sum(before.values())
    now = datetime.now(UTC)
    stamp = now.isoformat()
    source = {"topic": TRANSACTIONS, "partition": 0, "offset": offset, "enqueued_at": stamp}
    decided = GOOD | {"id": offset, "prediction": 1, "score": 0.9, "threshold": 0.5, "model_version": "1"}
    decided |= {"event_time": stamp, "scored_at": stamp, "reasons": [], "source": source}
    sender = producer(topics, compression_type=codec)
    sender.send(SCORED, value=json.dumps(decided).encode()).get(timeout=60)
    sender.close()
    summary = summarise(topics, {0: (offset, offset + 1)}, before, now)
    assert (summary.scored, summary.frauds) == (1, 1)
    with Tail(lambda: consumer(topics)) as tail:
        until = time.monotonic() + 30
        while not (view := tail.look()).caught_up and time.monotonic() < until:
            time.sleep(0.1)
    assert view.problem == ""
    assert len(view.window) == sum(end_offsets(topics, SCORED).values())


def test_what_the_projects_own_query_filters_is_accounted_for_and_what_is_lost_is_not(
    store: Running, topics: Settings, tmp_path: Path
) -> None:
    before, now = end_offsets(topics, SCORED), datetime.now(UTC)
    nowhere = {0: (10_000_000, 10_000_003)}
    lost = summarise(topics, nowhere, before, now)
    assert (lost.filtered, lost.complete) == (0, False)
    query = tmp_path / "payments" / "stream-analytics" / "fraud.asaql"
    shutil.copytree(bundled("payments").folder, query.parents[1])
    query.write_text("SELECT t.* INTO scored FROM transactions t WHERE t.amount > 100")
    filtering = topics.model_copy(update={"project": str(query.parents[1])})
    summary = summarise(filtering, nowhere, before, now)
    assert (summary.produced, summary.filtered, summary.complete) == (3, 3, True)


def test_outputs_of_a_topic_that_was_made_anew_do_not_count_as_progress(topics: Settings) -> None:
    """Its former life had more records: a place of that time lies behind the end of the present one."""
    sender, part = producer(topics), TopicPartition(TRANSACTIONS, 0)

    def put_out(topic: str, offset: int) -> None:
        source = {"topic": TRANSACTIONS, "partition": part.partition, "offset": offset}
        sender.send(topic, value=json.dumps({"source": source}).encode(), partition=0).get(timeout=30)

    finished = end_offsets(topics, TRANSACTIONS)
    begin = finished[part]
    for number in range(2):
        sender.send(TRANSACTIONS, value=b"{}", partition=part.partition).get(timeout=30)
        put_out(REJECTED, begin + 10_000 + number)
    tail = OutputTail(topics, finished, output_ends(topics))
    assert tail.offsets()[part] == begin
    put_out(SCORED, begin)
    assert tail.offsets()[part] == begin + 1
    put_out(REJECTED, begin + 1)
    assert tail.offsets()[part] == begin + 2
    assert tail.has_caught_up
    tail.close()
    sender.close()
