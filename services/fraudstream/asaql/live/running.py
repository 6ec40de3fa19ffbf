"""A query that runs on topics: started from its checkpoint, as a streaming query of Spark.

:func:`start_live` starts it, :func:`kept_live` is for a job's loop of queries. A stream job's windows, for example::

    plan = live_plan(project, outputs=("minutes",), answered=("score",))
    binding = LiveBinding([LiveInput("transactions", TRANSACTIONS)], [LiveOutput("minutes", "minutes", "card")])
    hooks = LiveHooks(gate="fraudstream.spark.QueryGate", sets_aside=True, rejected_topic=REJECTED)
    options = LiveOptions("windows", starts=starts_after(checkpoint, topics, ()), hooks=hooks)
    kept_live("windows", lambda: start_live(spark, settings, plan, binding, checkpoint.folder, options))

The gate is a Java class with a constructor without arguments that implements ``fraudstream.query.live.Gate``: bytes →
the event for the query, or null for one that the job rejects elsewhere; and the value of the record of `rejected` for
an event on which an expression failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.asaql.errors import QueryError, QueryStopped
from fraudstream.asaql.live.binding import LiveBinding
from fraudstream.asaql.live.job import LiveOptions, job_text
from fraudstream.asaql.live.plans import LivePlan
from fraudstream.asaql.live.progress import LiveProgress
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable, CheckpointMisfit, FraudstreamError
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.clients import spark_sink_options, topic_partitions
from fraudstream.core.kafka.progress import end_offsets
from fraudstream.spark.failures import failure_of
from fraudstream.spark.queries import KeptQuery

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

_CLASS = "fraudstream.query.live.LiveQuery"


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A query that was started. ``query`` is Spark's: await, look at and stop it as any other."""

    query: StreamingQuery
    plan: LivePlan
    checkpoint: Path
    _live: Any

    def progress(self) -> LiveProgress:
        """Counts since the start; rows and dropped records since the last call."""
        return LiveProgress.of(json.loads(self._live.progress()))

    def failure(self, error: BaseException) -> FraudstreamError:
        """What ended the query: :class:`QueryStopped` with line, column and record where it was an expression.

        :class:`CheckpointMisfit` where a file of the state cannot be used.
        """
        if (stop := self.progress().stop) is not None:
            record = "" if stop.record is None else f" The record: {stop.record}"
            return QueryStopped(f"{stop.message}{record}", stop.line or 1, stop.column or 1, self.plan.file)
        if (refused := _refusal(str(error), self.checkpoint)) is not None:
            return refused
        failure = failure_of(error)
        if failure.kind == "misfit":
            return CheckpointMisfit(f"{failure.reason.rstrip('.')}. {_anew(self.checkpoint)}")
        return FraudstreamError(f"The query ended: {failure.reason.rstrip('.')}. {failure.advice}".rstrip())

    def stop(self) -> None:
        """Stop it between two batches, or in one, which is then repeated; what is in memory goes."""
        self.query.stop()
        self._live.close()


def start_live(
    spark: SparkSession,
    settings: Settings,
    plan: LivePlan,
    binding: LiveBinding,
    checkpoint: Path,
    options: LiveOptions | None = None,
) -> LiveRun:
    """Start a query on topics, where its checkpoint stands; a new one where the options say.

    ``checkpoint`` is a folder on this machine (on a cluster: one that all executors see) that holds Spark's files and
    the query's state. A batch begins in each of the options' intervals, records or none, so that windows close and idle
    inputs move on. Times of arrival are the broker's stamps; the watermark of a partition is its latest event
    less the out-of-order tolerance, and of one without events the clock less 2 seconds and the tolerance for late
    events (azure-docs, stream-analytics-time-handling). Records of outputs are delivered at least once: a batch that
    is repeated gives the same bytes.

    Raises :class:`BrokerUnavailable` where Kafka does not answer or lacks a topic, :class:`CheckpointMisfit` where the
    checkpoint is of another query or a file of it is torn or missing, :class:`QueryError` for what the engine lacks.
    """
    partitions = topic_counts(settings, binding)
    chosen = options or LiveOptions()
    live = live_query(spark, job_text(plan, binding, partitions, checkpoint, chosen), settings, plan, checkpoint)
    rows = _read(spark, settings, binding, chosen).unionByName(_clock(spark))
    writer = (
        rows.writeStream.queryName(chosen.name)
        .option("checkpointLocation", str(checkpoint.absolute() / chosen.spark_folder))
        .trigger(processingTime=f"{int(chosen.interval_seconds * 1000)} milliseconds")
    )
    # Java calls Java: no batch waits for this process.
    java: Any = writer
    java._jwrite = java._jwrite.foreachBatch(live)
    return LiveRun(writer.start(), plan, checkpoint, live)


def kept_live(name: str, start: Callable[[], LiveRun], check: Callable[[Any], object] = lambda _: None) -> KeptQuery:
    """The query for a job's loop. Its offsets are not the job's progress: other queries read the same topics.

    ``check`` raises where the running query's topics are no longer those that it reads.
    """
    return KeptQuery(
        name,
        lambda: start().query,
        finished=lambda query: end_offsets(query.lastProgress),
        settled=lambda query: end_offsets(query.lastProgress),
        # Its clock always has a row: it is never without data.
        idle=lambda query: not query.status["isTriggerActive"],
        check=check,
        reported=False,
    )


def live_query(spark: SparkSession, job: str, settings: Settings, plan: LivePlan, checkpoint: Path) -> Any:
    """The Java object that takes the batches. Raises :class:`CheckpointMisfit`, :class:`QueryError`."""
    from py4j.protocol import Py4JJavaError

    java: Any = spark._jvm
    sink = java.java.util.HashMap()
    for option, value in spark_sink_options(settings).items():
        sink.put(option, value)
    try:
        return java.fraudstream.query.live.LiveQuery(job, sink)
    except Py4JJavaError as error:
        cause = error.java_exception
        text = f"{cause.getClass().getSimpleName()}: {cause.getMessage()}"
        if (refused := _refusal(text, checkpoint)) is not None:
            raise refused from error
        if text.startswith("PlanRefused"):
            raise QueryError(str(cause.getMessage()), cause.line or 1, cause.column or 1, plan.file) from error
        raise FraudstreamError(f"The query could not be started: {text}") from error


def topic_counts(settings: Settings, binding: LiveBinding) -> dict[str, int]:
    """How many partitions each topic has. Raises :class:`BrokerUnavailable` where one is missing."""
    inputs = {source.topic for source in binding.inputs}
    topics = sorted(inputs | {output.topic for output in binding.outputs if output.topic is not None})
    with asking(settings, allow_auto_create_topics=False) as reader:
        parts = topic_partitions(reader, topics)
    counts = {topic: sum(part.topic == topic for part in parts) for topic in topics}
    if missing := [topic for topic, count in counts.items() if not count]:
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} has no topic {', '.join(missing)}. Create it, or name "
            "another one: --input NAME=TOPIC, --output NAME=TOPIC."
        )
    return counts


def _read(spark: SparkSession, settings: Settings, binding: LiveBinding, options: LiveOptions) -> DataFrame:
    from fraudstream.spark.session import read_topics

    topics = sorted({source.topic for source in binding.inputs})
    rows = read_topics(spark, settings, *topics, at_most=options.at_most, starts=options.starts)
    return rows.selectExpr("topic", "partition", "offset", "unix_micros(timestamp) AS micros", "key", "value")


def _clock(spark: SparkSession) -> DataFrame:
    """A row each second: it is in Spark's own log of offsets, so that a repeated batch has the same clock."""
    return (
        spark.readStream.format("rate")
        .option("rowsPerSecond", 1)
        .option("numPartitions", 1)
        .load()
        .selectExpr(
            "CAST(NULL AS STRING) AS topic",
            "CAST(NULL AS INT) AS partition",
            "CAST(NULL AS BIGINT) AS offset",
            "unix_micros(timestamp) AS micros",
            "CAST(NULL AS BINARY) AS key",
            "CAST(NULL AS BINARY) AS value",
        )
    )


def _refusal(text: str, checkpoint: Path) -> CheckpointMisfit | None:
    """What a refused state means, in the text of Java's error."""
    _, sign, told = text.partition("StateRefused: ")
    if not sign:
        return None
    reason = told.splitlines()[0].strip()
    return CheckpointMisfit(f"{reason} {_anew(checkpoint)}")


def _anew(checkpoint: Path) -> str:
    return f"Remove the folder {checkpoint} to begin anew; what it knows is lost."
