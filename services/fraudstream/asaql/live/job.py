"""A live query as the Java side reads it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kafka import TopicPartition

from fraudstream.asaql.live.binding import LiveBinding
from fraudstream.asaql.live.plans import LivePlan

Starts = Literal["earliest", "latest"] | Mapping[TopicPartition, int]

# A batch of them is done in seconds.
MOST_BATCH_RECORDS = 200_000
# The files of a query's own, and those that Spark keeps in the same checkpoint.
STATE_FOLDER = "query"
SPARK_FOLDER = "spark"


@dataclass(frozen=True, slots=True)
class LiveHooks:
    """What a job adds to a query. Classes are named as Java names them.

    ``gate``: the class of a ``fraudstream.query.live.Gate``, which makes events of messages and leaves out those that
    it refuses. ``functions``: a class whose static method ``of`` makes the ``UserFunctions`` of a ``JsonNode``, which
    is ``functions_argument``; the query's scripts by default. ``sets_aside``: a row on which an expression fails does
    not end the query; with ``rejected_topic`` it becomes a record there. ``decided_topics``: those whose records are
    decisions, which get the batch's time as ``scored_at``. ``idle_seconds``: so long after its last record nobody waits
    for a partition of an input without a limit for late events; 0: for ever.
    """

    gate: str | None = None
    functions: str | None = None
    functions_argument: Mapping[str, Any] | None = None
    sets_aside: bool = False
    rejected_topic: str | None = None
    decided_topics: Collection[str] = ()
    idle_seconds: int = 0


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a query is run.

    ``starts``: where a new checkpoint begins. ``at_most``: records of a batch, which begins every ``interval_seconds``.
    ``parts``: of a new state; a checkpoint keeps its number. ``shown_rows``: how many of each output that goes to no
    topic are kept to be shown. ``spark_folder``: of Spark's own files in the checkpoint; empty: the checkpoint itself.
    """

    name: str = "query"
    starts: Starts = "latest"
    interval_seconds: float = 1.0
    at_most: int = MOST_BATCH_RECORDS
    parts: int = 2
    shown_rows: int = 0
    hooks: LiveHooks = field(default_factory=LiveHooks)
    spark_folder: str = SPARK_FOLDER
    # A snapshot is written once logs of so many bytes stand behind the last one; None: once they have outgrown it.
    snapshot_bytes: int | None = None


def job_text(
    plan: LivePlan, binding: LiveBinding, partitions: Mapping[str, int], checkpoint: Path, options: LiveOptions
) -> str:
    """The job as JSON; ``partitions`` are those of each topic, which have to be known to wait for all of them."""
    keys = plan.keys()
    policy, hooks = plan.job, options.hooks
    job = {
        "plan": plan.whole.to_json(),
        "each": None if plan.each is None else plan.each.to_json(),
        "windows": None if plan.windows is None else plan.windows.to_json(),
        "functions": (hooks.functions_argument if hooks.functions else plan.scripts) or None,
        "functions_class": hooks.functions,
        "gate": hooks.gate,
        "sets_aside": hooks.sets_aside,
        "rejected_topic": hooks.rejected_topic,
        "idle_seconds": hooks.idle_seconds,
        "reads_metadata": plan.reads_metadata,
        "folder": str(checkpoint.absolute() / STATE_FOLDER),
        "offsets": str(checkpoint.absolute() / options.spark_folder / "offsets"),
        "fingerprint": plan.fingerprint(binding.topics),
        "parts": options.parts if plan.windows is not None and keys is not None else 1,
        "shown_rows": options.shown_rows,
        "from_now": options.starts == "latest",
        "inputs": [
            {
                "name": source.name,
                "topic": source.topic,
                "format": source.format,
                "delimiter": source.delimiter,
                "key": None if keys is None else keys.get(source.name),
                "timed": plan.is_timed(source.name),
                "over": plan.has_over(source.name),
                "late_seconds": policy.late_seconds,
                "disorder_seconds": policy.disorder_seconds,
                "drops": policy.disorder_policy == "Drop",
                "partitions": partitions[source.topic],
            }
            for source in binding.inputs
        ],
        "outputs": [
            {
                "name": output.name,
                "topic": output.topic,
                "key": output.key,
                "decided": output.topic in hooks.decided_topics,
            }
            for output in binding.outputs
        ],
        "references": [reference.described() for reference in binding.references],
    }
    if options.snapshot_bytes is not None:
        job["snapshot_bytes"] = options.snapshot_bytes
    return json.dumps(job)
