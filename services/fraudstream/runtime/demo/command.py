"""``fraudstream demo``: the whole chain from nothing to scored traffic, and an account of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psutil
import typer

from fraudstream.core.configuration.settings import REALTIME, Settings, load_settings
from fraudstream.core.contract.topics import SCORED
from fraudstream.core.errors import AlreadyRunning, FraudstreamError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.output.options import finite
from fraudstream.core.process import folders
from fraudstream.core.registry import champion_version
from fraudstream.runtime import lifecycle
from fraudstream.runtime.accounting import Summary, await_processed, end_offsets, stored_history, summarise
from fraudstream.runtime.commands import REALTIME_HELP
from fraudstream.runtime.demo.output import announce, console, report, step
from fraudstream.runtime.interrupts import Interrupted, ending_in_order
from fraudstream.runtime.log_reading import last_lines
from fraudstream.runtime.own_command import COMMAND, last_words, run_command, started
from fraudstream.runtime.parts import class_archive, mlflow_server
from fraudstream.runtime.status import collect
from fraudstream.runtime.supervise.state import log_file

_POLL_SECONDS = 0.25
_STALLED_SECONDS = 180.0
_CHAMPION_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo does: ``events`` 0 means until Ctrl-C; ``rate`` is in events/s, 0 as fast as the broker takes."""

    history: int
    events: int
    rate: float
    malformed: int
    seed: int | None
    algorithm: str


@ending_in_order()
def demo(
    events: int = typer.Option(0, min=0, help="How many live events; 0: until Ctrl-C."),
    rate: float = typer.Option(
        20.0, min=0, callback=finite, help="Events per second; 0: as fast as the broker takes them."
    ),
    history: int = typer.Option(20_000, min=1, help="Labelled events to train on."),
    malformed: int = typer.Option(0, min=0, help="How many of the live events break the contract."),
    seed: int | None = typer.Option(None, help="Seed of the live events; random without."),
    algorithm: str = typer.Option("all", help="xgboost, gbt or all; scoring starts with the first champion."),
    realtime: bool = typer.Option(False, "--realtime", help=REALTIME_HELP),
    leave: bool = typer.Option(False, "--exit", help="End with a summary after --events, and stop what was started."),
    as_json: bool = typer.Option(False, "--json", help="The summary as one JSON object on stdout."),
) -> None:
    """Start everything, train on labelled history, score live traffic and account for every event."""
    if leave and not events:
        raise typer.BadParameter("--exit needs --events N: without it there is no end to account for.")
    started_at = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    settings = load_settings(**(REALTIME if realtime else {}))
    plan = Plan(history, events, rate, malformed, seed, algorithm)
    already_up = lifecycle.is_running(settings)
    if already_up and realtime:
        raise AlreadyRunning(
            "The parts run already, and --realtime decides how they start. Stop them first: `fraudstream down`."
        )
    summary, failure = None, None
    try:
        summary, failure = _run(settings, plan, started_at, leave)
    except KeyboardInterrupt as interrupt:
        console.print("stopping …")
        # Ctrl-C ends what goes on until then; what has an end of its own has not come to it.
        if leave or isinstance(interrupt, Interrupted):
            raise
    finally:
        if not already_up:
            lifecycle.stop(settings)
    if summary is not None:
        report(summary, as_json)
    if failure is not None:
        raise failure
    if summary is not None and not summary.complete:
        raise typer.Exit(1)


def _run(
    settings: Settings, plan: Plan, started_at: datetime, leave: bool
) -> tuple[Summary | None, FraudstreamError | None]:
    """The account of the live events, where they have an end, and what an algorithm failed with meanwhile."""
    first_start = not folders.exists(mlflow_server.folder(settings))
    with step("starting the parts") as tell:
        lifecycle.start_detached(settings)
        lifecycle.await_ready(settings, ("kafka",), tell)
    with step(f"publishing labelled history, {plan.history:,} events"):
        _publish_history(settings, plan.history)
    with _training(settings, plan, first_start) as training:
        with step("storing the history") as tell:
            _await_history(settings, plan.history, training, tell)
        with step("training, until a first champion scores") as tell:
            _await_champion(settings, training, tell)
        lifecycle.await_ready(settings, ("stream", "store"), lambda _: None)
        if not plan.events:
            announce(settings)
            with class_archive.building(lifecycle.child_environment(settings), nice=True):
                _stream_until_interrupted(settings, plan)
            return None, None
        scored_from = end_offsets(settings, SCORED)
        with step(f"{plan.events:,} live events") as tell:
            published = run_command("generate", "live", *_live_options(plan))
            await_processed(
                settings,
                _STALLED_SECONDS,
                lambda left: tell(f"{left:,} records to go"),
                lambda: lifecycle.check_failing(settings, ("stream", "store")),
            )
            produced = {
                int(number): (first, end) for number, (first, end) in published["offsets"]["transactions"].items()
            }
            summary = summarise(settings, produced, scored_from, started_at)
        failure = None
        if training is not None:
            try:
                with step("comparing the models"):
                    _await_training(settings, training)
            except FraudstreamError as error:
                # The events were scored all the same: that is told first.
                failure = error
    with class_archive.building(lifecycle.child_environment(settings), nice=False) as archiving:
        if archiving is not None:
            with step("keeping Spark's classes for quicker starts, once"):
                archiving.wait()
    if not leave:
        report(summary, False)
        if failure is not None:
            console.print(str(failure), style="red", soft_wrap=True)
        announce(settings)
        _watch(settings)
    return summary, failure


def _publish_history(settings: Settings, count: int) -> None:
    lifecycle.await_ready(settings, ("documents",), lambda _: None)
    present = stored_history(settings, 1)
    if present < count:
        # The jobs create them as well, but may have archives to fetch and functions to compile first.
        kafka.create_topics(settings)
        run_command("generate", "history", "--count", str(count - max(present, 0)))


def _await_history(
    settings: Settings, count: int, training: subprocess.Popen[bytes] | None, tell: Callable[[str], None]
) -> None:
    lifecycle.await_ready(settings, ("store",), tell)
    before, moved_at = -1, time.monotonic()
    while (now := stored_history(settings, count)) < count:
        _check_training(settings, training)
        lifecycle.check_failing(settings, ("store",))
        if now != before:
            before, moved_at = now, time.monotonic()
            tell(f"{max(now, 0):,} stored")
        elif time.monotonic() - moved_at > _STALLED_SECONDS:
            raise FraudstreamError(
                f"{now:,} of {count:,} labelled events are stored and no more arrive. See `fraudstream logs store`."
            )
        time.sleep(_POLL_SECONDS)


@contextmanager
def _training(settings: Settings, plan: Plan, first_start: bool) -> Iterator[subprocess.Popen[bytes] | None]:
    """A training under way, unless there is a champion already; it starts up while the history is being stored."""
    if not first_start:
        lifecycle.await_ready(settings, ("mlflow", "scoring"), lambda _: None)
        if _champion(settings):
            yield None
            return
    log = settings.data_dir / "logs" / "train.log"
    words = ("train", "--algorithm", plan.algorithm, "--await", str(plan.history), "--json")
    environment = lifecycle.child_environment(settings)
    with (
        log.open("ab") as output,
        started([*COMMAND, *words], stdout=output, stderr=output, env=environment) as process,
    ):
        yield process


def _await_champion(settings: Settings, training: subprocess.Popen[bytes] | None, tell: Callable[[str], None]) -> None:
    until = time.monotonic() + _CHAMPION_SECONDS
    while not (version := _champion(settings)):
        _check_training(settings, training)
        lifecycle.check_failing(settings, ("stream", "store"))
        if time.monotonic() > until:
            raise _training_failure(settings, training) or FraudstreamError(
                f"No champion after {_CHAMPION_SECONDS:.0f} s. See `fraudstream logs train`."
            )
        time.sleep(_POLL_SECONDS)
    tell(f"version {version}")


def _await_training(settings: Settings, training: subprocess.Popen[bytes]) -> None:
    training.wait()
    if failure := _training_failure(settings, training):
        raise failure


def _check_training(settings: Settings, training: subprocess.Popen[bytes] | None) -> None:
    """Raises what the training failed with, unless there is a champion: of two algorithms one may have succeeded."""
    failure = _training_failure(settings, training)
    if failure is not None and not _has_champion(settings):
        raise failure


def _training_failure(settings: Settings, training: subprocess.Popen[bytes] | None) -> FraudstreamError | None:
    if training is None or training.poll() in (None, 0):
        return None
    told = last_lines(log_file(settings.data_dir, "train"), 1)
    reason = last_words("".join(told).encode(), training.returncode)
    return FraudstreamError(f"Training failed: {reason} See `fraudstream logs train`.")


def _has_champion(settings: Settings) -> bool:
    """Whether the registry has one, which the scoring service takes up by and by."""
    try:
        return champion_version(settings) is not None
    except FraudstreamError:
        return False


def _champion(settings: Settings) -> str:
    try:
        # A part of ours: no proxy of the environment, well-formed or not, has a say in it.
        answer = httpx.get(f"{settings.scoring_url}/health", timeout=5, trust_env=False)
        told = answer.json() if answer.status_code == httpx.codes.OK else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return ""
    return str(told.get("model_version") or "") if isinstance(told, dict) else ""


def _stream_until_interrupted(settings: Settings, plan: Plan) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started([*COMMAND, "generate", "live", *_live_options(plan)], **quiet):
        _watch(settings)


def _watch(settings: Settings) -> None:
    with console.status("") as line:
        while True:
            line.update(_figures(settings))
            time.sleep(1.0)


def _figures(settings: Settings) -> str:
    stream = collect(settings).stream

    def shown(value: float | None, unit: str = "") -> str:
        return "–" if value is None else f"{value:,.0f}{unit}"

    return (
        f"{shown(stream.input_rate)} events/s · lag {shown(stream.lag)} · p50 {shown(stream.latency_p50_ms, ' ms')} · "
        f"p95 {shown(stream.latency_p95_ms, ' ms')} · rejected {shown(stream.rejected)} · Ctrl-C stops"
    )


def _live_options(plan: Plan) -> list[str]:
    options = ["--rate", str(plan.rate), "--malformed", str(plan.malformed)]
    if plan.events:
        options += ["--count", str(plan.events)]
    if plan.seed is not None:
        options += ["--seed", str(plan.seed)]
    return [*options, "--json"]
