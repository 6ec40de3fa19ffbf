"""What Python workers are given at once is bounded by bytes, not by rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

EVENTS, BYTES = 200, 850_000


def test_a_burst_of_large_events_reaches_a_worker_in_parts(spark: SparkSession) -> None:
    def sizes(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_pydict({"rows": [batch.num_rows], "bytes": [batch.nbytes]})

    burst = spark.range(0, EVENTS, numPartitions=1).select(F.expr(f"repeat('x', {BYTES})").alias("text"))
    parts = burst.mapInArrow(sizes, "rows LONG, bytes LONG").collect()
    assert sum(row["rows"] for row in parts) == EVENTS
    assert max(row["bytes"] for row in parts) < 20_000_000


def test_ordinary_events_go_together(spark: SparkSession) -> None:
    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"batches": [sum(1 for _ in batches)]})

    events = spark.range(0, 20_000, numPartitions=1).select(F.expr("repeat('x', 600)").alias("text"))
    (row,) = events.mapInArrow(count, "batches LONG").collect()
    assert row["batches"] == 1
