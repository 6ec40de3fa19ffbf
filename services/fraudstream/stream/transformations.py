"""Records of `transactions` → records of `scored` and `rejected`: one definition for every trigger."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
from pyspark.sql import DataFrame

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.contract.topics import MOST_RECORD_BYTES, REJECTED, SCORED
from fraudstream.spark.functions import check_record, decide_record, finish_record
from fraudstream.stream.scorers import Decision, Scorer, score_rows

_CARRIED = ("key", "text", "id", "event_time", "source", "rejected")
_MADE_SCHEMA = "topic STRING, key BINARY, value BINARY, source STRING, field STRING, reason STRING"


class _Made(NamedTuple):
    """A record to be finished: with a ``reason``, ``value`` is an event that is rejected for it."""

    topic: str
    key: bytes | None
    value: bytes
    source: str | None = None
    field: str | None = None
    reason: str | None = None


def decide_here(records: DataFrame, champion: Path) -> DataFrame:
    """Kafka source records → ``topic``, ``key``, ``value`` for the Kafka sink; every record comes out exactly once.

    The champion's trees, in the file ``champion``, are evaluated in Spark's own process: no Python takes part, so
    that real-time mode runs it too.
    """
    decided = records.select(decide_record(records.sparkSession, str(champion.absolute())).alias("decided"))
    return decided.select("decided.*")


def decide_elsewhere(records: DataFrame, scorer_factory: Callable[[], Scorer]) -> DataFrame:
    """The same with a scorer that is called in the Python workers, one call a batch and partition."""

    def score_partition(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer: Scorer | None = None
        for batch in batches:
            good = batch.filter(batch.column("rejected").is_null())
            if scorer is None and good.num_rows:
                scorer = scorer_factory()
            columns = {name: good.column(name).to_pylist() for name in FEATURES}
            decisions = score_rows(scorer, columns, good.num_rows) if scorer else []
            yield _records(batch, decisions)

    checked = records.select("key", check_record(records.sparkSession).alias("checked")).select("key", "checked.*")
    made = checked.mapInArrow(score_partition, _MADE_SCHEMA)
    return made.select(finish_record(records.sparkSession).alias("decided")).select("decided.*")


def _records(batch: pa.RecordBatch, decisions: list[Decision | str]) -> pa.RecordBatch:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pending = iter(decisions)
    made = []
    for row in batch.select(list(_CARRIED)).to_pylist():
        if row["rejected"] is not None:
            made.append(_Made(REJECTED, row["key"], row["rejected"]))
        elif isinstance(decision := next(pending), str):
            made.append(_refused(row, decision.partition(":")[0], decision))
        else:
            made.append(_decided(row, decision, now))
    columns = list(zip(*made, strict=True)) or [()] * len(_Made._fields)
    types = (pa.string(), pa.binary(), pa.binary(), pa.string(), pa.string(), pa.string())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(_Made._fields))


def _decided(row: Mapping[str, Any], decision: Decision, now: str) -> _Made:
    """The record of an event with its decision; one that no topic takes, or that says nothing, is rejected alone."""
    problem = "cannot be scored"
    if not (math.isfinite(decision.score) and math.isfinite(decision.threshold) and decision.prediction in (0, 1)):
        said = f"prediction {decision.prediction}, score {decision.score}, threshold {decision.threshold}"
        return _refused(row, problem, f"{problem}: the model answered {said}")
    try:
        value = _scored(row, decision, now)
    except (TypeError, ValueError) as error:  # in what the model gave as its reasons
        return _refused(row, problem, f"{problem}: {type(error).__name__}: {error}")
    if len(value) > MOST_RECORD_BYTES:
        too_many = f"a record of {len(value)} bytes, more than the {MOST_RECORD_BYTES} that a topic takes"
        return _refused(row, problem, f"{problem}: {too_many}")
    return _Made(SCORED, str(row["id"]).encode(), value)


def _refused(row: Mapping[str, Any], field: str, reason: str) -> _Made:
    """The record of an event that keeps the contract and that is not scored."""
    return _Made(REJECTED, row["key"], row["text"].encode(), row["source"], field, reason)


def _scored(row: Mapping[str, Any], decision: Decision, now: str) -> bytes:
    # The event's own text stays as it is, so that money and unknown fields are what their sender wrote.
    added = orjson.dumps(
        {
            "event_time": row["event_time"],
            "prediction": decision.prediction,
            "score": decision.score,
            "threshold": decision.threshold,
            "model_version": decision.model_version,
            "scored_at": now,
            "reasons": decision.reasons,
            "source": orjson.Fragment(row["source"]),
        }
    )
    text: str = row["text"]
    return text[: text.rindex("}")].encode() + b"," + added[1:]
