"""Rollups as Spark state: each transaction counted once, in minutes and in totals, by every dimension."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne
from pymongo.database import Database
from pyspark.sql import Column
from pyspark.sql import functions as F

from fraudstream.core.documents import ROLLUPS, Document
from fraudstream.core.rollups import ALL, AMOUNT_BIN, AMOUNT_EDGES, EVENT_DIMENSIONS, HOUR, amount_bins, rollup_id
from fraudstream.core.topics import LABELS, SCORED
from fraudstream.core.validation import validate
from fraudstream.store.records import HISTORY, LIVE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Totals are windows that never end, so that one aggregation serves both and only minutes leave the state.
_NEVER = "2999-01-01 00:00:00"

# Deduplication and aggregation each have a watermark here. Spark takes that only with the engine's former rule,
# one global watermark; it is the older of the two, so that neither operator drops what the other still expects.
SESSION_OPTIONS = {"spark.sql.streaming.statefulOperator.allowMultiple": "false"}


def counted(records: DataFrame) -> DataFrame:
    """Records of `scored` and `labels` → ``origin``, ``id``, ``enqueued_at``, ``fraud``, ``amount``, dimensions."""
    checked = validate(records, decided=True)
    decision = F.from_json(
        F.col("text"), "prediction INT, source STRUCT<enqueued_at: TIMESTAMP>", {"mode": "PERMISSIVE"}
    )
    live = F.col("topic") == SCORED
    labelled = (F.col("topic") == LABELS) & F.col("event.isFraud").isNotNull()
    named = checked.withColumn("decision", F.when(live, decision)).where(
        F.col("reason").isNull() & (labelled | (live & F.col("decision.prediction").isNotNull()))
    )
    return named.select(
        F.when(live, F.lit(LIVE)).otherwise(F.lit(HISTORY)).alias("origin"),
        F.col("event.id").alias("id"),
        F.when(live, F.col("decision.source.enqueued_at")).otherwise(F.col("timestamp")).alias("enqueued_at"),
        F.when(live, F.col("decision.prediction")).otherwise(F.col("event.isFraud")).alias("fraud"),
        F.col("event.amount").alias("amount"),
        *(F.col(f"event.{name}").cast("string").alias(name) for name in EVENT_DIMENSIONS),
        F.hour("event_time").cast("string").alias(HOUR),
        _amount_bin(F.col("event.amount")).alias(AMOUNT_BIN),
    )


def rolled_up(events: DataFrame, watermark_seconds: int) -> DataFrame:
    """Counted events → the state of each (period, start, origin, dimension, value) they touch.

    An id counts once while its first delivery is younger than the watermark, in the broker's time; a delivery
    older than that is dropped, so that replaying a topic changes nothing.
    """
    delay = f"{watermark_seconds} seconds"
    once = events.withWatermark("enqueued_at", delay).dropDuplicatesWithinWatermark(["origin", "id"])
    minute = F.date_trunc("minute", F.col("enqueued_at"))
    periods = F.array(
        _period("minute", minute, minute + F.expr("INTERVAL 1 MINUTE")),
        _period("total", F.lit(None).cast("timestamp"), F.lit(_NEVER).cast("timestamp")),
    )
    dimensions = F.array(
        _dimension(ALL, F.lit(ALL)), *(_dimension(name, F.col(name)) for name in (*EVENT_DIMENSIONS, HOUR, AMOUNT_BIN))
    )
    kept = ["origin", "fraud", "amount"]
    return (
        once.select(*kept, F.explode(periods).alias("window"), dimensions.alias("dimensions"))
        .select(*kept, "window.*", F.explode("dimensions").alias("of"))
        .select(*kept, "period", "start", "end", "of.dimension", "of.value")
        .withWatermark("end", delay)
        .groupBy("period", "start", "end", "origin", "dimension", "value")
        .agg(
            F.count("*").alias("transactions"),
            F.sum("fraud").alias("frauds"),
            F.sum("amount").alias("amount"),
            F.sum(F.when(F.col("fraud") == 1, F.col("amount")).otherwise(0.0)).alias("fraud_amount"),
        )
    )


def write_rollups(db: Database[Document], rows: list[Any], now: datetime) -> None:
    """Replace the documents of the given states. Raises ``PyMongoError``."""
    changes = []
    for row in rows:
        start = row["start"].replace(tzinfo=UTC) if row["start"] else None
        number = rollup_id(row["period"], start, row["origin"], row["dimension"], row["value"])
        content = {name: row[name] for name in ("period", "origin", "dimension", "value")}
        content |= {name: row[name] for name in ("transactions", "frauds", "amount", "fraud_amount")}
        content |= {"updated_at": now} | ({"start": start} if start else {})
        changes.append(ReplaceOne({"_id": number}, content, upsert=True))
    for begin in range(0, len(changes), 1_000):
        db[ROLLUPS].bulk_write(changes[begin : begin + 1_000], ordered=False)


def _period(name: str, start: Column, end: Column) -> Column:
    return F.struct(F.lit(name).alias("period"), start.alias("start"), end.cast("timestamp").alias("end"))


def _dimension(name: str, value: Column) -> Column:
    return F.struct(F.lit(name).alias("dimension"), value.alias("value"))


def _amount_bin(amount: Column) -> Column:
    named = list(zip(AMOUNT_EDGES, amount_bins(), strict=True))
    found = F.lit(named[-1][1])
    for edge, name in reversed([(upper, name) for (upper, _), (_, name) in zip(named[1:], named, strict=False)]):
        found = F.when(amount < edge, F.lit(name)).otherwise(found)
    return found
