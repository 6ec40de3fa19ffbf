"""The scoring query and the loop that keeps it running through failures of the parts it depends on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from kafka import TopicPartition
from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F

from fraudstream.core.kafka import consumer, spark_options, topic_partitions
from fraudstream.core.progress import STREAM_GROUP, ProgressReporter, announce_ready, end_offsets
from fraudstream.core.settings import Settings, revealed_values
from fraudstream.core.spark import failure_reason, read_topics, worker_options
from fraudstream.core.topics import TRANSACTIONS
from fraudstream.stream.champion import ChampionFollower, champion_file
from fraudstream.stream.progress import OutputTail
from fraudstream.stream.scorers import scorer_for
from fraudstream.stream.transformations import decide_elsewhere, decide_here

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

_PROGRESS_SECONDS = 1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0

# Without the transformations, which import pyarrow.
WORKER_MODULES = ("httpx", "fraudstream.stream.scorers")

log = structlog.get_logger(__name__)


def start(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the scoring query from its checkpoint, which is the same for both triggers."""
    records = read_topics(
        spark,
        settings,
        TRANSACTIONS,
        at_most=settings.max_events_per_batch if settings.trigger == "microbatch" else None,
    )
    writer = (
        decided(records, settings)
        .writeStream.queryName("scoring")
        .format("kafka")
        .options(**spark_options(settings))
        .option("kafka.acks", "all")
        .option("kafka.max.request.size", 4 * 1024 * 1024)
        .option("checkpointLocation", str((settings.data_dir / "checkpoints" / "stream").absolute()))
    )
    if settings.trigger == "realtime":
        return writer.outputMode("update").trigger(**_real_time(settings)).start()
    return writer.trigger(processingTime=f"{int(settings.trigger_interval_seconds * 1000)} milliseconds").start()


def _real_time(settings: Settings) -> dict[str, Any]:
    # As keywords in a dictionary: PySpark's own stubs do not know this trigger yet.
    return {"realTime": f"{settings.realtime_checkpoint_seconds} seconds"}


def decided(records: DataFrame, settings: Settings) -> DataFrame:
    """The records that come out, scored where the settings say."""
    if settings.scoring == "embedded":
        return decide_here(records, champion_file(settings))
    config = orjson.dumps(revealed_values(settings)).decode()
    return decide_elsewhere(records, lambda: scorer_for(config))


def warm_up(spark: SparkSession, settings: Settings) -> None:
    """Take a rejected record through the transformations, so that the first real batch finds all of it compiled."""
    record = spark.range(1).select(
        F.lit(TRANSACTIONS).alias("topic"),
        F.lit(0).alias("partition"),
        F.lit(0).cast("bigint").alias("offset"),
        F.current_timestamp().alias("timestamp"),
        F.lit(b"").alias("key"),
        F.lit(b"{}").alias("value"),
    )
    decided(record, settings).collect()


def run(spark: SparkSession, settings: Settings, stop: threading.Event) -> None:
    """Run until ``stop``. A batch that fails is tried again from the checkpoint: delayed, never lost."""
    reporter = ProgressReporter(settings, STREAM_GROUP)
    pause = _FIRST_PAUSE_SECONDS
    warm_up(spark, settings)
    if settings.scoring == "embedded":
        announce_ready()
        _await_champion(settings, stop)
    while not stop.is_set():
        query = start(spark, settings)
        announce_ready()
        log.info("query_started", query="scoring", scoring=settings.scoring, trigger=settings.trigger)
        progress = _progress_of(query, settings)
        seen = progress()
        try:
            while not stop.is_set() and not query.awaitTermination(_PROGRESS_SECONDS):
                if (offsets := progress()) != seen:
                    pause, seen = _FIRST_PAUSE_SECONDS, offsets
                reporter.commit(offsets)
        except StreamingQueryException as error:
            log.warning("query_failed", query="scoring", reason=failure_reason(error), retry_in_seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        finally:
            query.stop()
    reporter.close()


def _progress_of(query: StreamingQuery, settings: Settings) -> Callable[[], dict[TopicPartition, int]]:
    """A function that says up to which offsets the query has processed its input."""
    if settings.trigger == "microbatch":
        return lambda: end_offsets(query.lastProgress)
    return OutputTail(settings).offsets


def session_options(settings: Settings) -> dict[str, str]:
    """What the session needs beside the usual: in real-time mode each partition's task holds a slot all the time."""
    if settings.trigger == "microbatch":
        return worker_options(WORKER_MODULES)
    if settings.spark_master:
        return {}
    reader = consumer(settings)
    try:
        partitions = len(topic_partitions(reader, (TRANSACTIONS,)))
    finally:
        reader.close()
    return {"spark.master": f"local[{max(partitions, settings.topic_partitions) + 1}]"}


def _await_champion(settings: Settings, stop: threading.Event) -> None:
    """Follow the champion from here on; returns once there is one (or at ``stop``)."""
    follower = ChampionFollower(settings)
    threading.Thread(target=follower.follow, args=(stop,), name="champion", daemon=True).start()
    while not follower.has_champion and not stop.wait(_FIRST_PAUSE_SECONDS):
        pass
