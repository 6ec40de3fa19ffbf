"""The two queries of the store job and the loop that keeps them running."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import structlog
from pymongo.database import Database
from pyspark.errors import StreamingQueryException

from fraudstream.core import documents
from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.logs import configure_logging
from fraudstream.core.progress import STORE_GROUP, ProgressReporter, announce_ready
from fraudstream.core.settings import Settings, load_settings, revealed_values
from fraudstream.core.spark import failure_reason, read_topics, worker_options
from fraudstream.core.throttling import WriteLimits
from fraudstream.core.topics import LABELS, REJECTED, SCORED
from fraudstream.store.records import Record
from fraudstream.store.rollups import SESSION_OPTIONS, counted, rolled_up, write_rollups
from fraudstream.store.writer import CHUNK, DocumentWriter

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

_PROGRESS_SECONDS = 1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
# One writer a core: more only queue at the store.
_WRITERS = 2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Without this module, which imports pyarrow.
WORKER_MODULES = ("fraudstream.store.records", "fraudstream.store.writer")

log = structlog.get_logger(__name__)


def start_documents(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the query that writes a document for each record of `scored`, `labels` and `rejected`."""
    config = orjson.dumps(revealed_values(settings)).decode()

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writer = DocumentWriter(_database(config), WriteLimits.of(_settings(config)))
        _collect_between_tasks_only()
        writer.write((record for batch in batches for record in _records(batch)), datetime.now(UTC))
        # Nothing to tell; making an Arrow array of Python's values would import pandas.
        return iter(())

    def write_batch(rows: DataFrame, _: int) -> None:
        columns = rows.select("topic", "partition", "offset", "timestamp", "key", "value")
        columns.coalesce(_WRITERS).mapInArrow(write, "written BIGINT").collect()
        DocumentWriter(_database(config), WriteLimits.of(settings)).prune_alerts()

    return _start(
        read_topics(spark, settings, SCORED, LABELS, REJECTED, at_most=settings.max_records_per_write),
        write_batch,
        settings,
        "documents",
        settings.store_interval_seconds,
    )


def start_rollups(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the query that keeps the rollups' state and upserts what changed."""
    config = orjson.dumps(revealed_values(settings)).decode()

    def write_batch(rows: DataFrame, _: int) -> None:
        write_rollups(_database(config), rows.collect(), datetime.now(UTC), WriteLimits.of(settings))

    events = counted(read_topics(spark, settings, SCORED, LABELS, at_most=settings.max_events_per_batch))
    return _start(
        rolled_up(events, settings.rollup_watermark_seconds),
        write_batch,
        settings,
        "rollups",
        settings.rollup_interval_seconds,
    )


def run(spark: SparkSession, settings: Settings, stop: threading.Event) -> None:
    """Run both queries until ``stop``. A batch that fails is tried again: every write is idempotent."""
    prepare_store(settings, stop)
    reporter = ProgressReporter(settings, STORE_GROUP)
    starts = {"documents": start_documents, "rollups": start_rollups}
    queries: dict[str, StreamingQuery] = {}
    pauses = dict.fromkeys(starts, _FIRST_PAUSE_SECONDS)
    while not stop.is_set():
        for name, start in starts.items():
            # Documents first: training waits for them, and nothing waits for the rollups of its history.
            held_back = name == "rollups" and not _has_caught_up(queries.get("documents"))
            if name not in queries and not held_back:
                queries[name] = start(spark, settings)
                log.info("query_started", query=name)
        announce_ready()
        for name, query in list(queries.items()):
            try:
                ended = query.awaitTermination(_PROGRESS_SECONDS)
            except StreamingQueryException as error:
                ended = True
                log.warning("query_failed", query=name, reason=failure_reason(error), retry_in_seconds=pauses[name])
            if ended:
                del queries[name]
                stop.wait(pauses[name])
                pauses[name] = min(pauses[name] * 2, _LONGEST_PAUSE_SECONDS)
            elif (progress := query.lastProgress) is not None:
                pauses[name] = _FIRST_PAUSE_SECONDS
                if name == "documents":
                    reporter.report(progress)
    for query in queries.values():
        query.stop()
    reporter.close()


def _has_caught_up(documents_query: StreamingQuery | None) -> bool:
    """Whether the query has finished a batch and waits for more, or has seen that there is nothing to do."""
    if documents_query is None or documents_query.lastProgress is None:
        return False
    return not documents_query.status["isDataAvailable"]


def session_options(_: Settings) -> dict[str, str]:
    """What the session needs beside the usual."""
    # Small ones: the first documents are written while further records are read.
    arrow = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(CHUNK)}
    return SESSION_OPTIONS | arrow | worker_options(WORKER_MODULES)


def prepare_store(settings: Settings, stop: threading.Event) -> None:
    """Create the indexes, waiting for the store as long as it takes (or until ``stop``)."""
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            documents.create_indexes(documents.database(settings))
        except StoreUnavailable as error:
            log.warning("store_unavailable", reason=str(error), retry_in_seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        else:
            return


def _start(
    rows: DataFrame,
    write_batch: Callable[[DataFrame, int], None],
    settings: Settings,
    name: str,
    interval_seconds: float,
) -> StreamingQuery:
    checkpoint = settings.data_dir / "checkpoints" / name
    return (
        rows.writeStream.queryName(name)
        .outputMode("update")
        .foreachBatch(write_batch)
        .option("checkpointLocation", str(checkpoint.absolute()))
        .trigger(processingTime=f"{int(interval_seconds * 1000)} milliseconds")
        .start()
    )


@cache
def _database(config: str) -> Database[documents.Document]:
    # A worker is a process of its own, which inherits nothing of the job's.
    configure_logging("store", _settings(config).log_level)
    return documents.database(_settings(config))


@cache
def _collect_between_tasks_only() -> None:
    # Spark's worker collects garbage after each task; within one, tens of thousands of documents without a cycle would
    # be gone through again and again. What was imported by now is left alone for good.
    gc.freeze()
    gc.disable()


@cache
def _settings(config: str) -> Settings:
    return load_settings(**orjson.loads(config))


def _records(batch: pa.RecordBatch) -> Iterator[Record]:
    topics, keys, values = (batch.column(name).to_pylist() for name in ("topic", "key", "value"))
    partitions, offsets = (batch.column(name).to_pylist() for name in ("partition", "offset"))
    for row, stamp in enumerate(batch.column("timestamp").cast("int64").to_pylist()):
        # Microseconds; adding them to a moment keeps each, where a float would not.
        at = _EPOCH + timedelta(microseconds=stamp)
        yield Record(topics[row], partitions[row], offsets[row], at, keys[row], values[row] or b"")
