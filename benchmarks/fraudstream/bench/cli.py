"""``fraudstream bench``: measures the parts beside their baselines. The commands import heavy modules themselves."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from fraudstream.core.output.options import finite
from fraudstream.runtime.interrupts import ending_in_order

app = typer.Typer(help="Measure what this machine carries, each part beside its baselines.", no_args_is_help=True)

Smoke = Annotated[bool, typer.Option("--smoke", help="A tiny size: shows that it works, and nothing about speed.")]
AsJson = Annotated[bool, typer.Option("--json", help="The results as one JSON object on stdout.")]
Out = Annotated[Path | None, typer.Option(help="The results' file; by default benchmarks/results/<name>.json.")]
Repeats = Annotated[int, typer.Option(min=1, help="How often each contender is measured, in rotated order.")]
Rates = Annotated[
    list[float] | None, typer.Option("--rate", min=1, callback=finite, help="Events per second; 200 and 1000.")
]
Names = Annotated[list[str] | None, typer.Option("--contender", help="Who takes part; repeat it. All by default.")]
Changed = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of our services, name=value, such as driver_memory=1g.")
]

# Width of tables outside a terminal, such as in a file.
_WIDTH = 150

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What a measurement is given: ``report`` shows its progress, ``keep`` writes results in between to ``file``."""

    report: Report
    keep: Callable[[dict[str, Any]], None]
    file: Path | None


Measure = Callable[[Run], dict[str, Any]]


def benchmark(prepare: Callable[..., Measure]) -> Callable[..., None]:
    """Make a command from a function that turns options into a measurement.

    The command has the function's name and options, and those of every benchmark: ``--smoke``, ``--json`` and
    ``--out``. The function is told ``smoke`` alone of them.
    """

    @wraps(prepare)
    def command(*, smoke: bool, as_json: bool, out: Path | None, **options: Any) -> None:
        _run(prepare.__name__, prepare(smoke=smoke, **options), as_json, out, smoke)

    common = {"smoke": (Smoke, False), "as_json": (AsJson, False), "out": (Out, None)}
    parameters = [
        *(own for own in inspect.signature(prepare, eval_str=True).parameters.values() if own.name not in common),
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in common.items()
        ),
    ]
    # Typer reads both.
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command()(command)
    return command


@benchmark
def latency(
    rate: Rates = None,
    seconds: Annotated[
        float, typer.Option("--for", min=1, callback=finite, help="Seconds that count, for each contender.")
    ] = 60.0,
    warm_up: Annotated[float, typer.Option(min=0, callback=finite, help="Seconds before them that do not.")] = 15.0,
    repeats: Repeats = 3,
    contender: Names = None,
    changed: Changed = None,
    *,
    smoke: bool,
) -> Measure:
    """From when an event is due to when its decision is read, at a constant rate."""
    from fraudstream.bench.harness.contenders import able
    from fraudstream.bench.latency import NAMES, Plan, measure

    plan = Plan(
        tuple(rate or (200.0, 1_000.0)),
        seconds,
        warm_up,
        repeats,
        _names("--contender", contender, able(NAMES)),
        _settings(changed),
    )
    if smoke:
        few = ("echo", "bare", "realtime")
        plan = Plan((100.0,), 4.0, 2.0, 1, _names("--contender", contender, able(NAMES), few), _settings(changed))
    return lambda run: measure(plan, run.report)


@benchmark
def throughput(
    events: Annotated[int, typer.Option(min=1_000, help="How many events wait.")] = 2_000_000,
    message_events: Annotated[int, typer.Option(min=1_000, help="How many, for the slowest apps.")] = 30_000,
    profile: Annotated[bool, typer.Option("--profile", help="Also profile the stream job; needs a JDK.")] = False,
    repeats: Repeats = 3,
    contender: Names = None,
    changed: Changed = None,
    *,
    smoke: bool,
) -> Measure:
    """How fast a backlog is scored."""
    from fraudstream.bench.harness.contenders import able
    from fraudstream.bench.throughput import BACKLOG_SETTINGS, NAMES, Plan, measure

    ours = BACKLOG_SETTINGS | _settings(changed)
    plan = Plan(events, message_events, repeats, _names("--contender", contender, able(NAMES)), ours, profile)
    if smoke:
        few = ("bare-batch", "realtime", "microbatch")
        plan = Plan(20_000, 4_000, 1, _names("--contender", contender, able(NAMES), few), ours, profile)
    return lambda run: measure(plan, run.report)


@benchmark
def scale(
    events: Annotated[int, typer.Option(min=1_000, help="How many events wait.")] = 600_000,
    repeats: Repeats = 3,
    *,
    smoke: bool,
) -> Measure:
    """The stream job in one process and on a Spark cluster, over 2, 4 and 8 partitions."""
    from fraudstream.bench.scale import Plan, measure

    plan = Plan(20_000, (4,), (2,), 1) if smoke else Plan(events, repeats=repeats)
    return lambda run: measure(plan, run.report)


@benchmark
def scoring(
    seconds: Annotated[
        float, typer.Option("--for", min=0.5, callback=finite, help="Seconds for each number of clients and rows.")
    ] = 10.0,
    repeats: Repeats = 3,
    *,
    smoke: bool,
) -> Measure:
    """The scoring service beside `mlflow models serve`."""
    from fraudstream.bench.scoring import Plan, measure

    plan = Plan(0.5, 1, ((1, 1), (8, 1_000))) if smoke else Plan(seconds, repeats)
    return lambda run: measure(plan, run.report)


@benchmark
def store(
    documents: Annotated[int, typer.Option(min=4_000, help="How many scored transactions wait.")] = 120_000,
    repeats: Repeats = 3,
    changed: Changed = None,
    *,
    smoke: bool,
) -> Measure:
    """The store job beside a bare loop of bulk upserts."""
    from fraudstream.bench.store import Plan, measure

    plan = Plan(4_000, 1, _settings(changed)) if smoke else Plan(documents, repeats, _settings(changed))
    return lambda run: measure(plan, run.report)


@benchmark
def query(
    events: Annotated[int, typer.Option(min=1_000, help="How many events the large file has.")] = 1_000_000,
    repeats: Repeats = 3,
    *,
    smoke: bool,
) -> Measure:
    """Stream Analytics queries on files: events a second, a cold run, further test cases."""
    from fraudstream.bench.query import Plan, measure

    plan = Plan(2_000, 2, 1) if smoke else Plan(events, repeats=repeats)
    return lambda run: measure(plan, run.report)


@benchmark
def cards(
    customers: Annotated[int, typer.Option(min=500, help="How many customers there are.")] = 5_000,
    folds: Annotated[int, typer.Option(min=1, help="Over how many folds the models are compared.")] = 4,
    repeats: Repeats = 3,
    *,
    smoke: bool,
) -> Measure:
    """The simulator of cards: its speed, and what features over time are worth on its transactions."""
    from fraudstream.bench.cards.measure import Plan, measure

    plan = Plan(800, 1, 14, 7, 7, 20_000, 1) if smoke else Plan(customers, folds, repeats=repeats)
    return lambda run: measure(plan, run.report)


@benchmark
def model(repeats: Repeats = 3, *, smoke: bool) -> Measure:
    """The model of payments beside the best one possible, and the monitor with drift and without."""
    from fraudstream.bench.model import Plan, measure

    plan = Plan((2_000,), 20_000, 1, 20, 2_000, 1) if smoke else Plan(repeats=repeats)
    return lambda run: measure(plan, run.report)


@benchmark
def job(
    events: Annotated[int, typer.Option(min=1_000, help="How many events wait as a backlog.")] = 1_000_000,
    rate: Rates = None,
    seconds: Annotated[float, typer.Option("--for", min=1, callback=finite, help="Seconds that count.")] = 60.0,
    repeats: Repeats = 3,
    changed: Changed = None,
    *,
    smoke: bool,
) -> Measure:
    """The stream job from its query file, beside the job that it replaces, and row by row."""
    from fraudstream.bench.job.measure import Plan, measure

    plan = Plan(events, tuple(rate or (200.0, 1_000.0)), seconds, repeats=repeats, ours=_settings(changed))
    if smoke:
        plan = Plan(8_000, (100.0,), 4.0, 2.0, 1, _settings(changed))
    return lambda run: measure(plan, run.report)


@benchmark
def equality(
    events: Annotated[int, typer.Option(min=100, help="How many events both are given.")] = 200_000,
    *,
    smoke: bool,
) -> Measure:
    """Whether the contract function and the row engine make the same records, of malformed events too."""
    from fraudstream.bench.job.equality import Plan, measure

    plan = Plan(2_000) if smoke else Plan(events)
    return lambda run: measure(plan, run.report)


@benchmark
def ingest(
    seconds: Annotated[
        float, typer.Option("--for", min=2, callback=finite, help="Seconds of batches; half as long single events.")
    ] = 60.0,
    rate: Annotated[float, typer.Option(min=1, callback=finite, help="Events per second in batches.")] = 2_000.0,
    *,
    smoke: bool,
) -> Measure:
    """Events in over HTTP from fifty connections, while the whole chain scores and stores them."""
    from fraudstream.bench.ingest import Plan, measure

    plan = Plan(3.0, 2.0, 200.0, 10, 5, 0) if smoke else Plan(seconds, seconds / 2, rate)
    return lambda run: measure(plan, run.report)


@benchmark
def startup(repeats: Repeats = 3, *, smoke: bool) -> Measure:
    """How long it takes until everything is ready, and until a first event is scored."""
    from fraudstream.bench.whole import StartPlan, measure_startup

    plan = StartPlan(1, demo=False) if smoke else StartPlan(repeats)
    return lambda run: measure_startup(plan, run.report)


@benchmark
def memory(
    seconds: Annotated[
        float, typer.Option("--for", min=2, callback=finite, help="Seconds of streaming, and of idleness.")
    ] = 60.0,
    *,
    smoke: bool,
) -> Measure:
    """Memory of each part while 20 events/s stream, and the processor time that idle parts take."""
    from fraudstream.bench.whole import MemoryPlan, measure_memory

    plan = MemoryPlan(5.0, settle=1.0, history=2_000) if smoke else MemoryPlan(seconds)
    return lambda run: measure_memory(plan, run.report)


@benchmark
def dashboards(
    documents: Annotated[int, typer.Option(min=1_000, help="How many transactions are stored.")] = 1_000_000,
    folder: Annotated[Path | None, typer.Option(help="Keep the filled store here for the next time.")] = None,
    heap_minutes: Annotated[
        float, typer.Option(min=0.1, callback=finite, help="Minutes over which the browser's heap is watched.")
    ] = 30.0,
    only: Annotated[list[str] | None, typer.Option(help="Measure this part anew and keep the others.")] = None,
    *,
    smoke: bool,
) -> Measure:
    """Callbacks, pages, fifty viewers and the browser's heap; needs Chromium."""
    from fraudstream.bench.dashboards.measure import IN_BROWSER, PARTS, Plan, measure
    from fraudstream.bench.harness import results

    plan = Plan(documents, folder, heap_minutes, parts=_names("--only", only, PARTS))
    if smoke:
        few = [name for name in PARTS if name not in IN_BROWSER]
        plan = Plan(5_000, folder, 0.1, 5, 2.0, 10, _names("--only", only, PARTS, few))

    def run_parts(run: Run) -> dict[str, Any]:
        before = results.read(run.file) if only and run.file is not None and run.file.is_file() else {}
        return measure(plan, run.report, run.keep, before)

    return run_parts


def _names(
    option: str, names: Sequence[str] | None, available: Sequence[str], by_default: Sequence[str] = ()
) -> tuple[str, ...]:
    if unknown := set(names or ()) - set(available):
        raise typer.BadParameter(f"{option} {', '.join(sorted(unknown))}: known are {', '.join(available)}")
    return tuple(names or by_default or available)


def _settings(changed: Sequence[str] | None) -> dict[str, Any]:
    from fraudstream.core.configuration.settings import Settings

    values = {}
    for assignment in changed or ():
        name, equals, value = assignment.partition("=")
        if not equals or name not in Settings.model_fields:
            raise typer.BadParameter(f"--set {assignment}: it is name=value with the name of a setting, in lower case")
        values[name] = value
    return values


def _run(name: str, measure: Measure, as_json: bool, out: Path | None, smoke: bool) -> None:
    """Measure, write the file (also in between, where ``measure`` keeps results), and show the results."""
    from fraudstream.bench.harness import rendering, results
    from fraudstream.core.output.logs import configure_logging
    from fraudstream.core.output.terminal import say_json, terminal

    configure_logging("bench", "WARNING")
    console = terminal(stderr=True)
    # A smoke run writes a file only where ``--out`` names it.
    file = out or (None if smoke else Path("benchmarks") / "results" / f"{name}.json")
    record = results.Record(name)

    def keep(measured: dict[str, Any]) -> None:
        if file is not None:
            results.write(record.headed(measured), file)

    # The processes of a benchmark end with its stage, and the stage ends with an exception.
    with ending_in_order(), console.status(name) as line:
        run = Run(line.update if console.is_terminal else _line(console), keep, file)
        measured = record.headed(measure(run))
    if as_json:
        say_json(measured)
    else:
        out_console = terminal()
        rendering.show(measured, out_console if out_console.is_terminal else terminal(width=_WIDTH))
    if file is not None:
        results.write(measured, file)
        console.print(f"results: {file}", soft_wrap=True)


def _line(console: Any) -> Report:
    began = time.monotonic()

    def report(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}", soft_wrap=True)

    return report
