"""A live query without Kafka: batches of messages are handed to the function that Spark would call with them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.asaql.live.binding import LiveBinding, LiveInput, LiveOutput, LiveReference
from fraudstream.asaql.live.job import LiveOptions, job_text
from fraudstream.asaql.live.plans import LivePlan, live_plan
from fraudstream.asaql.live.progress import LiveProgress
from fraudstream.asaql.live.running import LiveRun, live_query
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.project_files.models import JobConfig
from fraudstream.core.configuration.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = "topic STRING, partition INT, offset BIGINT, micros BIGINT, key BINARY, value BINARY"
ALL_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A record of a topic; ``micros``: its arrival, in microseconds since 1970."""

    topic: str
    partition: int
    offset: int
    micros: int
    value: bytes

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.topic, self.partition, self.offset, self.micros, None, bytearray(self.value))


def job_config(late: int = 5, disorder: int = 0, policy: str = "Adjust") -> JobConfig:
    return JobConfig.of(
        {
            "EventsLateArrivalMaxDelayInSeconds": late,
            "EventsOutOfOrderMaxDelayInSeconds": disorder,
            "EventsOutOfOrderPolicy": policy,
        },
        "JobConfig.json",
    )


class Driven:
    """A query in one folder: driven batch by batch, forgotten by the process, and begun again from its files."""

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        text: str,
        partitions: Mapping[str, int],
        job: JobConfig,
        references: Sequence[LiveReference] = (),
        formats: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        answered: Collection[str] = options.pop("answered", ())
        given: LivePlan | None = options.pop("plan", None)
        project = QueryProject("q", folder, folder / "q.asaql", text, job)
        self.plan = given or live_plan(project, references=[each.name for each in references], answered=answered)
        self._spark = spark
        self.folder = folder / "checkpoint"
        binding = LiveBinding(
            [LiveInput(name, name, (formats or {}).get(name, "json")) for name in self.plan.streams],
            [LiveOutput(name) for name in self.plan.outputs],
            references,
        )
        self._job = job_text(
            self.plan, binding, partitions, self.folder, LiveOptions(shown_rows=ALL_ROWS, parts=3, **options)
        )
        self._live: Any = None
        self.progress: LiveProgress | None = None

    def batch(self, number: int, messages: Iterable[Message], clock: int | None = None) -> list[tuple[str, str]]:
        """Hand a batch over: the rows that come out, each as its output's name and JSON; ``clock`` in microseconds."""
        if self._live is None:
            self._live = live_query(self._spark, self._job, Settings(), self.plan, self.folder)
        rows = [message.row for message in messages]
        if clock is not None:
            rows.append((None, None, None, clock, None, None))
        data = self._spark.createDataFrame(rows, SCHEMA).coalesce(1)
        try:
            self._live.call(data._jdf, number)
        except Exception as error:
            raise LiveRun(None, self.plan, self.folder, self._live).failure(error) from error
        self.progress = LiveProgress.of(json.loads(self._live.progress()))
        return [(row.output, row.text) for row in self.progress.rows]

    def forget(self) -> None:
        """What is in memory goes, as with the process."""
        if self._live is not None:
            self._live.close()
            self._live = None
