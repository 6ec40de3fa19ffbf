"""The bundled project `cards`: what is scored with the features of its query, on topics, through a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import orjson
import pytest

from fraudstream.asaql.running.inputs_of_model import computed_inputs
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.kafka.clients import create_topics, producer
from fraudstream.core.kafka.progress import STREAM_GROUP
from fraudstream.core.project.project import bundled
from fraudstream.generator.simulators import cards
from fraudstream.runtime.accounting import lag
from tests.champions import stump
from tests.stack.conftest import Running, SparkJob, await_condition
from tests.stack.test_stream_job import places, read

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

COUNT = 1_500
# The model of the test says fraud of a terminal's third payment in a day.
SPLIT_AT, SPLIT = "terminal_count_24h", 3.0
PROJECT = bundled("cards")


@pytest.fixture(scope="module")
def topics(broker: Running, settings: Settings) -> Settings:
    own = settings.model_copy(update={"project": "cards"})
    create_topics(own)
    (settings.data_dir / "champion").mkdir()
    trees = stump(PROJECT, SPLIT_AT, SPLIT) | {"version": "1"}
    (settings.data_dir / "champion" / "trees.json").write_text(json.dumps(trees), "utf-8")
    return own


def publish(settings: Settings, events: list[bytes]) -> None:
    sender = producer(settings)
    sent = [sender.send(TRANSACTIONS, key=orjson.loads(event)["card"].encode(), value=event) for event in events]
    sent.append(sender.send(TRANSACTIONS, key=b"none", value=events[0].replace(b'"amount":', b'"amount_":')))
    for delivery in sent:
        delivery.get(timeout=60)
    sender.close()


def test_a_card_is_scored_with_what_a_training_computes_of_it(
    topics: Settings, start: Callable[[str], SparkJob], tmp_path: Path
) -> None:
    events = list(islice(cards.live(COUNT, cards.FIRST_ID, cards.SEED), COUNT))
    for trigger, half in (("realtime", events[: COUNT // 2]), ("microbatch", events[COUNT // 2 :])):
        job = start(trigger)
        publish(topics, half)
        if trigger == "realtime":
            # In the middle of them: the last ones still wait for others that may be earlier.
            await_condition(lambda: len(read(topics, SCORED)) > 0, 240, job.log)
            assert lag(topics, STREAM_GROUP, TRANSACTIONS) > 0
        else:
            await_condition(lambda: lag(topics, STREAM_GROUP, TRANSACTIONS) == 0, 240, job.log)
        job.kill()
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(events))
    with computed_inputs(PROJECT, file) as lines:
        computed = {row["id"]: row for row in map(orjson.loads, lines)}
    records = read(topics, SCORED)
    scored = {record["id"]: record for record in records}
    assert scored.keys() == computed.keys()
    for record in records:
        row = computed[record["id"]]
        assert {name: record.get(name) for name in row} == row
        assert record["prediction"] == int(row[SPLIT_AT] >= SPLIT)
        assert record["scored_at"] > record["source"]["enqueued_at"] > record["event_time"]
    assert max(places(list(scored.values())).values()) == 1
    frauds = {id for id, record in scored.items() if record["prediction"]}
    assert {record["id"] for record in read(topics, ALERTS)} == frauds
    assert 0 < len(frauds) < COUNT
    assert len(places(read(topics, REJECTED))) == 2
