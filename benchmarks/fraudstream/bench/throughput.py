"""Throughput: how fast outputs arrive while a contender works through a backlog on the topic."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fraudstream.bench import bounds, profile
from fraudstream.bench.bounds import Bound, ratio
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.contenders import Cast, Contender, chosen
from fraudstream.bench.harness.load import Reader, compare_decisions, compare_rejected, send
from fraudstream.bench.harness.running import Report, Running, broker_stage, cpu_seconds, running
from fraudstream.bench.harness.stage import OUTPUTS, Ends, fresh_topics
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import FraudstreamError

BATCHED = ("bare-batch", "realtime", "microbatch", "quix-batch", "bytewax-batch", "faust-batch")
PER_MESSAGE = ("quix", "bytewax", "faust")
# Too slow for the whole backlog: these are measured over its first events.
OVER_A_STRETCH = (*PER_MESSAGE, "faust-batch")
NAMES = (*BATCHED, *PER_MESSAGE)

# The stream job's settings for a backlog, with nothing else changed. docs/explanation/benchmarks.md says why.
BACKLOG_SETTINGS: dict[str, Any] = {
    "trigger_interval_seconds": 0.0,
    "max_events_per_batch": 50_000,
    "driver_java_options": "-XX:+UseParallelGC -Xss4m",
}

_POLL_SECONDS = 0.25
_START_SECONDS = 180.0
_STALLED_SECONDS = 60.0
_IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events wait; the slowest apps are measured over the first ``message_events``.

    A virtual machine compiles code in its first seconds: the backlog has to take much longer.
    """

    events: int = 2_000_000
    message_events: int = 30_000
    repeats: int = 3
    contenders: tuple[str, ...] = NAMES
    ours: dict[str, Any] = field(default_factory=lambda: dict(BACKLOG_SETTINGS))
    profile: bool = False

    def awaited(self, name: str) -> int:
        """The number of outputs to await from the contender."""
        return min(self.events, self.message_events) if name in OVER_A_STRETCH else self.events


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where an event is lost."""
    if plan.profile:
        profile.tool()
    runs = []
    with broker_stage(plan.ours, report) as (cast, events):
        report(f"{plan.events:,} events onto the topic")
        fresh_topics(cast.stage.settings)
        send(cast, TRANSACTIONS, events, 0, plan.events)
        for repeat in range(plan.repeats):
            decisions: dict[str, dict[str, tuple[int, float]]] = {}
            for contender in chosen(figures.rotated(plan.contenders, repeat)):
                report(f"{contender.label}, run {repeat + 1} of {plan.repeats}")
                run, decided = measure_backlog(cast, contender, plan.awaited(contender.name))
                runs.append({"repeat": repeat} | run)
                decisions[contender.name] = decided
            same = [run for run in runs if run["repeat"] == repeat]
            compare_decisions(decisions, same)
            compare_rejected([run for run in same if run["contender"] not in OVER_A_STRETCH])
        profiles = _profiles(cast, plan, report) if plan.profile else {}
        parameters = asdict(plan) | {"model": cast.model.fingerprint, "trees": cast.model.trees}
    return {
        "parameters": parameters | {"start_share": figures.START_SHARE},
        "runs": runs,
        "summary": (summary := figures.summarised(runs, "contender")),
        "bounds": bounds.to_json(held(summary)),
        **({"profile": profiles} if profiles else {}),
    }


def _profiles(cast: Cast, plan: Plan, report: Report) -> dict[str, Any]:
    """One more run of the stream job with each trigger and Java's profiler; its rate does not count."""
    profiles = {}
    for contender in (candidate for candidate in chosen(plan.contenders) if candidate.kind == "ours"):
        report(f"{contender.label}, with a profiler")
        recording = cast.stage.folder / f"{contender.name}.jfr"
        options = f"{cast.ours.get('driver_java_options', '')} {profile.JAVA_OPTION}".strip()
        profiled = replace(cast, ours={**cast.ours, "driver_java_options": options})
        run, _ = measure_backlog(profiled, contender, plan.events, recording)
        profiles[contender.name] = profile.read(recording) | {"events_per_second": run["events_per_second"]}
    return profiles


def measure_backlog(
    cast: Cast,
    contender: Contender,
    awaited: int,
    recording: Path | None = None,
    beside: Sequence[subprocess.Popen[bytes]] = (),
) -> tuple[dict[str, Any], dict[str, tuple[int, float]]]:
    """Let a contender work on the backlog until ``awaited`` outputs are there; returns its run and its decisions.

    ``recording``: the file of a profile. The processor time of processes ``beside`` the contender counts as its own.
    Raises :class:`FraudstreamError` where an event is lost.
    """
    fresh_topics(cast.stage.settings, *OUTPUTS)
    ends = Ends(cast.stage.settings, *OUTPUTS)
    try:
        with running(cast, contender, every=1.0) as process:
            process.begin_sampling()
            cost = _await_outputs(ends, awaited, process, contender, beside)
            process.end_sampling()
            if recording is not None:
                profile.dump(process.children[0].pid, recording)
    finally:
        ends.close()
    reader = Reader(cast, tuple(OUTPUTS), awaited, _IDLE_SECONDS)
    try:
        read = reader.result()
    finally:
        reader.kill()
    if read.different != awaited and not (contender.name in OVER_A_STRETCH and read.different):
        raise FraudstreamError(f"{contender.label}: {awaited:,} events were awaited and {read.different:,} came out.")
    run = {
        "contender": contender.name,
        "events_in": awaited,
        "events_out": read.different,
        "repeated": read.repeated,
        "rejected": read.rejected,
        "events_per_second": figures.steady_rate(read.stamps_ms),
        "with_start": figures.steady_rate(read.stamps_ms, 0.0),
        "core_us_per_event": cost,
        **process.memory(),
    }
    return run, read.decisions


def _await_outputs(
    ends: Ends, awaited: int, process: Running, contender: Contender, beside: Sequence[subprocess.Popen[bytes]]
) -> float:
    """Wait for the outputs; returns the processor microseconds of an output after the start."""
    counted, moved_at = 0, time.monotonic()
    begun: tuple[int, float] | None = None

    def spent() -> float:
        return process.cpu_seconds() + sum(cpu_seconds(child.pid) for child in beside)

    while (now := ends()) < awaited:
        process.check()
        if begun is None and now >= awaited * figures.START_SHARE:
            begun = now, spent()
        if now != counted:
            counted, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > (_STALLED_SECONDS if counted else _START_SECONDS):
            raise FraudstreamError(f"{contender.label}: {counted:,} of {awaited:,} outputs came, and then no more.")
        time.sleep(_POLL_SECONDS)
    first, before = begun or (0, 0.0)
    return (spent() - before) * 1e6 / (now - first)


def held(summary: Sequence[dict[str, Any]]) -> list[Bound]:
    """The project's claims about throughput, for its faster trigger."""
    rates = {entry["contender"]: float(entry["events_per_second"]["median"]) for entry in summary}
    ours = max((rates[name] for name in ("realtime", "microbatch") if name in rates), default=None)
    if ours is None:
        return []
    claims = bounds.at_least("rate by the bare loop's that scores", ratio(ours, rates.get("bare-batch")), 0.7)
    batched = [rates[name] for name in ("quix-batch", "bytewax-batch", "faust-batch") if name in rates]
    claims += bounds.at_least(
        "rate by the best batched app's of the peers", ratio(ours, max(batched, default=None)), 1.3
    )
    single = [rates[name] for name in PER_MESSAGE if name in rates]
    claims += bounds.at_least(
        "rate by the best app's per message of the peers", ratio(ours, max(single, default=None)), 15
    )
    return claims
