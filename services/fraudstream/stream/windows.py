"""The outputs of a project's query that keep state: a query of their own beside the one that scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fraudstream.asaql.live.binding import LiveBinding, live_binding
from fraudstream.asaql.live.job import LiveHooks, LiveOptions
from fraudstream.asaql.live.plans import LivePlan, live_plan
from fraudstream.asaql.live.running import LiveRun, kept_live, start_live
from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.asaql.strategies.outputs import WINDOWS
from fraudstream.asaql.strategies.project_query import source_functions
from fraudstream.asaql.strategies.python_functions import described_python, python_functions
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED
from fraudstream.core.kafka.progress import end_offsets
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import WINDOWS as CHECKPOINT
from fraudstream.core.streaming.fit import fitting, starts_after
from fraudstream.spark.queries import KeptQuery
from fraudstream.stream.champion import champion_file

if TYPE_CHECKING:
    from kafka import TopicPartition
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

_GATE = "fraudstream.spark.QueryGate"
_FUNCTIONS = "fraudstream.query.job.JobFunctions"
# Where a project's events may be as late as they like, the last ones of a partition leave after so long.
IDLE_SECONDS = 10


def kept_windows(spark: SparkSession, settings: Settings, query: JobQuery) -> KeptQuery:
    """The query as it is kept running, in micro-batches, for a query of which an output keeps state.

    Raises as :func:`windows_plan` does. The query's name is that of its checkpoint.
    """
    plan = windows_plan(query)
    hooks = windows_hooks(query, plan, champion_file(settings))
    topics = [f"{output.name}={output.topic}" for output in query.outputs if output.strategy == WINDOWS]
    binding = live_binding(query.files, plan, outputs=topics)
    running = _Windows(spark, settings, plan, binding, hooks)
    return replace(
        kept_live(CHECKPOINT, running.start),
        is_current=running.is_current,
        finished=running.finished,
        reported=query.is_scored_with_state,
    )


def windows_plan(query: JobQuery) -> LivePlan:
    """The plan of the outputs that keep state.

    Raises :class:`QueryError` for a query of which no result could ever leave, and for a call of a function that the
    project does not have; :class:`ConfigurationError` for a file of functions that cannot be read.
    """
    python = {} if query.plan is None else python_functions(query, query.plan.to_json())
    answered = (*query.models, *source_functions(query.files), *python)
    plan = live_plan(query.files, outputs=query.named(WINDOWS), answered=answered)
    return replace(plan, python={name: python[name] for name in plan.answered if name in python})


def windows_hooks(query: JobQuery, plan: LivePlan, champion: Path) -> LiveHooks:
    """What the job adds to that plan: its gate, its functions, and where records go that are set aside."""
    functions = {
        "functions": {kind: dict(scripts) for kind, scripts in plan.scripts.items()},
        "python": described_python(query, plan.python),
        "models": sorted(query.models),
        "champion": str(champion),
        "sources": sorted(source_functions(query.files)),
    }
    return LiveHooks(
        _GATE,
        _FUNCTIONS,
        functions,
        sets_aside=True,
        rejected_topic=REJECTED,
        decided_topics=(SCORED, ALERTS),
        idle_seconds=IDLE_SECONDS,
    )


class _Windows:
    """The query that runs, and the checkpoint that it was started from."""

    def __init__(
        self, spark: SparkSession, settings: Settings, plan: LivePlan, binding: LiveBinding, hooks: LiveHooks
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._plan = plan
        self._binding = binding
        self._hooks = hooks
        self._folder = Path()
        self._run: LiveRun | None = None

    def start(self) -> LiveRun:
        """Raises as :func:`start_live` does, and :class:`CheckpointMisfit` where the topic lacks what it reads next."""
        checkpoint, topics = fitting(self._settings, CHECKPOINT)
        options = LiveOptions(
            CHECKPOINT,
            starts=starts_after(checkpoint, topics, ()),
            at_most=self._settings.max_events_per_batch,
            hooks=self._hooks,
            spark_folder="",
        )
        self._folder = checkpoint.folder
        self._run = start_live(self._spark, self._settings, self._plan, self._binding, checkpoint.folder, options)
        return self._run

    def finished(self, query: StreamingQuery) -> Mapping[TopicPartition, int]:
        """The offsets up to which the records have left: those that wait for the watermark have not."""
        ends = end_offsets(query.lastProgress)
        # Asked afterwards: what waits behind a later batch does not begin before what waited behind this one.
        held = self._run.progress().held if self._run is not None else {}
        return {part: min(end, held.get(part, end)) for part, end in ends.items()}

    def is_current(self) -> bool:
        """Whether the query's checkpoint is the one in use. Raises :class:`CheckpointMisfit`."""
        return self._folder == Checkpoint.of(self._settings, CHECKPOINT).folder
