"""The store job's two queries: their names, which their checkpoints have too, and how to start them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fraudstream.core.streaming.checkpoints import Checkpoint

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

DOCUMENTS = "documents"
ROLLUPS = "rollups"


def start_batches(
    rows: DataFrame, write_batch: Callable[[DataFrame, int], None], checkpoint: Checkpoint, interval_seconds: float
) -> StreamingQuery:
    """Start a query that calls ``write_batch`` with each batch and its number."""
    return (
        rows.writeStream.queryName(checkpoint.query)
        .outputMode("update")
        .foreachBatch(write_batch)
        .option("checkpointLocation", str(checkpoint.folder))
        .trigger(processingTime=f"{int(interval_seconds * 1000)} milliseconds")
        .start()
    )
