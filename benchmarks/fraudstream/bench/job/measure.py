"""The job that runs the project's query beside the one that it replaces: a backlog, and the latency in real time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fraudstream.bench import bounds, latency, throughput
from fraudstream.bench.bounds import Bound, ratio
from fraudstream.bench.harness.running import Report

BACKLOG = "a backlog"
STRATEGIES = ("plain", "", "rows")
TRIGGERS = ("realtime", "microbatch")
LEAST_RATE, MOST_LATENCY = 0.9, 1.2


def contenders(triggers: Sequence[str] = TRIGGERS) -> tuple[str, ...]:
    """Each trigger with each way to run the query."""
    return tuple(f"{trigger}-{way}" if way else trigger for trigger in triggers for way in STRATEGIES)


@dataclass(frozen=True, slots=True)
class Plan:
    """``events`` wait as a backlog; then each of ``rates`` (events/s) is sent for ``seconds``."""

    events: int = 1_000_000
    rates: tuple[float, ...] = (200.0, 1_000.0)
    seconds: float = 60.0
    warm_up: float = 15.0
    repeats: int = 3
    ours: dict[str, Any] = field(default_factory=dict)


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where an event is lost."""
    backlog = throughput.measure(
        throughput.Plan(
            events=plan.events,
            repeats=plan.repeats,
            contenders=contenders(),
            ours=throughput.BACKLOG_SETTINGS | plan.ours,
        ),
        report,
    )
    in_real_time = latency.measure(
        latency.Plan(plan.rates, plan.seconds, plan.warm_up, plan.repeats, contenders(("realtime",)), plan.ours), report
    )
    summary = [{"case": BACKLOG, **entry} for entry in backlog["summary"]]
    summary += [{"case": case_of(entry["rate"]), **entry} for entry in in_real_time["summary"]]
    return {
        "parameters": asdict(plan) | {name: backlog["parameters"][name] for name in ("model", "trees")},
        "runs": [*backlog["runs"], *in_real_time["runs"]],
        "summary": summary,
        "bounds": bounds.to_json(held(summary)),
    }


def case_of(rate: float) -> str:
    """The name of a rate's case."""
    return f"{rate:g} events/s"


def held(summary: Sequence[Mapping[str, Any]]) -> list[Bound]:
    """The project's claims about the job from its file, by the one before it: the project's own contract function."""
    figures = {(entry["case"], entry["contender"]): entry for entry in summary}

    def by_plain(case: str, trigger: str, figure: str) -> float | None:
        own, plain = figures.get((case, trigger)), figures.get((case, f"{trigger}-plain"))
        if own is None or plain is None:
            return None
        return ratio(float(own[figure]["median"]), float(plain[figure]["median"]))

    claims: list[Bound] = []
    for trigger in TRIGGERS:
        rate = by_plain(BACKLOG, trigger, "events_per_second")
        claims += bounds.at_least(f"{trigger}: rate by that without a query of its own", rate, LEAST_RATE)
    for case in dict.fromkeys(entry["case"] for entry in summary if entry["case"] != BACKLOG):
        for name in ("p50", "p99"):
            value = by_plain(case, "realtime", f"{name}_ms")
            claims += bounds.at_most(f"{case}: {name} by that without a query of its own", value, MOST_LATENCY)
    return claims
