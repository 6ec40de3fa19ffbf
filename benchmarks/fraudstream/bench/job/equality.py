"""Whether the contract function and the row engine make the same records of the same events."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.asaql.strategies.job_file import job_file
from fraudstream.asaql.strategies.job_query import job_query
from fraudstream.bench import bounds
from fraudstream.bench.harness.running import Report
from fraudstream.bench.harness.stage import isolated
from fraudstream.bench.harness.trained import trained_model
from fraudstream.bench.job.events import KINDS, odd_events
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.process import environment
from fraudstream.core.trees import download_trees
from fraudstream.runtime.parts.local import spark_job_environment
from fraudstream.spark.session import spark_session
from fraudstream.stream.transformations import decide_here

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CLOCKS = frozenset(("scored_at", "rejected_at"))
TIMES = frozenset(("event_time", "enqueued_at"))
_SEED = 11
_AT_ONCE = 5_000
_SHOWN = 5

Made = tuple[str, bytes | None, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events are given to both, in parts of ``at_once``."""

    events: int = 200_000
    at_once: int = _AT_ONCE


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Compare; returns the results' own part, with the first records that one of both made alone."""
    report("preparing the model")
    model = trained_model()
    counted: Counter[str] = Counter()
    differing, shown = 0, list[Made]()
    with tempfile.TemporaryDirectory(prefix="fraudstream-bench-equality-") as scratch:
        folder = Path(scratch)
        settings = isolated(data_dir=folder, mlflow_tracking_uri=model.tracking_uri, driver_memory="2g")
        trees = folder / "trees.json"
        trees.write_text(json.dumps((download_trees(settings, "1") or {}) | {"version": "1"}), "utf-8")
        query = job_query(PROJECT)
        contract, rows = job_file(folder / "query", query), job_file(folder / "query", query.as_rows())
        with environment.in_force(spark_job_environment(settings)):
            spark = spark_session(settings, "equality")
        try:
            for first, values in _parts(plan):
                report(f"{first + len(values):,} of {plan.events:,} events")
                records = records_of(spark, values, first)
                by_contract, by_rows = (made(decide_here(records, trees, file)) for file in (contract, rows))
                counted.update(topic for topic, _, _ in by_contract.elements())
                alone = [*(by_contract - by_rows).elements(), *(by_rows - by_contract).elements()]
                differing += len(alone)
                shown += alone[: _SHOWN - len(shown)]
                records.unpersist(blocking=True)
        finally:
            spark.stop()
    return {
        "parameters": asdict(plan) | {"model": model.fingerprint, "kinds": list(KINDS)},
        "records": dict(counted),
        "differing": [{"topic": topic, "key": str(key), "value": value[:2_000]} for topic, key, value in shown],
        "bounds": bounds.to_json(
            [
                *bounds.at_most("records that one of both makes alone", float(differing), 0),
                *bounds.at_least("records, by the events", sum(counted.values()) / plan.events, 1),
            ]
        ),
    }


def _parts(plan: Plan) -> Iterator[tuple[int, list[bytes]]]:
    values, first = odd_events(PROJECT, plan.events, _SEED), 0
    while part := list(islice(values, plan.at_once)):
        yield first, part
        first += len(part)


def records_of(
    spark: SparkSession, values: Sequence[bytes], first: int = 0, keys: Sequence[bytes | None] = (b"sent",)
) -> DataFrame:
    """Records of `transactions` with these values and, in turn, these keys, as the Kafka source has them."""
    from pyspark.sql import functions as F

    rows = [
        (TRANSACTIONS, 1, offset, key if key is None else bytearray(key), bytearray(value))
        for (offset, value), key in zip(enumerate(values, start=first), cycle(keys), strict=False)
    ]
    records = spark.createDataFrame(rows, "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY")
    stamped = records.withColumn("timestamp", F.lit("2026-11-24 10:11:13.250").cast("timestamp"))
    return stamped.cache()


def made(records: DataFrame) -> Counter[Made]:
    """Topic, key and value of each record: numbers as doubles, times as moments, without the job's own clock."""
    return Counter(
        (row["topic"], row["key"] and bytes(row["key"]), comparable(bytes(row["value"])))
        for row in records.toLocalIterator()
    )


def comparable(value: bytes) -> str:
    """A record's value in a form in which equal ones are the same text."""
    return json.dumps(_plain(json.loads(value, parse_float=float)), sort_keys=True)


def _plain(content: Any, name: str = "") -> Any:
    if isinstance(content, Mapping):
        return {key: _plain(part, key) for key, part in content.items() if key not in CLOCKS}
    if isinstance(content, list):
        return [_plain(item) for item in content]
    if name in TIMES and isinstance(content, str):
        return datetime.fromisoformat(content).isoformat()
    return float(content) if type(content) is int else content
