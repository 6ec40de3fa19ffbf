"""The event contract in Spark: records with a binary value → their events, or the reason why they are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fraudstream.spark.functions import DIMENSION_COLUMNS, read_event

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def validate(records: DataFrame, decided: Column | bool = False) -> DataFrame:
    """Add ``event``, ``event_time``, ``reason``, ``field``, ``prediction`` and ``enqueued_at`` to the records.

    ``reason`` is null for a valid event; otherwise it starts with the name in ``field``. ``event`` holds the fields
    that have a role, named by it: ``id``, ``amount``, ``label`` (0 or 1), and those of
    :data:`~fraudstream.spark.functions.DIMENSION_COLUMNS`. Events that carry a decision already (``decided``, for all
    records or for each) may be larger and have the decision's fields, of which ``prediction`` and the source's
    ``enqueued_at`` (a timestamp) come along.
    """
    from pyspark.sql import functions as F

    carries = F.lit(decided) if isinstance(decided, bool) else decided
    read = records.withColumn("_read", read_event(records.sparkSession, F.col("value"), carries))
    return read.select(
        *records.columns,
        F.struct(*(F.col(f"_read.{name}") for name in ("id", "amount", "label", *DIMENSION_COLUMNS.values()))).alias(
            "event"
        ),
        F.timestamp_micros("_read.event_micros").alias("event_time"),
        F.col("_read.reason").alias("reason"),
        F.col("_read.field").alias("field"),
        F.col("_read.prediction").alias("prediction"),
        F.try_to_timestamp("_read.enqueued_at").alias("enqueued_at"),
    )
