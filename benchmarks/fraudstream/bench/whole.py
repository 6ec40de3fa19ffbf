"""The whole system as a user starts it: its start-up time, and its parts' memory and processor time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from fraudstream.bench import bounds
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.contenders import CONTENDERS, Cast
from fraudstream.bench.harness.running import MEBIBYTE, Report, Used, running
from fraudstream.bench.harness.stage import Ends, Stage, plain_environment
from fraudstream.bench.harness.trained import trained_model
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.parts import class_archive, kafka_broker
from fraudstream.runtime.parts.local import spark_job_environment
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.state import read_state

# The project's bounds for the whole system on two cores.
MOST_SECONDS, MOST_MIB, MOST_CORES = 60.0, 4096.0, 0.5

_POLL_SECONDS = 0.25
_FIRST_SCORED_SECONDS = 600.0
_BARE_SAMPLES = 20
_SPARK = (
    "from fraudstream.core.configuration.settings import load_settings\n"
    "from fraudstream.spark.session import spark_session\n"
    "spark = spark_session(load_settings(), 'bench')\n"
    "assert spark.range(1).count() == 1\n"
    "spark.stop()\n"
)

UP, DEMO = "`up`, until all parts are ready", "`demo`, until the first event is scored"
BROKER, SPARK = "bare broker, formatted and ready", "bare Spark session, one row, stopped"
BARE, ALL = "bare loop that scores", "all parts"


@dataclass(frozen=True, slots=True)
class StartPlan:
    """How often the whole system starts in an empty folder, with all artifacts in the cache."""

    repeats: int = 3
    demo: bool = True


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Seconds of streaming at ``rate`` events/s, and seconds of idleness after ``settle`` seconds."""

    seconds: float = 60.0
    rate: float = 20.0
    settle: float = 15.0
    history: int = 20_000


def measure_startup(plan: StartPlan, report: Report) -> dict[str, Any]:
    """Seconds from each command to its goal."""
    steps: dict[str, Callable[[Stage], float]] = {BROKER: _broker, SPARK: _spark, UP: _up}
    if plan.demo:
        steps[DEMO] = _demo
    runs: list[dict[str, Any]] = []
    with Stage() as stage:
        environment = _environment(stage) | spark_job_environment(stage.settings)
        with class_archive.building(environment, nice=False) as archiving:
            if archiving is not None:
                report("keeping Spark's classes, as a first demo does")
                archiving.wait()
    for repeat in range(plan.repeats):
        for name in figures.rotated(tuple(steps), repeat):
            report(f"{name}, run {repeat + 1} of {plan.repeats}")
            with Stage() as stage:
                runs.append({"repeat": repeat, "contender": name, "seconds": steps[name](stage)})
    summary = [
        {"contender": name, "seconds": figures.spread([run["seconds"] for run in runs if run["contender"] == name])}
        for name in steps
    ]
    first = (
        figures.spread([run["seconds"] for run in runs if run["contender"] == DEMO])["median"] if plan.demo else None
    )
    claims = bounds.at_most("seconds until a demo's first event is scored", first, MOST_SECONDS)
    return {"parameters": asdict(plan), "runs": runs, "summary": summary, "bounds": bounds.to_json(claims)}


def measure_memory(plan: MemoryPlan, report: Report) -> dict[str, Any]:
    """Resident memory of each part while it streams, and the processor time that it takes then and when idle."""
    with Stage() as stage:
        report("starting all parts")
        with running_parts(stage):
            report("training on history")
            fraudstream(stage, "generate", "history", "--count", str(plan.history))
            fraudstream(stage, "train", "--algorithm", "xgboost", "--await", str(plan.history))
            # The jobs load the champion with the first events, which are not measured.
            live = ("generate", "live", "--rate", f"{plan.rate:g}", "--for")
            fraudstream(stage, *live, "10")
            report(f"streaming {plan.rate:g} events/s for {plan.seconds:g} s")
            streaming = _watched(stage, plan.seconds, (*live, f"{plan.seconds:g}"))
            report(f"idle for {plan.settle + plan.seconds:g} s")
            time.sleep(plan.settle)
            idle = _watched(stage, plan.seconds, ())
            report(BARE)
            baseline = _bare_memory(stage)
    summary: list[dict[str, Any]] = [
        {
            "contender": name,
            "memory_median_mib": figures.spread(sizes),
            "processor_streaming": figures.spread([streaming.processor[name]]),
            "processor_idle": figures.spread([idle.processor[name]]),
            "memory_idle_mib": figures.spread(idle.memory[name]),
        }
        for name, sizes in streaming.memory.items()
    ]
    summary.append({"contender": BARE, "memory_median_mib": figures.spread(baseline)})
    most = max(streaming.memory[ALL])
    claims = bounds.at_most(f"MiB of all parts at {plan.rate:g} events/s, at most", most, MOST_MIB)
    cores = streaming.processor[ALL]
    claims += bounds.at_most(f"cores of all parts at {plan.rate:g} events/s", cores, MOST_CORES)
    return {"parameters": asdict(plan), "runs": [], "summary": summary, "bounds": bounds.to_json(claims)}


@dataclass(frozen=True, slots=True)
class Watched:
    """Part → samples of its memory (MiB), and part → its average use of cores."""

    memory: dict[str, list[float]]
    processor: dict[str, float]


def _watched(stage: Stage, seconds: float, words: Sequence[str]) -> Watched:
    state = read_state(stage.folder)
    pids = {name: part.pid for name, part in state.parts.items() if part.pid} if state else {}
    memory: dict[str, list[float]] = {name: [] for name in (*pids, ALL)}
    child = subprocess.Popen(_command(*words), env=_environment(stage), stdout=subprocess.DEVNULL) if words else None
    used = {name: Used(pid) for name, pid in pids.items()}
    spent = dict.fromkeys(pids, 0.0)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(1.0)
        sizes = {name: (process.family_memory(pid, shared_once=True) or 0) / MEBIBYTE for name, pid in pids.items()}
        for name in pids:
            spent[name] += used[name].since_last()
        for name, size in (sizes | {ALL: sum(sizes.values())}).items():
            memory[name].append(round(size, 1))
    passed = time.monotonic() - began
    processor = {name: seconds_used / passed for name, seconds_used in spent.items()}
    if child is not None and child.wait() != 0:
        raise FraudstreamError(f"`fraudstream {' '.join(words)}` ended with status {child.returncode}.")
    return Watched(memory, processor | {ALL: sum(processor.values())})


def _bare_memory(stage: Stage) -> list[float]:
    with running(Cast(stage, trained_model()), CONTENDERS["bare"], every=0.5) as loop:
        loop.begin_sampling()
        stage.await_condition(lambda: len(loop.samples) >= _BARE_SAMPLES, _BARE_SAMPLES, "the loop's memory is known")
        loop.check()
    return loop.samples[_BARE_SAMPLES // 2 :]


@contextmanager
def running_parts(stage: Stage, *words: str) -> Iterator[None]:
    """All parts, started with these words behind `up`, for as long as the block runs."""
    fraudstream(stage, "up", "-d", *words)
    try:
        yield
    finally:
        fraudstream(stage, "down")


def _broker(stage: Stage) -> float:
    began = time.monotonic()
    stage.start(kafka_broker.part(stage.settings))
    return time.monotonic() - began


def _spark(stage: Stage) -> float:
    env = _environment(stage) | spark_job_environment(stage.settings)
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", _SPARK], env=env, check=True, capture_output=True)
    return time.monotonic() - began


def _up(stage: Stage) -> float:
    began = time.monotonic()
    with running_parts(stage):
        return time.monotonic() - began


def _demo(stage: Stage) -> float:
    log = stage.folder / "logs" / "demo.log"
    began = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(_command("demo"), env=_environment(stage), stdout=output, stderr=output)
    try:
        while (remaining := _FIRST_SCORED_SECONDS + began - time.monotonic()) > 0 and child.poll() is None:
            if kafka_broker.is_ready(stage.settings) and _scored(stage):
                return time.monotonic() - began
            time.sleep(_POLL_SECONDS)
        why = f"it ended with status {child.returncode}" if remaining > 0 else f"none in {_FIRST_SCORED_SECONDS:g} s"
        raise FraudstreamError(f"`fraudstream demo` scored no event: {why}. {log.read_text('utf-8')[-500:]}")
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            child.wait()


def _scored(stage: Stage) -> bool:
    try:
        ends = Ends(stage.settings, SCORED)
    except FraudstreamError:
        return False  # the topics come after the broker
    try:
        return ends() > 0
    finally:
        ends.close()


def fraudstream(stage: Stage, *words: str) -> None:
    """Run a ``fraudstream`` command in the stage. Raises :class:`FraudstreamError` with the end of its output."""
    completed = subprocess.run(_command(*words), env=_environment(stage), capture_output=True, text=True, check=False)
    if completed.returncode:
        raise FraudstreamError(f"`fraudstream {' '.join(words)}` failed: {completed.stderr.strip()[-500:]}")


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "fraudstream.runtime", *words]


def _environment(stage: Stage) -> dict[str, str]:
    return plain_environment() | stage.environment()
