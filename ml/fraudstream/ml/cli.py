"""``fraudstream train`` and ``fraudstream models``; what is heavy is imported by the commands."""

from __future__ import annotations

import importlib
import math
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError, TrainingFailed
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.output.terminal import say, say_json, terminal
from fraudstream.core.output.text import printable

if TYPE_CHECKING:
    from fraudstream.ml import training
    from fraudstream.ml.registry import Version

models = typer.Typer(help="The registered model's versions.", no_args_is_help=True)

_ALGORITHMS = {"xgboost": ("xgboost",), "gbt": ("gbt",), "all": ("xgboost", "gbt")}
# Tags are free text of whoever may write to the registry.
_LONGEST_TAG = 60
_SHOWN = ("average_precision", "roc_auc", "accuracy", "precision", "recall", "ece")


def train(
    algorithm: str = typer.Option("all", help="xgboost (about a second), gbt (Spark ML, half a minute) or all."),
    seed: int = typer.Option(7, help="Seed of the training."),
    awaited: int = typer.Option(0, "--await", min=0, help="Wait until so many labelled transactions are stored."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Train on the stored labelled history; the better model by average precision is the champion."""
    if algorithm not in _ALGORITHMS:
        raise typer.BadParameter(f"--algorithm {algorithm!r}: it is one of {', '.join(_ALGORITHMS)}")
    settings = start_settings("mongo", "registry")
    configure_logging("train", "WARNING")
    from fraudstream.ml.failures import one_line

    # A run under way is marked as ended by a signal, whichever of the two it was.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = terminal(stderr=True)
    with console.status("starting Spark") as line:
        try:
            result = _trained(settings, _ALGORITHMS[algorithm], seed, awaited, line.update)
        except (FraudstreamError, ModuleNotFoundError):
            raise
        except Exception as error:
            raise TrainingFailed(
                f"The training failed ({one_line(error)}). `fraudstream doctor` checks memory, disk and Java."
            ) from error
    if as_json:
        found = [
            {"algorithm": one.algorithm, "version": one.version, "promoted": one.promoted, "metrics": one.metrics}
            for one in result.trained
        ]
        failed = [{"algorithm": one.algorithm, "reason": one.reason} for one in result.failed]
        say_json({"trained": found, "failed": failed, "left_out": result.left_out.to_json()})
    else:
        _tell(result)
    if result.failed:
        raise TrainingFailed(
            "; ".join(f"{one.algorithm} was not trained: {one.reason}" for one in result.failed)
            + ("." if not result.trained else f". {', '.join(one.algorithm for one in result.trained)} is registered.")
        )


def _trained(
    settings: Settings, algorithms: Any, seed: int, awaited: int, tell: Callable[[str], None]
) -> training.Result:
    from fraudstream.spark.session import spark_session

    # Imports that take seconds of a processor which Spark's own start leaves idle.
    importing = threading.Thread(target=_import_training)
    importing.start()
    try:
        spark = spark_session(settings, "train")
    finally:
        importing.join()
    try:
        from fraudstream.ml.training import train as run

        return run(spark, settings, algorithms, seed, awaited, tell)
    finally:
        # A Java process that is gone cannot be stopped; what happened to it is told by the error under way.
        with suppress(Exception):
            spark.stop()


def _import_training() -> None:
    # What cannot be imported is told where it is needed.
    with suppress(ImportError):
        importlib.import_module("fraudstream.ml.training")


def _tell(result: training.Result) -> None:
    if result.left_out.count:
        say(f"{result.left_out.count:,} labelled transactions were left out: {result.left_out}")
    for one in result.trained:
        became = "is the champion" if one.promoted else "stays a challenger"
        shown = " · ".join(f"{name.replace('_', ' ')} {one.metrics[name]:.4f}" for name in _SHOWN)
        say(f"{one.algorithm}, version {one.version}, {became}: {shown}")


@models.command("list")
def list_versions(as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout.")) -> None:
    """List the versions, the newest first."""
    from fraudstream.ml.registry import versions

    settings = start_settings("registry")
    found = versions(settings)
    if as_json:
        say_json({"model": settings.model_name, "versions": [one.to_json() for one in found]})
    elif not found:
        say("no version is registered yet; `fraudstream train` makes one")
    else:
        _print(found)


@models.command()
def promote(
    version: str = typer.Argument(help="The version's number."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Make a version the champion; running services take it up by themselves."""
    from fraudstream.ml import registry

    settings = start_settings("registry")
    registry.promote(settings, version)
    if as_json:
        say_json({"model": settings.model_name, "champion": version})
    else:
        say(f"version {version} is the champion")


@models.command()
def compare(
    versions: list[str] = typer.Argument(None, help="Versions to compare; all without."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Compare versions by the metrics of their training runs, the best average precision first."""
    from fraudstream.core.errors import ModelError
    from fraudstream.ml import registry

    found = registry.versions(start_settings("registry"))
    if missing := set(versions or ()) - {one.version for one in found}:
        raise ModelError(f"There is no version {', '.join(sorted(missing))}. `fraudstream models list` shows them.")
    chosen = [one for one in found if not versions or one.version in versions]
    chosen.sort(key=_average_precision, reverse=True)
    if as_json:
        say_json({"versions": [one.to_json() for one in chosen]})
    else:
        _print(chosen)


def _average_precision(one: Version) -> float:
    """Its average precision; least of all where there is none, or none that is a number."""
    measured = one.metrics.get("average_precision", -1.0)
    return -1.0 if math.isnan(measured) else measured


def _print(found: list[Any]) -> None:
    table = Table("version", "role", "algorithm", "made", *(name.replace("_", " ") for name in _SHOWN))
    for one in found:
        made = datetime.fromtimestamp(one.created_at_ms / 1000, UTC)
        measured = (f"{one.metrics[name]:.4f}" if name in one.metrics else "–" for name in _SHOWN)
        table.add_row(
            one.version,
            printable(one.role, _LONGEST_TAG),
            printable(one.algorithm, _LONGEST_TAG),
            f"{made:%Y-%m-%d %H:%M}",
            *measured,
        )
    terminal().print(table)
