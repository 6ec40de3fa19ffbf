"""``fraudstream bootstrap``: what a new deployment needs once, which is labelled history and a first champion."""

from __future__ import annotations

import subprocess
import tempfile
from typing import IO, Any

import orjson
import typer

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka import create_topics
from fraudstream.core.registry import champion_version
from fraudstream.core.settings import Settings, load_settings
from fraudstream.core.terminal import say_json, styled, terminal
from fraudstream.core.topics import LABELS
from fraudstream.runtime.accounting import end_offsets, stored_history
from fraudstream.runtime.interrupts import ending_in_order
from fraudstream.runtime.own_command import COMMAND, last_words, run_command, started

console = terminal(stderr=True)


@ending_in_order()
def bootstrap(
    history: int = typer.Option(20_000, min=1, help="Labelled events to train on."),
    algorithm: str = typer.Option("all", help="xgboost, gbt or all; scoring starts with the first champion."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Create the topics, publish labelled history and train a first champion, each unless it is there already.

    It waits for the store job to store the history, and may be repeated at any time.
    """
    settings = load_settings()
    create_topics(settings)
    champion = champion_version(settings)
    published, trained = 0, []
    if champion is None:
        # Training takes a while to start, in which the history is published and stored.
        words = ("train", "--algorithm", algorithm, "--await", str(history), "--json")
        with (
            tempfile.TemporaryFile() as errors,
            started([*COMMAND, *words], stdout=subprocess.PIPE, stderr=errors) as training,
        ):
            published = _publish_history(settings, history)
            trained = _outcome(training, errors)
        champion = champion_version(settings)
    if as_json:
        say_json({"published": published, "champion": champion, "trained": trained})
    else:
        said = f" {published:,} labelled events published; version {champion} is the champion"
        console.print(styled(("✓", "green"), said))


def _publish_history(settings: Settings, count: int) -> int:
    """Publish what is missing of ``count`` labelled events; returns how many that were."""
    # What is published counts even if it is not stored yet, and what is stored even if its record has expired.
    present = max(sum(end_offsets(settings, LABELS).values()), stored_history(settings, count))
    missing = max(count - present, 0)
    if missing:
        run_command("generate", "history", "--count", str(missing))
        console.print(f"published {missing:,} labelled events")
    return missing


def _outcome(training: subprocess.Popen[bytes], errors: IO[bytes]) -> list[dict[str, Any]]:
    out, _ = training.communicate()
    errors.seek(0)
    told = errors.read()
    if training.returncode:
        raise FraudstreamError(f"`fraudstream train` failed: {last_words(told, training.returncode)}")
    # Rows that were left out, among other warnings.
    for line in told.decode("utf-8", "replace").splitlines():
        console.print(line, soft_wrap=True)
    found: list[dict[str, Any]] = orjson.loads(out)["trained"]
    return found
