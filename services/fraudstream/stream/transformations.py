"""Records of `transactions` → records of `scored` and `rejected`: one definition for every trigger."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql import DataFrame

from fraudstream.core.event import FEATURES
from fraudstream.core.jvm import DECIDED_SCHEMA, check_record, decide_record
from fraudstream.core.topics import REJECTED, SCORED
from fraudstream.stream.scorers import Decision, Scorer, score_rows

_CARRIED = ("key", "text", "id", "event_time", "source", "rejected")


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
    return checked.mapInArrow(score_partition, DECIDED_SCHEMA)


def _records(batch: pa.RecordBatch, decisions: list[Decision | str]) -> pa.RecordBatch:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pending = iter(decisions)
    topics, keys, values = [], [], []
    for row in batch.select(list(_CARRIED)).to_pylist():
        if row["rejected"] is not None:
            topic, key, value = REJECTED, row["key"], row["rejected"]
        elif isinstance(decision := next(pending), str):
            topic, key, value = REJECTED, row["key"], _refused(row, decision, now)
        else:
            topic, key, value = SCORED, str(row["id"]).encode(), _scored(row, decision, now)
        topics.append(topic)
        keys.append(key)
        values.append(value)
    return pa.RecordBatch.from_arrays(
        [pa.array(topics, pa.string()), pa.array(keys, pa.binary()), pa.array(values, pa.binary())],
        names=["topic", "key", "value"],
    )


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


def _refused(row: Mapping[str, Any], reason: str, now: str) -> bytes:
    """The record of an event that keeps the contract and that the model refuses."""
    raw = row["text"].encode()
    envelope = {
        "reason": reason,
        "field": reason.split(":", 1)[0],
        "raw_base64": base64.b64encode(raw).decode(),
        "raw_bytes": len(raw),
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "rejected_at": now,
        "source": orjson.Fragment(row["source"]),
    }
    if row["key"] is not None:
        envelope["key"] = row["key"].decode("utf-8", "replace")
    return orjson.dumps(envelope)
