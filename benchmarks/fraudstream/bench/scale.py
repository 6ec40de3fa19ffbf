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
from fraudstream.bench.harness.running import Tell, broker_stage
from fraudstream.bench.harness.stage import fresh_topics
from fraudstream.bench.throughput import BACKLOG_SETTINGS, measure_backlog
from fraudstream.core.contract.topics import TRANSACTIONS

# Rates (events/s) that the capacity table answers for, and the share of a core that a plan should leave free.
RATES = (1_000, 5_000, 20_000, 100_000)
HEADROOM = 0.5

IN_ONE_PROCESS = "one process, 2 cores"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events wait, over topics of how many partitions, for clusters of how many workers of one core."""

    events: int = 600_000
    partitions: tuple[int, ...] = (2, 4, 8)
    workers: tuple[int, ...] = (1, 2)
    repeats: int = 3
    ours: dict[str, Any] = field(default_factory=lambda: dict(BACKLOG_SETTINGS))


def measure(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where an event is lost."""
    runs = []
    for count in plan.partitions:
        with broker_stage(plan.ours, tell, topic_partitions=count) as (cast, events):
            tell(f"{plan.events:,} events onto a topic of {count} partitions")
            fresh_topics(cast.stage.settings)
            send(cast, TRANSACTIONS, events, 0, plan.events)
            for repeat in range(plan.repeats):
                for workers in (0, *plan.workers):
                    name = _label(workers)
                    tell(f"{count} partitions, {name}, run {repeat + 1} of {plan.repeats}")
                    run = _measure_one(cast, workers, plan.events)
                    runs.append({"repeat": repeat} | run | {"partitions": count, "contender": name})
    summary = figures.summarised(runs, "partitions", "contender")
    return {"parameters": asdict(plan), "runs": runs, "summary": summary, "capacity": capacity(summary), "bounds": []}


def capacity(summary: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cores for each of :data:`RATES`, by the median cost of an event in one process."""
    costs = [one["core_us_per_event"]["median"] for one in summary if one["contender"] == IN_ONE_PROCESS]
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
    with cluster(cast.stage, workers) as made:
        on_cluster = replace(cast, ours={**cast.ours, "spark_master": made.url})
        return measure_backlog(on_cluster, contender, events, beside=made.children)[0]
