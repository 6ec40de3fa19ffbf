"""Records of `transactions` → records of `scored` and `rejected`: one definition for every trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fraudstream.core.event import FEATURES
from fraudstream.core.topics import REJECTED, SCORED
from fraudstream.core.validation import validate
from fraudstream.stream.scorers import Scorer, score_rows

# Rejected values are kept whole up to the first size and cut to the second beyond it: the record itself stays in
# its topic, and a document must stay far below Cosmos DB's 2 MB.
_WHOLE_RAW_BYTES = 256 * 1024
_CUT_RAW_BYTES = 64 * 1024

_ISO = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"

_DECISION_SCHEMA = (
    "prediction INT, score DOUBLE, threshold DOUBLE, model_version STRING, "
    "scored_at STRING, reasons STRING, refusal STRING"
)
_CARRIED_SCHEMA = "key BINARY, text STRING, event_key STRING, event_time STRING, source STRING, rejected STRING"


def decide(records: DataFrame, scorer_factory: Callable[[], Scorer]) -> DataFrame:
    """Kafka source records → ``topic``, ``key``, ``value`` for the Kafka sink; every record comes out exactly once.

    ``records`` has the Kafka source's columns. ``scorer_factory`` is called in the Python worker that scores.
    """
    return _routed(scored(prepared(records), scorer_factory))


def prepared(records: DataFrame) -> DataFrame:
    """Validated records: the features of the good ones (null for the others), the finished JSON of the rejected."""
    checked = validate(records)
    source = F.to_json(F.struct("topic", "partition", "offset", F.date_format("timestamp", _ISO).alias("enqueued_at")))
    good = F.col("reason").isNull()
    return checked.select(
        F.col("key"),
        F.when(good, F.rtrim("text", F.lit(" \t\r\n"))).alias("text"),
        F.when(good, F.col("event.id").cast("string")).alias("event_key"),
        F.date_format("event_time", "yyyy-MM-dd'T'HH:mm:ss'Z'").alias("event_time"),
        source.alias("source"),
        F.when(~good, _rejection(F.col("reason"), F.col("field"), F.col("value"), source)).alias("rejected"),
        *(F.when(good, F.col(f"event.{name}")).alias(name) for name in FEATURES),
    )


def scored(rows: DataFrame, scorer_factory: Callable[[], Scorer]) -> DataFrame:
    """Prepared rows with the decision's columns; ``refusal`` says why the model refused a row."""

    def score_partition(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer: Scorer | None = None
        for batch in batches:
            good = batch.filter(batch.column("rejected").is_null())
            if scorer is None and good.num_rows:
                scorer = scorer_factory()
            columns = {name: good.column(name).to_pylist() for name in FEATURES}
            decisions = score_rows(scorer, columns, good.num_rows) if scorer else []
            yield _with_decisions(batch, decisions)

    return rows.mapInArrow(score_partition, f"{_CARRIED_SCHEMA}, {_DECISION_SCHEMA}")


def _with_decisions(batch: pa.RecordBatch, decisions: list[Any]) -> pa.RecordBatch:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pending = iter(decisions)
    rows = [next(pending) if accepted else None for accepted in batch.column("rejected").is_null().to_pylist()]

    def values(of: Callable[[Any], Any]) -> list[Any]:
        return [None if row is None or isinstance(row, str) else of(row) for row in rows]

    carried = batch.select(["key", "text", "event_key", "event_time", "source", "rejected"])
    return pa.RecordBatch.from_arrays(
        [
            *carried.columns,
            pa.array(values(lambda row: row.prediction), pa.int32()),
            pa.array(values(lambda row: row.score), pa.float64()),
            pa.array(values(lambda row: row.threshold), pa.float64()),
            pa.array(values(lambda row: row.model_version), pa.string()),
            pa.array(values(lambda _: now), pa.string()),
            pa.array(values(lambda row: orjson.dumps(list(row.reasons)).decode()), pa.string()),
            pa.array([row if isinstance(row, str) else None for row in rows], pa.string()),
        ],
        names=[*carried.schema.names, *(part.split()[0] for part in _DECISION_SCHEMA.split(", "))],
    )


def _routed(rows: DataFrame) -> DataFrame:
    refused = F.col("refusal").isNotNull()
    rejection = F.when(
        refused, _rejection(F.col("refusal"), F.lit("value"), F.col("text").cast("binary"), F.col("source"))
    ).otherwise(F.col("rejected"))
    return rows.select(
        F.when(rejection.isNull(), F.lit(SCORED)).otherwise(F.lit(REJECTED)).alias("topic"),
        F.when(rejection.isNull(), F.col("event_key").cast("binary")).otherwise(F.col("key")).alias("key"),
        F.coalesce(rejection, _scored_json()).cast("binary").alias("value"),
    )


def _scored_json() -> Column:
    # The event's own text stays as it is, so that money and unknown fields are what their sender wrote.
    decision = F.to_json(F.struct("event_time", "prediction", "score", "threshold", "model_version", "scored_at"))
    return F.concat(
        F.expr("substring(text, 1, length(text) - 1)"),
        F.lit(","),
        decision.substr(F.lit(2), F.length(decision) - 2),
        F.lit(',"reasons":'),
        F.col("reasons"),
        F.lit(',"source":'),
        F.col("source"),
        F.lit("}"),
    )


def _rejection(reason: Column, field: Column, value: Column, source: Column) -> Column:
    size = F.coalesce(F.octet_length(value), F.lit(0))
    kept = F.when(size <= _WHOLE_RAW_BYTES, value).otherwise(F.substring(value, 1, _CUT_RAW_BYTES))
    now = F.date_format(F.current_timestamp(), _ISO)
    known = F.to_json(
        F.struct(
            reason.alias("reason"),
            field.alias("field"),
            F.translate(F.base64(F.coalesce(kept, F.lit(b""))), "\r\n", "").alias("raw_base64"),
            size.alias("raw_bytes"),
            F.sha2(F.coalesce(value, F.lit(b"")), 256).alias("raw_sha256"),
            F.col("key").cast("string").alias("key"),
            now.alias("rejected_at"),
        )
    )
    return F.concat(
        F.expr("''"),
        F.substring(known, 1, 2**30).substr(F.lit(1), F.length(known) - 1),
        F.lit(',"source":'),
        source,
        F.lit("}"),
    )
