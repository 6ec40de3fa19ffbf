"""A demo from its first part to its summary."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime

import psutil
import typer

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import SCORED, TRANSACTIONS
from fraudstream.core.errors import AlreadyRunning, ConfigurationError, FraudstreamError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.process import folders
from fraudstream.runtime import lifecycle
from fraudstream.runtime.accounting import Summary, await_processed, end_offsets, stored_history, summarise
from fraudstream.runtime.demo.output import announce, console, report, step
from fraudstream.runtime.demo.plan import Plan, Traffic, of_file, simulated
from fraudstream.runtime.demo.training import (
    Training,
    await_champion,
    await_training,
    first_of,
    has_champion,
    second_training,
    training,
)
from fraudstream.runtime.interrupts import Interrupted
from fraudstream.runtime.own_command import Running, run_command, running
from fraudstream.runtime.parts import class_archive, mlflow_server
from fraudstream.runtime.status import collect
from fraudstream.runtime.supervise.holding import held_back

_STALLED_SECONDS = 180.0
# A command that is started beside the broker waits for it.
_BROKER_SECONDS = "120"


def run(plan: Plan, mode: Mapping[str, str], *, leave: bool, as_json: bool) -> None:
    """Run it: ``mode`` are the settings that its options stand for, ``leave`` ends it after its summary.

    Raises :class:`FraudstreamError`, and ``typer.Exit`` where events are unaccounted for.
    """
    is_file = PROJECT.definition.source.file is not None
    if leave and not plan.events and not is_file:
        raise typer.BadParameter("--exit needs --events N: without it there is no end to account for.")
    if not is_file and PROJECT.definition.source.generator is None:
        raise ConfigurationError(
            f"The project {PROJECT.name!r} has neither a file nor a generator in `[source]` of its fraudstream.toml. "
            "Name one of them."
        )
    started_at = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    settings = load_settings(**mode)
    already_up = lifecycle.is_running(settings)
    if already_up and mode:
        raise AlreadyRunning(
            "The parts run already, and --realtime and --remote decide how they start. Stop them first: "
            "`fraudstream down`."
        )
    summary, failure = None, None
    try:
        summary, failure = _run(settings, plan, started_at, leave=leave, as_json=as_json)
    except KeyboardInterrupt as interrupt:
        console.print("stopping …")
        # Ctrl-C ends what goes on until then; what has an end of its own has not come to it.
        if leave or isinstance(interrupt, Interrupted):
            raise
    finally:
        if not already_up:
            lifecycle.stop(settings)
    if failure is not None:
        raise failure
    if summary is not None and not summary.complete:
        raise typer.Exit(1)


def _run(
    settings: Settings, plan: Plan, started_at: datetime, *, leave: bool, as_json: bool
) -> tuple[Summary | None, FraudstreamError | None]:
    """The account of the live events, where they have an end, and what an algorithm failed with meanwhile.

    The account is told here; as JSON where the demo ends with it.
    """
    with ExitStack() as until_scored:
        traffic, first, live = _until_scored(settings, plan, leave, until_scored)
        if not traffic.events:
            _go_on(settings, traffic, first, live)
            return None, None
        summary = _account(settings, traffic, live, started_at)
        failure = _second(settings, traffic, first)
    # First: the archive below may take minutes.
    report(summary, as_json and leave)
    with class_archive.building(lifecycle.child_environment(settings), nice=False) as archiving:
        if archiving is not None:
            with step("keeping Spark's classes for quicker starts, once"):
                archiving.wait()
    if not leave:
        if failure is not None:
            console.print(str(failure), style="red", soft_wrap=True)
        announce(settings)
        _watch(settings)
    return summary, failure


def _until_scored(
    settings: Settings, plan: Plan, leave: bool, until_scored: ExitStack
) -> tuple[Traffic, Training | None, Running]:
    """Start everything and train, until a champion scores; ``until_scored`` ends what is left of it.

    What does not need the broker yet begins beside it: a file is looked through, the history's command is loaded. The
    training starts up while the history is being stored, and the live events' command while it trains.
    """
    is_new = not folders.exists(mlflow_server.folder(settings))
    history: Running | None = None
    holding = until_scored.enter_context(ExitStack())
    with step("starting the broker and the document store") as tell:
        lifecycle.start_detached(settings)
        holding.enter_context(held_back(settings.data_dir.resolve()))
        traffic = _traffic(plan, leave)
        if is_new:
            history = until_scored.enter_context(_publishing(traffic, 0))
        lifecycle.await_ready(settings, ("kafka", "documents"), tell)
        # The jobs create them as well, but may have archives to fetch and functions to compile first.
        kafka.create_topics(settings)
    if traffic.told:
        console.print(traffic.told)
    needs_training = is_new or not _is_trained(settings)
    if not is_new and (missing := _missing(settings, traffic)):
        history = until_scored.enter_context(_publishing(traffic, traffic.history - missing))
    first: Training | None = None
    if needs_training and not traffic.is_file:
        first = until_scored.enter_context(training(settings, first_of(traffic.algorithm), traffic.history))
    awaited = 0
    if history is not None:
        with step(f"publishing labelled history, {traffic.history:,} events"):
            awaited = history.result()["produced"]
    if needs_training and first is None:
        # Rows without a label are no history: how many there are is known only now.
        first = until_scored.enter_context(training(settings, first_of(traffic.algorithm), awaited))
    live = until_scored.enter_context(running(*traffic.live, holds=True))
    title = (
        "starting, until the champion scores" if first is None else "storing it and training, until a champion scores"
    )
    with step(title) as tell:
        await_champion(settings, first, tell)
    lifecycle.await_ready(settings, ("stream", "store"), lambda _: None)
    if not leave:
        # Nobody looks at the pages of a demo that ends by itself.
        holding.close()
    return traffic, first, live


def _is_trained(settings: Settings) -> bool:
    lifecycle.await_ready(settings, ("mlflow",), lambda _: None)
    return has_champion(settings)


def _missing(settings: Settings, traffic: Traffic) -> int:
    """How many labelled events lack; a file's are sent again unless some are stored, as not all of them need to be."""
    present = max(stored_history(settings, traffic.history), 0)
    if traffic.is_file:
        return 0 if present else traffic.history
    return max(traffic.history - present, 0)


def _traffic(plan: Plan, leave: bool) -> Traffic:
    if PROJECT.definition.source.file is None:
        return simulated(plan, PROJECT.definition.source.history_count, leave=leave)
    return of_file(plan, run_command("replay", "--dry-run"), leave=leave)


@contextmanager
def _publishing(traffic: Traffic, present: int) -> Iterator[Running]:
    """The command that publishes the history but for ``present`` events, running."""
    with running(*traffic.publish, str(traffic.history - present), "--wait", _BROKER_SECONDS) as command:
        yield command


def _account(settings: Settings, traffic: Traffic, live: Running, started_at: datetime) -> Summary:
    """Send the live events, and say what became of each."""
    scored_from = end_offsets(settings, SCORED)
    with step(f"{traffic.events:,} live events") as tell:
        live.begin()
        published = live.result()
        await_processed(
            settings,
            _STALLED_SECONDS,
            lambda left: tell(f"{left:,} records to go"),
            lambda: lifecycle.check_failing(settings, ("stream", "store")),
        )
        produced = {int(number): (first, end) for number, (first, end) in published["offsets"][TRANSACTIONS].items()}
        return summarise(settings, produced, scored_from, started_at, with_labels=traffic.is_file)


def _second(settings: Settings, traffic: Traffic, first: Training | None) -> FraudstreamError | None:
    """Train the second algorithm after the account of the events; returns what a training failed with.

    The events were scored all the same: that is told first.
    """
    if first is None:
        return None
    failure = None
    try:
        await_training(settings, first)
    except FraudstreamError as error:
        failure = error
    with second_training(settings, traffic.algorithm, gives_way=False) as second:
        if second is None:
            return failure
        try:
            with step("comparing the models"):
                await_training(settings, second)
        except FraudstreamError as error:
            failure = error
    return failure


def _go_on(settings: Settings, traffic: Traffic, first: Training | None, live: Running) -> None:
    """Send live events and watch them until Ctrl-C; what nobody waits for has the lowest priority beside them."""
    live.begin()
    with step("starting the pages"):
        lifecycle.await_ready(settings, ("scoring", "dashboards"), lambda _: None)
    announce(settings)
    with class_archive.building(lifecycle.child_environment(settings), nice=True):
        if first is not None:
            first.wait()
        with nullcontext(None) if first is None else second_training(settings, traffic.algorithm, gives_way=True):
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
