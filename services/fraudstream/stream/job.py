"""The scoring query, kept running through failures of the parts it depends on and of single records."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from kafka import TopicPartition
from pyspark.sql import functions as F

from fraudstream.core.configuration.settings import Settings, revealed_values
from fraudstream.core.contract.event import plain_event
from fraudstream.core.contract.topics import SCORED, TRANSACTIONS
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.kafka.clients import consumer, spark_sink_options, topic_partitions
from fraudstream.core.kafka.progress import STREAM_GROUP, ProgressReporter, end_offsets
from fraudstream.core.output.text import error_text
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import check_topics, fitting
from fraudstream.core.streaming.health import announce_ready
from fraudstream.spark.lost_sessions import note_lost_session
from fraudstream.spark.narrowing import narrow_deadly
from fraudstream.spark.queries import KeptQuery, QueryLoop
from fraudstream.spark.session import finished_offsets, has_ended, is_idle, open_producer, read_on, worker_options
from fraudstream.stream.champion import await_champion, champion_file
from fraudstream.stream.changeover import Changeover, in_force
from fraudstream.stream.narrowing import Narrowing
from fraudstream.stream.progress import OutputTail, output_ends
from fraudstream.stream.query import PLAIN, Compiling, StreamQuery, add_javascript, refusal
from fraudstream.stream.scorers import scorer_for
from fraudstream.stream.transformations import decide_elsewhere, decide_here

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

# The checkpoint's name, and the query's.
CHECKPOINT = "stream"
QUERY = "scoring"

# Without the transformations, which import pyarrow.
WORKER_MODULES = ("httpx", "fraudstream.stream.scorers")

# So many that Java compiles what each of them goes through; they take a tenth of a second.
_WARM_UP_RECORDS = 2_000

log = structlog.get_logger(__name__)


def start(spark: SparkSession, settings: Settings, query: StreamQuery = PLAIN) -> StreamingQuery:
    """Start the scoring query from its checkpoint, which is the same for both triggers.

    Raises :class:`CheckpointMisfit` where the topic no longer holds what it would read next,
    :class:`BrokerUnavailable`.
    """
    checkpoint, topics = fitting(settings, CHECKPOINT, query.topics)
    at_most = settings.max_events_per_batch if settings.trigger == "microbatch" else None
    records = read_on(spark, settings, checkpoint, topics, at_most)
    writer = (
        decided(records, settings, query)
        .writeStream.queryName(QUERY)
        .format("kafka")
        .options(**spark_sink_options(settings))
        .option("checkpointLocation", str(checkpoint.folder))
    )
    if settings.trigger == "realtime":
        return writer.outputMode("update").trigger(**_real_time(settings)).start()
    return writer.trigger(processingTime=f"{int(settings.trigger_interval_seconds * 1000)} milliseconds").start()


def _real_time(settings: Settings) -> dict[str, Any]:
    # A dictionary, because PySpark's stubs lack this trigger.
    return {"realTime": f"{settings.realtime_checkpoint_seconds} seconds"}


def decided(records: DataFrame, settings: Settings, query: StreamQuery = PLAIN) -> DataFrame:
    """The records that come out, as the query has it, scored where the settings say."""
    if not query.scores:
        return decide_here(records, None, query.file)
    if settings.scoring == "embedded":
        return decide_here(records, champion_file(settings), query.file)
    config = orjson.dumps(revealed_values(settings)).decode()
    return decide_elsewhere(records, lambda: scorer_for(config), query.file)


def warm_up(spark: SparkSession, settings: Settings, value: bytes, count: int = 1, query: StreamQuery = PLAIN) -> None:
    """Take records with this value through the transformations, so that the first real ones find them compiled."""
    record = spark.range(count).select(
        F.lit(TRANSACTIONS).alias("topic"),
        F.lit(0).alias("partition"),
        F.lit(0).cast("bigint").alias("offset"),
        F.current_timestamp().alias("timestamp"),
        F.lit(b"").alias("key"),
        F.lit(value).alias("value"),
    )
    decided(record, settings, query).collect()


def _warm_up_scoring(spark: SparkSession, settings: Settings, query: StreamQuery) -> None:
    """Score a plain event and open a producer: the first event would wait for the champion's trees and for Kafka's
    client.

    What fails here fails again where the query keeps running through it. Functions in Python are not called: nobody has
    sent these events.
    """
    try:
        if not query.has_python:
            warm_up(spark, settings, orjson.dumps(plain_event()), _WARM_UP_RECORDS, query)
        open_producer(spark, settings, SCORED)
    except Exception as error:
        log.info("not_warmed_up", reason=error_text(error))


def run(spark: SparkSession, settings: Settings, stop: threading.Event, compiling: Compiling | None = None) -> None:
    """Run until ``stop``. A batch that fails is tried again from the checkpoint: delayed, never lost.

    Raises :class:`QueryError` for a query that cannot be run, at its place in the file.
    """
    query = (compiling or Compiling()).result(settings)
    add_javascript(spark, query)
    try:
        warm_up(spark, settings, b"{}", query=query)
    except Exception as error:
        if (refused := refusal(error, query)) is not None:
            raise refused from None
        raise
    if settings.scoring == "embedded" and query.scores:
        announce_ready()
        await_champion(settings, stop)
        if not stop.is_set() and in_force(settings).scoring == "embedded":
            _warm_up_scoring(spark, settings, query)
    reporter = ProgressReporter(settings, STREAM_GROUP)
    queries = [kept(spark, settings, query), *_windows(spark, settings, query)]
    if any(other.reported for other in queries[1:]):
        # What is scored comes out of the windows: the job is as far as they are.
        queries[0] = replace(queries[0], reported=False)
    QueryLoop(queries, reporter, stop, session_ended=partial(has_ended, spark)).run()


def _windows(spark: SparkSession, settings: Settings, query: StreamQuery) -> list[KeptQuery]:
    if query.compiled is None or not query.compiled.has_windows:
        return []
    from fraudstream.stream.windows import kept_windows

    return [kept_windows(spark, settings, query.compiled)]


def kept(spark: SparkSession, settings: Settings, query: StreamQuery = PLAIN) -> KeptQuery:
    """The scoring query as it is kept running: under the settings, or as its champion has to be scored."""
    scoring = _Scoring(spark, settings, query)
    return KeptQuery(
        QUERY,
        scoring.start,
        finished=lambda running: scoring.progress.finished(running),
        settled=lambda running: scoring.progress.settled(running),
        idle=lambda running: scoring.progress.idle(running),
        narrow=scoring.narrowing.narrow,
        check=lambda _: _check(spark, scoring.running, query),
        is_current=scoring.is_current,
        session_lost=partial(note_lost_session, settings, CHECKPOINT),
        has_begun=lambda running: _has_begun(scoring.running, running),
    )


class _Scoring:
    """The query that runs, the settings that it was started with, and its progress."""

    def __init__(self, spark: SparkSession, settings: Settings, query: StreamQuery) -> None:
        self._spark = spark
        self._settings = settings
        self._compiled = query
        self._query: StreamingQuery | None = None
        self._folder = Path()
        self._changeover = Changeover(settings, CHECKPOINT)
        self.running = settings
        self.progress = _progress(settings, query)
        self.narrowing = Narrowing(spark, settings, lambda records: decided(records, self.running, query))

    def start(self) -> StreamingQuery:
        """Raises as :func:`start` does."""
        changed = self._in_force()
        if changed.trigger != self.running.trigger:
            self.progress.end()
            self.progress = _progress(changed, self._compiled)
        self.running = changed
        narrow_deadly(self._settings, CHECKPOINT, self.narrowing.narrow)
        self.progress.expect()
        self._query = start(self._spark, changed, self._compiled)
        self._folder = Checkpoint.of(self._settings, CHECKPOINT).folder
        self.progress.begin()
        return self._query

    def _in_force(self) -> Settings:
        """Raises :class:`QueryError` where the champion has no trees, and the service cannot answer the query."""
        if not self._compiled.scores:
            return self._settings
        changed = in_force(self._settings)
        if changed.scoring == "remote":
            self._compiled.require_remote()
        return changed

    def is_current(self) -> bool:
        """Whether the query's checkpoint is the one in use, and its champion is scored where the query has it scored.

        Raises :class:`CheckpointMisfit`.
        """
        if self._folder != Checkpoint.of(self._settings, CHECKPOINT).folder:
            return False
        if not self._compiled.scores:
            return True
        return not self._changeover.is_due(self.running, lambda: self._query is None or is_idle(self._query))


def _progress(settings: Settings, query: StreamQuery) -> _RealTime | _MicroBatches:
    return _RealTime(settings, query) if settings.trigger == "realtime" else _MicroBatches(settings)


def _has_begun(settings: Settings, query: StreamingQuery) -> bool:
    """Whether the query takes records: in real-time mode its first batch, planned for a second, lasts for minutes."""
    if settings.trigger != "realtime":
        return True
    is_active: bool = query.status["isTriggerActive"]
    return is_active


def _check(spark: SparkSession, settings: Settings, query: StreamQuery) -> None:
    """Raise where the running query's topic is another one, or has outgrown the session.

    Raises :class:`CheckpointMisfit`, :class:`RuntimePartError`.
    """
    state = check_topics(settings, CHECKPOINT, query.topics)
    slots = spark.sparkContext.defaultParallelism
    if settings.trigger == "realtime" and not settings.spark_master and state is not None and len(state.ends) > slots:
        # A partition without a slot of its own would wait for ever.
        raise RuntimePartError(
            f"The topic {TRANSACTIONS} has more partitions than slots: {len(state.ends)}, and the session has {slots}. "
            "The job starts anew with more of them."
        )


class _MicroBatches:
    """The progress of a query in micro-batches, as Spark reports it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def expect(self) -> None:
        """A query is about to start."""

    def begin(self) -> None:
        """It has started."""

    def end(self) -> None:
        """No further one will be."""

    def finished(self, query: StreamingQuery) -> Mapping[TopicPartition, int]:
        return finished_offsets(self._settings, CHECKPOINT, query)

    def settled(self, query: StreamingQuery) -> Mapping[TopicPartition, int]:
        return end_offsets(query.lastProgress)

    def idle(self, query: StreamingQuery) -> bool:
        return is_idle(query)


class _RealTime:
    """The progress of a query whose batches run for minutes, read from its outputs."""

    def __init__(self, settings: Settings, query: StreamQuery) -> None:
        self._settings = settings
        self._topics = query.topics
        self._tail: OutputTail | None = None
        self._ends: Mapping[TopicPartition, int] = {}

    def expect(self) -> None:
        self._ends = output_ends(self._settings, self._topics)

    def begin(self) -> None:
        if self._tail is not None:
            self._tail.close()
        done = Checkpoint.of(self._settings, CHECKPOINT).committed()
        self._tail = OutputTail(self._settings, done, self._ends, self._topics)

    def end(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def finished(self, _: StreamingQuery) -> Mapping[TopicPartition, int]:
        if self._tail is None:
            return {}
        self._tail.pass_committed(Checkpoint.of(self._settings, CHECKPOINT).committed())
        return self._tail.offsets()

    def settled(self, _: StreamingQuery) -> Mapping[TopicPartition, int]:
        return Checkpoint.of(self._settings, CHECKPOINT).committed()

    def idle(self, _: StreamingQuery) -> bool:
        return self._tail is not None and self._tail.has_caught_up


def session_options(settings: Settings) -> dict[str, str]:
    """Further session options: in real-time mode each partition's task needs a slot of its own.

    Workers in Python start with the first champion that is scored elsewhere.
    """
    workers = worker_options(WORKER_MODULES)
    if settings.trigger == "microbatch" or settings.spark_master:
        return workers
    reader = consumer(settings)
    try:
        partitions = len(topic_partitions(reader, (TRANSACTIONS,)))
    finally:
        reader.close()
    return workers | {"spark.master": f"local[{max(partitions, settings.topic_partitions) + 1}]"}
