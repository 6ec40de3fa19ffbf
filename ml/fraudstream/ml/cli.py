"""``fraudstream train`` and ``fraudstream models``. The commands import heavy libraries, this module does not."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError, TrainingFailed
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.output.options import finite
from fraudstream.core.output.terminal import say, say_json, say_lines, terminal, write_file
from fraudstream.core.output.text import printable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from fraudstream.ml.evaluation.comparison import Comparison
    from fraudstream.ml.registry import Version
    from fraudstream.ml.training import run as training

models = typer.Typer(help="The registered model's versions.", no_args_is_help=True)

_ALGORITHMS = {"xgboost": ("xgboost",), "gbt": ("gbt",), "all": ("xgboost", "gbt")}
# Tags are free text: anybody who may write to the registry can set them.
_LONGEST_TAG = 60
_WITHOUT_TREES = (
    "it has no trees that the stream job could hold, so that it is scored by the scoring service in micro-batches: "
    "latency of seconds instead of milliseconds"
)
_SHOWN = ("average_precision", "roc_auc", "accuracy", "precision", "recall", "ece")


def train(
    algorithm: str = typer.Option("all", help="xgboost (about a second), gbt (Spark ML, half a minute) or all."),
    seed: int = typer.Option(7, help="Seed of the training."),
    awaited: int = typer.Option(0, "--await", min=0, help="Wait until so many labelled transactions are stored."),
    tune: float = typer.Option(
        0.0, min=0, callback=finite, help="Seconds in which XGBoost's further parameters are tried."
    ),
    trials: int = typer.Option(
        0, min=0, help="Try so many at most, which makes a tuned training repeatable; 0: as many as the seconds allow."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Train on the stored labelled history; the better model by average precision is the champion."""
    if algorithm not in _ALGORITHMS:
        raise typer.BadParameter(f"--algorithm {algorithm!r}: it is one of {', '.join(_ALGORITHMS)}")
    settings = start_settings("mongo", "registry")
    configure_logging("train", "WARNING")
    from fraudstream.ml.failures import one_line

    # SIGTERM then raises KeyboardInterrupt as SIGINT does, which marks the run as ended by a signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = terminal(stderr=True)
    with console.status("loading the libraries") as line:
        try:
            result = _train(settings, _ALGORITHMS[algorithm], seed, awaited, line.update, (tune, trials))
        except (FraudstreamError, ModuleNotFoundError):
            raise
        except Exception as error:
            raise TrainingFailed(
                f"The training failed ({one_line(error)}). `fraudstream doctor` checks memory, disk and Java."
            ) from error
    if as_json:
        trained = [asdict(outcome) for outcome in result.trained]
        failed = [asdict(failure) for failure in result.failed]
        say_json({"trained": trained, "failed": failed, "left_out": result.left_out.to_json()})
    else:
        _say_result(result)
    if result.failed:
        failures = "; ".join(f"{failure.algorithm} was not trained: {failure.reason}" for failure in result.failed)
        registered = ", ".join(outcome.algorithm for outcome in result.trained)
        raise TrainingFailed(f"{failures}. {registered} is registered." if registered else f"{failures}.")


def _train(
    settings: Settings,
    algorithms: Any,
    seed: int,
    awaited: int,
    report: Callable[[str], None],
    budget: tuple[float, int],
) -> training.Result:
    from fraudstream.ml.training.fitting import Tuning
    from fraudstream.ml.training.run import train as run

    with ExitStack() as started:

        def spark() -> SparkSession:
            from fraudstream.spark.session import spark_session

            session = spark_session(settings, "train")
            started.callback(_stop, session)
            return session

        seconds, trials = budget
        tuning = Tuning(seconds, trials or None) if seconds else None
        return run(spark, settings, algorithms, seed, awaited, report, tuning)


def _stop(spark: SparkSession) -> None:
    # A Java process that has died cannot be stopped; the error under way says what happened to it.
    with suppress(Exception):
        spark.stop()


def _say_result(result: training.Result) -> None:
    if result.left_out.count:
        say(f"{result.left_out.count:,} labelled transactions were left out: {result.left_out}")
    for outcome in result.trained:
        role = "is the champion" if outcome.promoted else "stays a challenger"
        metrics = " · ".join(f"{name.replace('_', ' ')} {outcome.metrics[name]:.4f}" for name in _SHOWN)
        say(f"{outcome.algorithm}, version {outcome.version}, {role}: {metrics} · {_alerts(outcome.metrics)}")


def _alerts(metrics: dict[str, float]) -> str:
    """What the model would have alerted among the held-out transactions."""
    right, wrong, missed, others = (
        int(metrics[name]) for name in ("true_positive", "false_positive", "false_negative", "true_negative")
    )
    count = right + wrong + missed + others
    return f"{right + wrong:,} alerts in {count:,} transactions, {right:,} of {right + missed:,} frauds among them"


@models.command("list")
def list_versions(as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout.")) -> None:
    """List the versions, the newest first."""
    from fraudstream.ml.registry import versions

    settings = start_settings("registry")
    registered = versions(settings)
    if as_json:
        say_json({"model": settings.model_name, "versions": [version.to_json() for version in registered]})
    elif not registered:
        say("no version is registered yet; `fraudstream train` makes one")
    else:
        _print(registered)


@models.command()
def promote(
    version: str = typer.Argument(help="The version's number."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Make a version the champion; running services load it by themselves.

    It may be any MLflow model (pyfunc) whose signature has the project's inputs.
    """
    from fraudstream.ml import registry

    settings = start_settings("registry")
    has_trees = registry.promote(settings, version)
    if as_json:
        say_json({"model": settings.model_name, "champion": version, "has_trees": has_trees})
    else:
        say(f"version {version} is the champion" + ("" if has_trees else f"; {_WITHOUT_TREES}"))


@models.command()
def rollback(as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout.")) -> None:
    """Give the champion's role back to the version that had it before; a further rollback goes back further."""
    from fraudstream.ml import registry

    settings = start_settings("registry")
    champion, former = registry.rollback(settings)
    if as_json:
        say_json({"model": settings.model_name, "champion": champion, "former_champion": former})
    else:
        say(f"version {champion} is the champion again; version {former} was")


@models.command()
def compare(
    versions: list[str] = typer.Argument(None, help="Versions to compare; all without."),
    seed: int = typer.Option(7, help="Seed of the resamples."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Compare versions by the metrics of their training runs, the best average precision first.

    Two versions are also compared on the same stored transactions: labelled ones that neither learnt from.
    """
    from fraudstream.core.errors import ModelError
    from fraudstream.ml import registry

    registered = registry.versions(start_settings("registry"))
    if missing := set(versions or ()) - {version.version for version in registered}:
        raise ModelError(f"There is no version {', '.join(sorted(missing))}. `fraudstream models list` shows them.")
    compared = [version for version in registered if not versions or version.version in versions]
    compared.sort(key=_average_precision, reverse=True)
    paired, problem = _paired(versions, seed) if versions and len(set(versions)) == 2 else (None, "")
    if as_json:
        report: dict[str, Any] = {"versions": [version.to_json() for version in compared]}
        if paired is not None:
            report["paired"] = paired.to_json()
        elif problem:
            report["not_paired"] = problem
        say_json(report)
        return
    _print(compared)
    if paired is not None:
        _print_paired(paired)
    elif problem:
        say(problem, err=True)


def _paired(versions: list[str], seed: int) -> tuple[Comparison | None, str]:
    """Two versions on the same transactions, or why they could not be compared so."""
    from fraudstream.ml.evaluation.comparison import compared

    first, second = dict.fromkeys(versions)
    try:
        return compared(start_settings("registry", "mongo"), first, second, seed), ""
    except FraudstreamError as error:
        return None, str(error)


def _print_paired(paired: Comparison) -> None:
    figures = paired.to_json()
    say(
        f"on the same {paired.rows:,} labelled transactions ({paired.frauds:,} frauds) from {figures['from']} until "
        f"{figures['until']}, which neither learnt from:"
    )
    first, second = paired.first, paired.second
    table = Table("figure", f"version {first}", f"version {second}", "difference", "95 % interval", "better")
    for figure in paired.figures:
        better = None if figure.better is None else (first, second)[figure.better - 1]
        table.add_row(
            figure.name.replace("_", " "),
            f"{figure.first:.4f}",
            f"{figure.second:.4f}",
            f"{figure.difference.value:+.4f}",
            f"{figure.difference.low:+.4f} to {figure.difference.high:+.4f}",
            "chance" if better is None else f"version {better}",
        )
    terminal().print(table)


@models.command("report")
def write_report(
    version: str = typer.Argument(help="The version's number."),
    out: Path | None = typer.Option(None, help="The file, HTML if its name ends so; without it Markdown on stdout."),
) -> None:
    """Write a version's report: purpose, data, development, validation, limits, monitoring, challenge."""
    from fraudstream.ml.reporting.document import html, markdown
    from fraudstream.ml.reporting.report import report

    title, blocks = report(start_settings("registry", "mongo"), version)
    if out is None:
        say_lines(markdown(title, blocks))
        return
    is_html = out.suffix.lower() in (".html", ".htm")
    write_file(out, (html if is_html else markdown)(title, blocks))
    say(f"the report of version {version} is in {printable(str(out))}")


def _average_precision(version: Version) -> float:
    """The version's average precision; -1 if it has none, or one that is not a number."""
    value = version.metrics.get("average_precision", -1.0)
    return -1.0 if math.isnan(value) else value


def _print(versions: list[Version]) -> None:
    table = Table("version", "role", "algorithm", "made", *(name.replace("_", " ") for name in _SHOWN))
    for version in versions:
        created_at = datetime.fromtimestamp(version.created_at_ms / 1000, UTC)
        metrics = (f"{version.metrics[name]:.4f}" if name in version.metrics else "–" for name in _SHOWN)
        table.add_row(
            version.version,
            printable(version.role, _LONGEST_TAG),
            printable(version.algorithm, _LONGEST_TAG),
            f"{created_at:%Y-%m-%d %H:%M}",
            *metrics,
        )
    terminal().print(table)
