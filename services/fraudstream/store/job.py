"""The two queries of the store job, kept running."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import structlog
from kafka import TopicPartition
from pymongo.database import Database

from fraudstream.core.configuration.settings import Settings, load_settings, revealed_values
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.errors import FraudstreamError, StoreUnavailable
from fraudstream.core.kafka.clients import consumer
from fraudstream.core.kafka.progress import STORE_GROUP, ProgressReporter, end_offsets
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.retry import Backoff
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import QUERIES, TopicState, check_topics, fitting
from fraudstream.core.streaming.health import Failing, announce_failing
from fraudstream.spark.failures import Failure, failure_of
from fraudstream.spark.lost_sessions import note_lost_session
from fraudstream.spark.narrowing import Suspect, narrow_deadly, narrow_down, read_record
from fraudstream.spark.probing import Range
from fraudstream.spark.queries import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, KeptQuery, QueryLoop
from fraudstream.spark.session import finished_offsets, has_ended, is_idle, read_on, read_ranges, worker_options
from fraudstream.store.aside import Withdrawals
from fraudstream.store.batches import DOCUMENTS, ROLLUPS, start_batches
from fraudstream.store.records import Record, rejection
from fraudstream.store.rollup_query import RollupQuery
from fraudstream.store.rollups import SESSION_OPTIONS
from fraudstream.store.withdrawals import write_withdrawals
from fraudstream.store.writer import CHUNK, CHUNK_BYTES, DocumentWriter

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

# Documents that are at most so far behind have caught up.
_CAUGHT_UP_SECONDS = 15.0
_REBUILD = "`fraudstream recover store --rebuild-rollups` counts the rollups anew from the documents."

# One writer a core: more only queue at the store.
_WRITERS = 2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a worker imports ahead; not this module, which imports pyarrow.
WORKER_MODULES = ("fraudstream.store.records", "fraudstream.store.aside", "fraudstream.store.writer")

log = structlog.get_logger(__name__)


class _Documents:
    """The query that writes a document for each record of `scored`, `labels` and `rejected`."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        self._database = documents.database(settings)
        self._checked_at, self._checked_ends = 0.0, dict[TopicPartition, int]()
        self.folder = Path()

    def has_caught_up(self, query: StreamingQuery | None) -> bool:
        """Whether it has written what the topics held at the last check: under steady traffic some always wait."""
        if query is None or query.lastProgress is None:
            return False
        if not query.status["isDataAvailable"]:
            return True
        now, done, ends = time.monotonic(), end_offsets(query.lastProgress), self._checked_ends
        if now - self._checked_at < _CAUGHT_UP_SECONDS:
            return False
        try:
            topics = TopicState.read(self._settings, QUERIES[DOCUMENTS][1])
            self._checked_at, self._checked_ends = now, dict(topics.ends)
        except FraudstreamError as error:
            # If it persists, the query fails and reports it.
            log.info("not_known_whether_documents_have_caught_up", reason=str(error))
            return False
        return bool(ends) and all(done.get(part, 0) >= end for part, end in ends.items())

    def start(self) -> StreamingQuery:
        """Raises :class:`CheckpointMisfit`, :class:`BrokerUnavailable`."""
        settings = self._settings
        narrow_deadly(settings, DOCUMENTS, self.narrow)
        checkpoint, topics = fitting(settings, DOCUMENTS)
        self.folder, self._checked_ends, self._checked_at = checkpoint.folder, {}, 0.0
        records = read_on(self._spark, settings, checkpoint, topics, settings.max_records_per_write)
        # A part of the query, which Spark analyses once; what the batch's function adds, it analyses with each batch.
        return start_batches(
            self._writing(records), lambda rows, _: self._finish(rows), checkpoint, settings.store_interval_seconds
        )

    def _writing(self, records: DataFrame) -> DataFrame:
        """No rows: their computation writes the records."""
        config = orjson.dumps(revealed_values(self._settings)).decode()

        def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            writer = _writer(_database(config), _settings(config))
            _collect_between_tasks_only()
            writer.write((record for batch in batches for record in _records(batch)), datetime.now(UTC))
            # No rows as the answer: an Arrow array of Python's values would import pandas.
            return iter(())

        columns = records.select("topic", "partition", "offset", "timestamp", "key", "value")
        return columns.coalesce(_WRITERS).mapInArrow(write, "written BIGINT")

    def _finish(self, writing: DataFrame) -> None:
        writing.collect()
        DocumentWriter(self._database, WriteLimits.of(self._settings)).prune_alerts()

    def narrow(self, failure: Failure) -> bool:
        """Write the failing batch in parts; see :func:`narrow_down`."""
        return narrow_down(self._settings, DOCUMENTS, self._process, self._set_aside, failure)

    def _process(self, ranges: list[Range], polled: int | None) -> None:
        self._finish(self._writing(read_ranges(self._spark, self._settings, ranges, polled)))

    def _set_aside(self, suspects: list[Suspect]) -> None:
        reader, now = consumer(self._settings), datetime.now(UTC)
        try:
            records = [_record(suspect, read_record(reader, suspect)) for suspect in suspects]
        finally:
            reader.close()
        writer = _writer(self._database, self._settings)
        writer.reject([_set_aside(*pair, now) for pair in zip(suspects, records, strict=True)])
        writer.withdraw([record for record in records if record is not None], now)


def run(spark: SparkSession, settings: Settings, stop: threading.Event) -> None:
    """Run both queries until ``stop``. A batch that fails is tried again: every write is idempotent."""
    prepare_store(settings, stop)
    written, rolled = _Documents(spark, settings), RollupQuery(spark, settings)
    loop: QueryLoop

    def documents_have_caught_up() -> bool:
        # Training waits for documents; nothing waits for the rollups of the history.
        return written.has_caught_up(loop.running(DOCUMENTS))

    def kept(name: str, query: _Documents | RollupQuery, **options: Any) -> KeptQuery:
        return KeptQuery(
            name,
            query.start,
            finished=partial(finished_offsets, settings, name),
            settled=lambda query: end_offsets(query.lastProgress),
            idle=is_idle,
            narrow=query.narrow,
            check=lambda _: check_topics(settings, name),
            is_current=lambda: query.folder == Checkpoint.of(settings, name).folder,
            session_lost=partial(note_lost_session, settings, name),
            **options,
        )

    queries = [
        kept(DOCUMENTS, written),
        kept(ROLLUPS, rolled, may_start=documents_have_caught_up, reported=False, advice=_REBUILD),
    ]
    reporter = ProgressReporter(settings, STORE_GROUP)
    loop = QueryLoop(queries, reporter, stop, session_ended=partial(has_ended, spark))
    loop.run()


def _record(suspect: Suspect, read: Any) -> Record | None:
    """Kafka's record as ours; None where it cannot be read."""
    if read is None:
        return None
    at = _EPOCH + timedelta(milliseconds=read.timestamp)
    place = suspect.partition
    return Record(place.topic, place.partition, suspect.offset, at, read.key, read.value or b"")


def _set_aside(suspect: Suspect, record: Record | None, now: datetime) -> documents.Document:
    """The document of `rejected` for a record that cannot be written; ``record`` is None where it cannot be read."""
    place = suspect.partition
    source = {"topic": place.topic, "partition": place.partition, "offset": suspect.offset}
    verb = "written" if record is not None else "read"
    raw, at = (record.value, record.timestamp) if record is not None else (b"", now)
    return rejection(f"cannot be {verb}: {suspect.failure.reason}", raw, source, at, None, now)


def _writer(database: Database[documents.Document], settings: Settings) -> DocumentWriter:
    def withdraw(records: Sequence[Record]) -> None:
        write_withdrawals(Checkpoint.of(settings, ROLLUPS).withdrawn, records)

    withdrawals = Withdrawals(withdraw, settings.rollup_watermark_seconds)
    return DocumentWriter(database, WriteLimits.of(settings), withdrawals)


def session_options(_: Settings) -> dict[str, str]:
    """Options of the Spark session that this job adds to the usual ones."""
    # Small batches: the first documents are written while further records are read.
    arrow = {
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(CHUNK),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(CHUNK_BYTES),
    }
    return SESSION_OPTIONS | arrow | worker_options(WORKER_MODULES)


def prepare_store(settings: Settings, stop: threading.Event) -> None:
    """Create the indexes; wait for the store until it answers, or until ``stop``."""
    backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    failures, reporter, since = 0, ProgressReporter(settings, STORE_GROUP), datetime.now(UTC)
    while not stop.is_set():
        try:
            documents.create_indexes(documents.database(settings))
        except StoreUnavailable as error:
            failures += 1
            pause = backoff.seconds(failures)
            log.warning("store_unavailable", reason=str(error), retry_in_seconds=pause)
            if failures > 1:
                failing = Failing(since, str(error), failure_of(error).advice)
                announce_failing(failing)
                reporter.fail(failing)
            stop.wait(pause)
        else:
            reporter.close()
            return


@cache
def _database(config: str) -> Database[documents.Document]:
    # A worker is a process of its own and does not inherit the job's logging.
    configure_logging("store", _settings(config).log_level)
    return documents.database(_settings(config))


@cache
def _collect_between_tasks_only() -> None:
    # Spark's worker collects garbage after each task. Within a task Python would walk again and again through tens of
    # thousands of documents that have no cycles. Objects that exist by now are never collected.
    gc.freeze()
    gc.disable()


@cache
def _settings(config: str) -> Settings:
    return load_settings(**orjson.loads(config))


def _records(batch: pa.RecordBatch) -> Iterator[Record]:
    topics, keys, values = (batch.column(name).to_pylist() for name in ("topic", "key", "value"))
    partitions, offsets = (batch.column(name).to_pylist() for name in ("partition", "offset"))
    for row, stamp in enumerate(batch.column("timestamp").cast("int64").to_pylist()):
        # Microseconds as a whole number: a float would lose some of them.
        at = _EPOCH + timedelta(microseconds=stamp)
        yield Record(topics[row], partitions[row], offsets[row], at, keys[row], values[row] or b"")
