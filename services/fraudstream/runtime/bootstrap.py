"""``fraudstream bootstrap``: what a new deployment needs once, which is labelled history and a first champion."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import IO, Any

import orjson
import typer

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import LABELS
from fraudstream.core.errors import FraudstreamError, ModelError
from fraudstream.core.kafka.clients import create_topics
from fraudstream.core.output.terminal import say_json, styled, terminal
from fraudstream.core.registry import champion_version
from fraudstream.runtime.accounting import end_offsets, stored_history
from fraudstream.runtime.interrupts import ending_in_order
from fraudstream.runtime.own_command import COMMAND, last_words, run_command, started

console = terminal(stderr=True)


@dataclass(frozen=True, slots=True)
class Training:
    """What ``fraudstream train`` registered, which algorithms failed, and the error that it ended with."""

    trained: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    error: FraudstreamError | None = None


@ending_in_order()
def bootstrap(
    history: int = typer.Option(20_000, min=1, help="Labelled events to train on; of a file's at most so many."),
    algorithm: str = typer.Option("all", help="xgboost, gbt or all; scoring starts with the first champion."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Create the topics, publish labelled history and train a first champion, each unless it is there already.

    It waits for the store job to store the history, and may be repeated at any time. It fails where there is no
    champion in the end; an algorithm that failed beside one is told.
    """
    settings = load_settings()
    create_topics(settings)
    champion = champion_version(settings)
    published, outcome = 0, Training()
    if champion is None:
        published, outcome = train_on_history(settings, history, algorithm)
        champion = _first_champion(settings, outcome)
        if outcome.error is not None:
            console.print(str(outcome.error), style="red", soft_wrap=True)
    if as_json:
        results = {"trained": outcome.trained, "failed": outcome.failed}
        say_json({"published": published, "champion": champion, **results})
    else:
        said = f" {published:,} labelled events published; version {champion} is the champion"
        console.print(styled(("✓", "green"), said))


def train_on_history(settings: Settings, history: int, algorithm: str) -> tuple[int, Training]:
    """Publish what is missing of the history and train on it; returns how many events were published."""
    is_file = PROJECT.definition.source.file is not None
    # How many labelled events a file has is known when they are published.
    awaited = published = _publish_file(history) if is_file else 0
    words = ("train", "--algorithm", algorithm, "--await", str(awaited if is_file else history), "--json")
    with (
        tempfile.TemporaryFile() as errors,
        started([*COMMAND, *words], stdout=subprocess.PIPE, stderr=errors, start_new_session=True) as training,
    ):
        if not is_file:
            # Training takes a while to start, in which the history is published and stored.
            published = publish_history(settings, history)
        return published, _outcome(training, errors)


def _publish_file(most: int) -> int:
    """Publish the file's history; returns how many events that were. What is there already is not stored again."""
    published: int = run_command("generate", "history", "--count", str(most))["produced"]
    console.print(f"published {published:,} labelled events")
    return published


def publish_history(settings: Settings, count: int) -> int:
    """Publish what is missing of ``count`` labelled events; returns how many that were."""
    # What is published counts even if it is not stored yet, and what is stored even if its record has expired.
    present = max(sum(end_offsets(settings, LABELS).values()), stored_history(settings, count))
    missing = max(count - present, 0)
    if missing:
        run_command("generate", "history", "--count", str(missing))
        console.print(f"published {missing:,} labelled events")
    return missing


def _outcome(training: subprocess.Popen[bytes], errors: IO[bytes]) -> Training:
    out, _ = training.communicate()
    errors.seek(0)
    stderr = errors.read()
    lines = stderr.decode("utf-8", "replace").splitlines()
    # Rows that were left out, among other warnings; the last line of a failure is in the error.
    for line in lines[:-1] if training.returncode else lines:
        console.print(line, soft_wrap=True)
    # One algorithm's failure ends it as failed after it has told what became of the others; others before that.
    report = orjson.loads(out) if out.strip() else {}
    error = None
    if training.returncode:
        error = FraudstreamError(f"`fraudstream train` failed: {last_words(stderr, training.returncode)}")
    return Training(report.get("trained", []), report.get("failed", []), error)


def _first_champion(settings: Settings, outcome: Training) -> str:
    """The champion that there is after the training. Raises what the training failed with where there is none.

    Whoever starts a failed bootstrap again, as Compose does, would do so for ever beside a champion that scores.
    """
    champion = champion_version(settings)
    if champion is None:
        raise outcome.error or ModelError(
            f"The training has ended, and {settings.model_name!r} has no champion. `fraudstream models list` shows the "
            "versions, `fraudstream models promote` makes one the champion."
        )
    return champion
