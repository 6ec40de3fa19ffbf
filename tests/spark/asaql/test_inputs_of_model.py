"""What a query computes for the model: the same in a training's batch as in the stream."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from fraudstream.asaql.live.job import LiveHooks
from fraudstream.asaql.running.inputs_of_model import InputsQuery
from fraudstream.asaql.running.session import QuerySession
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.project.project import Project, bundled
from fraudstream.generator.simulators.cards import FIRST_ID
from fraudstream.generator.simulators.cards.events import Writer
from fraudstream.generator.simulators.cards.time_line import rows as time_line
from fraudstream.generator.simulators.cards.world import build_world
from fraudstream.spark.contract_file import contract_json
from tests.champions import stump
from tests.spark.asaql.driven import Driven, Message, job_config

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

COUNT, PARTITIONS, BATCHES = 4_000, 3, 7
DISORDER_SECONDS, IDLE_SECONDS = 1_800, 10
# The model of the test says fraud of a card's third payment in an hour.
SPLIT_AT, SPLIT = "card_count_1h", 3.0
# Behind all events, so that none is ahead of its arrival: microseconds since 1970.
ARRIVAL = 1_830_000_000_000_000


@pytest.fixture(scope="module")
def cards() -> Project:
    return bundled("cards")


@pytest.fixture(scope="module")
def events() -> list[bytes]:
    """Two weeks of a few customers, whose cards and terminals come often."""
    world = build_world(11, 150)
    writer, values = Writer(world.terminals, labelled=False), []
    for season, rows in time_line(world, count=COUNT):
        values += writer.events(season, rows, FIRST_ID + len(values))
    return values


def arrived(events: list[bytes]) -> list[Message]:
    """The events as they arrive: in one partition for each card, and later ones before earlier ones."""
    draw = Random(5)
    parsed = [orjson.loads(value) for value in events]
    # Each is delayed by less than what the policy allows; ids ascend with the time to the millisecond.
    sent = sorted(range(len(events)), key=lambda place: _seconds(parsed[place]) + draw.random() * DISORDER_SECONDS)
    offsets = [0] * PARTITIONS
    messages = []
    for number, place in enumerate(sent):
        partition = sum(parsed[place]["card"].encode()) % PARTITIONS
        messages.append(Message(TRANSACTIONS, partition, offsets[partition], ARRIVAL + number, events[place]))
        offsets[partition] += 1
    assert [message.value for message in messages] != events
    return messages


def _seconds(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["made_at"]).timestamp()


def scored(spark: SparkSession, folder: Path, project: Project, messages: list[Message]) -> list[dict[str, Any]]:
    """What comes out of the project's query for `scored`, batch by batch, with a restart in the middle."""
    champion = folder / "trees.json"
    champion.write_text(json.dumps(stump(project, SPLIT_AT, SPLIT) | {"version": "1"}), "utf-8")
    text = (project.folder / "stream-analytics" / "fraud.asaql").read_text("utf-8")
    # Of the outputs the first one; scripts are not what is tried here.
    text = text.partition("INTO scored")[0] + "INTO scored FROM decided d"
    start, end = text.index("udf.source("), text.index(" AS source")
    functions = {"champion": {"names": ["score"], "file": str(champion), "contract": contract_json(project)}}
    query = Driven(
        spark,
        folder,
        f"{text[:start]}t.PartitionId{text[end:]}",
        {TRANSACTIONS: PARTITIONS},
        job_config(late=-1, disorder=DISORDER_SECONDS),
        answered=("score",),
        hooks=LiveHooks(
            functions="fraudstream.query.scoring.RunFunctions",
            functions_argument=functions,
            sets_aside=True,
            idle_seconds=IDLE_SECONDS,
        ),
        snapshot_bytes=200_000,
    )
    size = -(-len(messages) // BATCHES)
    rows: list[tuple[str, str]] = []
    for number in range(BATCHES):
        given = messages[number * size : (number + 1) * size]
        rows += query.batch(number, given, given[-1].micros)
        if number == BATCHES // 2:
            query.forget()
    assert len(rows) < len(messages)
    assert query.progress is not None
    waiting = dict(query.progress.held)
    # Time goes on: nobody waits for a partition of which nothing has come for so long.
    last = messages[-1].micros + (IDLE_SECONDS - 1) * 1_000_000
    assert query.batch(BATCHES, [], last) == []
    rows += query.batch(BATCHES + 1, [], last + 2_000_000)
    assert waiting
    assert (query.progress.held, query.progress.set_aside) == ({}, 0)
    query.forget()
    return [orjson.loads(row) for _, row in rows]


def test_the_stream_scores_what_a_training_learns_from(
    spark: SparkSession, session: QuerySession, cards: Project, events: list[bytes], tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(events))
    query = InputsQuery(cards)
    assert not query.compiled.scripts
    computed = {row["id"]: row for row in query.run(session, file).values()}
    streamed = scored(spark, tmp_path, cards, arrived(events))
    names = [rule.name for rule in cards.computed]
    assert len(computed) == len(streamed) == COUNT
    assert {row["id"]: {name: row[name] for name in ("id", *names)} for row in streamed} == computed
    assert {row["id"]: row["prediction"] for row in streamed} == {
        id: int(row[SPLIT_AT] >= SPLIT) for id, row in computed.items()
    }
    # Each of them says something of some events.
    for name in names:
        assert len({row[name] for row in computed.values()}) > 1, name


def test_a_row_looks_back_alone(session: QuerySession, cards: Project, events: list[bytes], tmp_path: Path) -> None:
    whole, half = tmp_path / "whole.jsonl", tmp_path / "half.jsonl"
    whole.write_bytes(b"\n".join(events))
    half.write_bytes(b"\n".join(events[: COUNT // 2]))
    query = InputsQuery(cards)
    later = {row["id"]: row for row in query.run(session, whole).values()}
    rows = query.run(session, half).values()
    assert len(rows) == COUNT // 2
    assert rows == [later[row["id"]] for row in rows]
