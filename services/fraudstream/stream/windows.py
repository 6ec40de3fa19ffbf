"""The outputs of a project's query that keep state: a query of their own beside the one that scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fraudstream.asaql.live.binding import LiveBinding, live_binding
from fraudstream.asaql.live.job import LiveHooks, LiveOptions
from fraudstream.asaql.live.plans import LivePlan, live_plan
from fraudstream.asaql.live.running import LiveRun, kept_live, start_live
from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.asaql.strategies.outputs import WINDOWS
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import WINDOWS as CHECKPOINT
from fraudstream.core.streaming.fit import fitting, starts_after
from fraudstream.spark.queries import KeptQuery
from fraudstream.stream.champion import champion_file

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_GATE = "fraudstream.spark.QueryGate"
_FUNCTIONS = "fraudstream.query.job.JobFunctions"


def kept_windows(spark: SparkSession, settings: Settings, query: JobQuery) -> KeptQuery:
    """The query as it is kept running, in micro-batches, for a query of which an output keeps state.

    Raises :class:`QueryError` for a query of which no result could ever leave, and for a call of a function without a
    script. The query's name is that of its checkpoint.
    """
    plan = live_plan(query.files, outputs=query.named(WINDOWS), answered=query.models)
    topics = [f"{output.name}={output.topic}" for output in query.outputs if output.strategy == WINDOWS]
    binding = live_binding(query.files, plan, outputs=topics)
    functions = {
        "scripts": {kind: dict(scripts) for kind, scripts in plan.scripts.items()},
        "models": sorted(query.models),
        "champion": str(champion_file(settings)),
    }
    hooks = LiveHooks(_GATE, _FUNCTIONS, functions, sets_aside=True, rejected_topic=REJECTED)
    running = _Windows(spark, settings, plan, binding, hooks)
    return replace(kept_live(CHECKPOINT, running.start), is_current=running.is_current)


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
        return start_live(self._spark, self._settings, self._plan, self._binding, checkpoint.folder, options)

    def is_current(self) -> bool:
        """Whether the query's checkpoint is the one in use. Raises :class:`CheckpointMisfit`."""
        return self._folder == Checkpoint.of(self._settings, CHECKPOINT).folder
