"""Scale: the same stream job in one process and on a cluster, over topics with more and more partitions."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fraudstream.bench.harness import figures
from fraudstream.bench.harness.cluster import cluster
from fraudstream.bench.harness.contenders import CONTENDERS, Cast
from fraudstream.bench.harness.load import send
from fraudstream.bench.harness.running import Report, broker_stage
from fraudstream.bench.harness.stage import fresh_topics
from fraudstream.bench.throughput import BACKLOG_SETTINGS, measure_backlog
from fraudstream.core.contract.topics import TRANSACTIONS

# Rates (events/s) of the capacity table, and the share of each core that a plan should leave free.
RATES = (1_000, 5_000, 20_000, 100_000)
HEADROOM = 0.5

IN_ONE_PROCESS = "one process, 2 cores"


@dataclass(frozen=True, slots=True)
class Plan:
    """``events`` wait on a topic of each number of ``partitions``, for clusters of one-core ``workers``."""

    events: int = 600_000
    partitions: tuple[int, ...] = (2, 4, 8)
    workers: tuple[int, ...] = (1, 2)
    repeats: int = 3
    ours: dict[str, Any] = field(default_factory=lambda: dict(BACKLOG_SETTINGS))


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where an event is lost."""
    runs = []
    for count in plan.partitions:
        with broker_stage(plan.ours, report, topic_partitions=count) as (cast, events):
            report(f"{plan.events:,} events onto a topic of {count} partitions")
            fresh_topics(cast.stage.settings)
            send(cast, TRANSACTIONS, events, 0, plan.events)
            for repeat in range(plan.repeats):
                for workers in (0, *plan.workers):
                    name = _label(workers)
                    report(f"{count} partitions, {name}, run {repeat + 1} of {plan.repeats}")
                    run = _measure_one(cast, workers, plan.events)
                    runs.append({"repeat": repeat} | run | {"partitions": count, "contender": name})
    summary = figures.summarised(runs, "partitions", "contender")
    return {"parameters": asdict(plan), "runs": runs, "summary": summary, "capacity": capacity(summary), "bounds": []}


def capacity(summary: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cores for each of :data:`RATES`, by the median cost of an event in one process."""
    costs = [entry["core_us_per_event"]["median"] for entry in summary if entry["contender"] == IN_ONE_PROCESS]
    if not costs:
        return []
    cost = statistics.median(costs)
    return [{"rate": rate, "core_us_per_event": cost, "cores": rate * cost / 1e6 / HEADROOM} for rate in RATES]


def _label(workers: int) -> str:
    if not workers:
        return IN_ONE_PROCESS
    return f"a cluster of {workers} worker{'' if workers == 1 else 's'}"


def _measure_one(cast: Cast, workers: int, events: int) -> dict[str, Any]:
    contender = CONTENDERS["microbatch"]
    if not workers:
        return measure_backlog(cast, contender, events)[0]
    with cluster(cast.stage, workers) as spark:
        on_cluster = replace(cast, ours={**cast.ours, "spark_master": spark.url})
        return measure_backlog(on_cluster, contender, events, beside=spark.children)[0]
