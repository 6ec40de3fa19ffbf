"""The scoring query and the loop that keeps it running through failures of the parts it depends on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson
import structlog
from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F

from fraudstream.core.kafka import spark_sink_options
from fraudstream.core.progress import STREAM_GROUP, ProgressReporter, announce_ready
from fraudstream.core.settings import Settings, revealed_values
from fraudstream.core.spark import failure_reason, read_topics
from fraudstream.core.topics import TRANSACTIONS
from fraudstream.stream.scorers import scorer_for
from fraudstream.stream.transformations import decide

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

_PROGRESS_SECONDS = 1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0

log = structlog.get_logger(__name__)


def start(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the scoring query from its checkpoint."""
    config = orjson.dumps(revealed_values(settings)).decode()
    return (
        decide(read_topics(spark, settings, TRANSACTIONS), lambda: scorer_for(config))
        .writeStream.queryName("scoring")
        .format("kafka")
        .options(**spark_sink_options(settings))
        .option("checkpointLocation", str((settings.data_dir / "checkpoints" / "stream").absolute()))
        .trigger(processingTime=f"{int(settings.trigger_interval_seconds * 1000)} milliseconds")
        .start()
    )


def warm_up(spark: SparkSession, settings: Settings) -> None:
    """Take a rejected record through the transformations, so that the first real batch finds all of it compiled."""
    config = orjson.dumps(revealed_values(settings)).decode()
    record = spark.range(1).select(
        F.lit(TRANSACTIONS).alias("topic"),
        F.lit(0).alias("partition"),
        F.lit(0).cast("bigint").alias("offset"),
        F.current_timestamp().alias("timestamp"),
        F.lit(b"").alias("key"),
        F.lit(b"{}").alias("value"),
    )
    decide(record, lambda: scorer_for(config)).collect()


def run(spark: SparkSession, settings: Settings, stop: threading.Event) -> None:
    """Run until ``stop``. A batch that fails is tried again from the checkpoint: delayed, never lost."""
    reporter = ProgressReporter(settings, STREAM_GROUP)
    pause = _FIRST_PAUSE_SECONDS
    warm_up(spark, settings)
    while not stop.is_set():
        query = start(spark, settings)
        announce_ready()
        log.info("query_started", query="scoring", scoring=settings.scoring)
        try:
            while not stop.is_set() and not query.awaitTermination(_PROGRESS_SECONDS):
                if (progress := query.lastProgress) is not None:
                    reporter.report(progress)
                    if progress["numInputRows"]:
                        pause = _FIRST_PAUSE_SECONDS
        except StreamingQueryException as error:
            log.warning("query_failed", query="scoring", reason=failure_reason(error), retry_in_seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        finally:
            query.stop()
    reporter.close()
