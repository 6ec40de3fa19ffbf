"""What a live query gives depends on its events alone: not on the order in which they arrive, on how they are cut into
batches, on restarts in between, or on batches that are run twice. It equals one finite run."""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.plan.split import split
from tests.asaql import engine
from tests.asaql.conformance import comparable
from tests.asaql.streams import QUERIES, streams
from tests.spark.asaql.driven import Driven, Message, job_config

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

SECOND = 1_000_000
PARTITIONS = {"A": 2, "B": 1}
LONGEST_DELAY_SECONDS = 20.0
DAY = 86_400 * SECOND

Outputs = Mapping[str, Counter[str]]


def whole_text(names: Sequence[str]) -> str:
    """Queries as one, each with an output of its own."""
    steps = ", ".join(QUERIES[name].steps for name in names if QUERIES[name].steps)
    selects = "; ".join(QUERIES[name].select(f"o{place}") for place, name in enumerate(names))
    return f"WITH {steps} {selects}" if steps else selects


def micros(row: Mapping[str, Any]) -> int:
    return int(datetime.fromisoformat(row["at"]).timestamp() * SECOND)


def delayed(inputs: Mapping[str, Sequence[Mapping[str, Any]]], chance: random.Random) -> dict[str, deque[Message]]:
    """The messages of each lane as they arrive, out of the order of their times."""
    arrivals = [
        (micros(row) + int(chance.random() * LONGEST_DELAY_SECONDS * SECOND), name, row)
        for name, rows in inputs.items()
        for row in rows
    ]
    lanes: dict[str, deque[Message]] = {}
    for arrival, name, row in sorted(arrivals, key=lambda each: each[0]):
        partition = chance.randrange(PARTITIONS[name])
        lane = lanes.setdefault(f"{name}/{partition}", deque())
        lane.append(Message(name, partition, 7 * len(lane) + 3, arrival, json.dumps(row).encode()))
    return lanes


def batches(lanes: dict[str, deque[Message]], chance: random.Random) -> Iterator[tuple[list[Message], int | None]]:
    """Cuts: of each lane that has any at least one message, as Spark does it; sometimes with the clock. All at last."""
    seen = 0
    while any(lanes.values()):
        batch = []
        for lane in lanes.values():
            batch += [lane.popleft() for _ in range(min(len(lane), chance.choice((1, 3, 9, 30))))]
        seen = max(seen, *(message.micros for message in batch))
        yield batch, chance.choice((None, seen))
    yield [], seen + DAY


def driven(query: Driven, lanes: dict[str, deque[Message]], chance: random.Random) -> Outputs:
    """What comes out of the cuts, with restarts and repetitions in between."""
    outputs: dict[str, Counter[str]] = {}
    for number, (messages, clock) in enumerate(batches(lanes, chance)):
        rows = query.batch(number, messages, clock)
        if chance.random() < 0.3:
            # Killed before Spark wrote down that the batch was done.
            query.forget()
            assert Counter(query.batch(number, messages, clock)) == Counter(rows)
        if chance.random() < 0.5:
            query.forget()
        for output, text in rows:
            outputs.setdefault(output, Counter())[comparable(json.loads(text))] += 1
    query.forget()
    return outputs


SETS = {
    "in one part": tuple(QUERIES),
    # Those that keep rows apart by k, whose state can have several parts.
    "in several parts": tuple(name for name, query in QUERIES.items() if split(compile_text(query.text)).keys),
}
SEEDS = range(3)
# Logs alone, snapshots alone, and both.
SNAPSHOT_BYTES = (None, 0, 4_000)


@pytest.fixture(scope="module")
def finite(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outputs]:
    """What the engine gives for all events in order, by the set of queries and the seed."""
    runs = []
    for names in SETS:
        plan = compile_text(whole_text(SETS[names]), "query.asaql").to_json()
        for seed in SEEDS:
            inputs = streams(random.Random(seed))
            lines = {name: [json.dumps(row) for row in rows] for name, rows in inputs.items()}
            runs.append({"name": f"{names} {seed}", "plan": plan, "inputs": lines})
    return {
        name: {output: Counter(map(comparable, rows)) for output, rows in answer["outputs"].items() if rows}
        for name, answer in engine.run(runs, tmp_path_factory.mktemp("finite")).items()
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("names", SETS)
def test_arrival_cuts_and_restarts_change_nothing(
    spark: SparkSession, tmp_path: Path, finite: Mapping[str, Outputs], names: str, seed: int
) -> None:
    chance = random.Random(seed)
    lanes = delayed(streams(chance), chance)
    job = job_config(late=60, disorder=60)
    text = whole_text(SETS[names])
    query = Driven(spark, tmp_path, text, PARTITIONS, job, snapshot_bytes=SNAPSHOT_BYTES[seed])
    assert driven(query, lanes, chance) == finite[f"{names} {seed}"]
    assert len(finite[f"{names} {seed}"]) > len(SETS[names]) - 3
