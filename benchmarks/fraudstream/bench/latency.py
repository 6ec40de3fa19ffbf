"""Latency at a constant rate: from when an event is due to when its record is read, one by one, from the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound, ratio
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.contenders import CONTENDERS, Cast, Contender, chosen
from fraudstream.bench.harness.load import Reader, compare_decisions, compare_rejected, send
from fraudstream.bench.harness.running import Report, broker_stage, running
from fraudstream.bench.harness.stage import EVERYTHING, OUTPUTS, Ends, fresh_topics
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import FraudstreamError

NAMES = ("echo", "bare", "realtime", "microbatch", "quix", "quix-default", "bytewax", "faust")

PROBES = 100
_PROBE_SECONDS = 180.0
# No working contender pauses for so long.
_IDLE_SECONDS = 45.0
_SOAK_SECONDS = 600.0
# Java compiles the broker's code in the first seconds, which would slow the first contender.
_WARM_UP_RATE = 2_000.0
_WARM_UP_SECONDS = 4.0
_WINDOW_SECONDS = 300.0
# Quix Streams twice: with its documentation's options, and with options that send each record at once.
_PEERS = (("quix-default", "Quix Streams', as it comes"), ("quix", "Quix Streams'"), ("bytewax", "Bytewax's"))


@dataclass(frozen=True, slots=True)
class Plan:
    """Each of ``rates`` (events/s) is measured for ``seconds``, after ``warm_up`` seconds that do not count."""

    rates: tuple[float, ...] = (200.0, 1_000.0)
    seconds: float = 60.0
    warm_up: float = 15.0
    repeats: int = 3
    contenders: tuple[str, ...] = NAMES
    ours: dict[str, Any] = field(default_factory=dict)

    @property
    def window_seconds(self) -> float:
        """The length of the first and the last stretch that are compared."""
        return min(_WINDOW_SECONDS, self.seconds / 6)


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where an event is lost."""
    runs = []
    with broker_stage(plan.ours, report) as (cast, events):
        report("warming the broker up")
        _measure_one(cast, events, CONTENDERS["echo"], _WARM_UP_RATE, Plan(seconds=_WARM_UP_SECONDS, warm_up=0.0))
        for repeat in range(plan.repeats):
            for rate in plan.rates:
                decisions: dict[str, dict[str, tuple[int, float]]] = {}
                for contender in chosen(figures.rotated(plan.contenders, repeat)):
                    report(f"{contender.label}, {rate:g} events/s, run {repeat + 1} of {plan.repeats}")
                    run, decided = _measure_one(cast, events, contender, rate, plan)
                    runs.append({"repeat": repeat} | run)
                    if contender.scores:
                        decisions[contender.name] = decided
                same = [run for run in runs if run["repeat"] == repeat and run["rate"] == rate]
                compare_decisions(decisions, same)
                compare_rejected(same)
        parameters = asdict(plan) | {"model": cast.model.fingerprint, "trees": cast.model.trees}
    return {
        "parameters": parameters,
        "runs": runs,
        "summary": (summary := summarised(runs)),
        "bounds": bounds.to_json(held(summary, plan)),
    }


def _measure_one(
    cast: Cast, events: Path, contender: Contender, rate: float, plan: Plan
) -> tuple[dict[str, Any], dict[str, tuple[int, float]]]:
    settings = cast.stage.settings
    fresh_topics(settings, *EVERYTHING)
    warm_up, total = int(plan.warm_up * rate), int((plan.warm_up + plan.seconds) * rate)
    with running(cast, contender, every=max(1.0, plan.seconds / 180)) as process:
        send(cast, TRANSACTIONS, events, 0, PROBES, first=total)
        ends = Ends(settings, *OUTPUTS)
        try:
            cast.stage.await_condition(
                lambda: ends() >= PROBES, _PROBE_SECONDS, f"{contender.label} works", process.parts[0]
            )
        finally:
            ends.close()
        reader = Reader(cast, tuple(OUTPUTS), total, _IDLE_SECONDS)
        try:
            process.begin_sampling()
            began = process.cpu_seconds()
            send(cast, TRANSACTIONS, events, rate, total)
            used = process.cpu_seconds() - began
            process.check()
            read = reader.result()
        finally:
            reader.kill()
        process.end_sampling()
    if read.different != total:
        raise FraudstreamError(f"{contender.label}: {total:,} events went in and {read.different:,} came out.")
    counted = read.latencies_us[warm_up:]
    run = {
        "contender": contender.name,
        "rate": rate,
        "events_in": total,
        "events_out": read.different,
        "repeated": read.repeated,
        "rejected": read.rejected,
        **figures.latency_summary(counted),
        **figures.ends_compared(counted, max(1, int(plan.window_seconds * rate))),
        "processor_share": used / (plan.warm_up + plan.seconds),
        **process.memory(),
    }
    if len(process.samples) >= 30:
        run["memory_growth"] = figures.growth(process.samples)
        run["memory_samples_mib"] = process.samples
    return run, read.decisions


def summarised(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each rate and contender the spread of its repeats."""
    return sorted(figures.summarised(runs, "contender", "rate"), key=itemgetter("rate"))


def held(summary: Sequence[dict[str, Any]], plan: Plan) -> list[Bound]:
    """The project's claims about latency whose contenders took part."""

    def median(name: str, rate: float, figure: str) -> float | None:
        entry = next((entry for entry in summary if entry["contender"] == name and entry["rate"] == rate), None)
        return None if entry is None or figure not in entry else float(entry[figure]["median"])

    claims: list[Bound] = []
    for rate in plan.rates:
        at = f"at {rate:g} events/s"
        p50, p99 = median("realtime", rate, "p50_ms"), median("realtime", rate, "p99_ms")
        if p50 is None or p99 is None:
            continue
        claims += bounds.at_most(f"{at}: real-time p50 by the echo's", ratio(p50, median("echo", rate, "p50_ms")), 3.0)
        claims += bounds.at_most(f"{at}: real-time p99 by the echo's", ratio(p99, median("echo", rate, "p99_ms")), 6.0)
        for peer, label in _PEERS:
            half = ratio(p50, median(peer, rate, "p50_ms"))
            claims += bounds.at_most(f"{at}: real-time p50 by {label}", half, 0.5)
            claims += bounds.at_most(f"{at}: real-time p99 by {label}", ratio(p99, median(peer, rate, "p99_ms")), 1.0)
        slower = ratio(median("microbatch", rate, "p50_ms"), p50)
        claims += bounds.at_least(f"{at}: micro-batch p50 by real-time p50", slower, 30.0)
        if plan.seconds >= _SOAK_SECONDS:
            ends = median("realtime", rate, "last_by_first")
            claim = f"{at}: p99 of the last {plan.window_seconds:g} s by that of the first"
            claims += bounds.at_most(claim, ends, 1.5)
            grown = median("realtime", rate, "memory_growth")
            claims += bounds.at_most(
                f"{at}: growth of the stream job's memory, last third by the middle one", grown, 0.05
            )
    return claims
