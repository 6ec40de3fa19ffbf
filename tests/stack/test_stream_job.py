"""The stream job under both triggers: one checkpoint, one guarantee, whichever way it runs."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import xgboost

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.kafka.clients import consumer, create_topics, producer, topic_partitions
from fraudstream.core.kafka.progress import STREAM_GROUP
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import portable
from fraudstream.ml.features import CODES, matrix
from fraudstream.runtime.accounting import lag
from tests.events import value
from tests.stack.conftest import Running, SparkJob, await_condition

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

TRIGGERS = ("realtime", "microbatch")


def champion(folder: Path, version: str, trees: int) -> None:
    """The trees of a model of its own, where the job looks for them."""
    rows = sample(3_000, trees)
    model = xgboost.XGBClassifier(n_estimators=trees, max_depth=2).fit(matrix(rows), np.asarray(rows["isFraud"]))
    text = portable.file_text(portable.of_booster(model.get_booster()), 0.5, list(FEATURES), CODES)
    (folder / "champion").mkdir(exist_ok=True)
    partial = folder / "champion" / "trees.part"
    partial.write_text(json.dumps(json.loads(text) | {"version": version}))
    partial.replace(folder / "champion" / "trees.json")


def publish(settings: Settings, first_id: int, count: int) -> None:
    """Every tenth one breaks the contract."""
    sender = producer(settings)
    sent = [
        sender.send(
            TRANSACTIONS,
            key=str(number).encode(),
            value=value(id=number, amount="12.5" if number % 10 == 0 else 12.5),
        )
        for number in range(first_id, first_id + count)
    ]
    for delivery in sent:
        delivery.get(timeout=60)
    sender.close()


def read(settings: Settings, topic: str) -> list[dict[str, Any]]:
    reader = consumer(settings)
    parts = topic_partitions(reader, [topic])
    reader.assign(parts)
    ends = reader.end_offsets(parts)
    events = []
    while any(reader.position(part) < end for part, end in ends.items()):
        for records in reader.poll(timeout_ms=1_000).values():
            events += [orjson.loads(record.value) for record in records]
    reader.close()
    return events


def places(records: list[dict[str, Any]]) -> Counter[tuple[int, int]]:
    return Counter((record["source"]["partition"], record["source"]["offset"]) for record in records)


@pytest.fixture(scope="module")
def topics(broker: Running, settings: Settings) -> Settings:
    create_topics(settings)
    champion(settings.data_dir, "1", trees=20)
    return settings


def test_switching_the_trigger_and_killing_the_job_lose_nothing(
    topics: Settings, start: Callable[[str], SparkJob]
) -> None:
    produced = 0

    def all_out() -> bool:
        return len(places(read(topics, SCORED))) + len(places(read(topics, REJECTED))) >= produced

    for trigger in (*TRIGGERS, *TRIGGERS):
        job = start(trigger)
        publish(topics, 1 + produced, 1_000)
        produced += 1_000
        await_condition(all_out, 180, job.log)
        job.kill()
    scored, rejected = read(topics, SCORED), read(topics, REJECTED)
    assert {event["id"] for event in scored} == {n for n in range(1, produced + 1) if n % 10}
    assert len(places(rejected)) == produced // 10
    assert not places(scored).keys() & places(rejected).keys()
    assert {record["field"] for record in rejected} == {"amount"}
    assert all(json.loads(base64.b64decode(record["raw_base64"]))["amount"] == "12.5" for record in rejected)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_new_champion_is_taken_up_by_the_running_query(
    topics: Settings, start: Callable[[str], SparkJob], trigger: str
) -> None:
    champion(topics.data_dir, f"{trigger}-old", trees=5)
    first = 100_000 if trigger == "realtime" else 200_000
    job = start(trigger)

    def versions() -> dict[int, str]:
        return {event["id"]: event["model_version"] for event in read(topics, SCORED) if event["id"] >= first}

    publish(topics, first, 100)
    await_condition(lambda: len(versions()) == 90, 180, job.log)
    champion(topics.data_dir, f"{trigger}-new", trees=30)
    for batch in range(1, 100):
        publish(topics, first + 100 * batch, 100)
        awaited = 90 * (batch + 1)
        await_condition(lambda: len(versions()) == awaited, 60, job.log)  # noqa: B023 - called at once
        if f"{trigger}-new" in versions().values():
            break
    assert set(versions().values()) == {f"{trigger}-old", f"{trigger}-new"}
    assert job.process.poll() is None


def test_a_real_time_query_says_how_far_it_is_while_its_batch_runs(
    topics: Settings, start: Callable[[str], SparkJob]
) -> None:
    job = start("realtime")
    publish(topics, 300_000, 10)
    await_condition(lambda: lag(topics, STREAM_GROUP, TRANSACTIONS) == 0, 180, job.log)
    publish(topics, 300_010, 100)
    # Sooner than a batch of half a minute ends.
    await_condition(lambda: lag(topics, STREAM_GROUP, TRANSACTIONS) == 0, 25, job.log)
    assert {n for n in range(300_000, 300_110) if n % 10} <= {event["id"] for event in read(topics, SCORED)}
