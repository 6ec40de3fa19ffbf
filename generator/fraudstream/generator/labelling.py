"""``fraudstream generate labels``: what becomes known of live events, later on their own line of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.options import finite
from fraudstream.generator.output import INTERRUPTED, in_words, progress, reported

if TYPE_CHECKING:
    from fraudstream.core.project.project import Project
    from fraudstream.generator.malformed import Record
    from fraudstream.generator.simulators import Outcome, TimeLine

_HOURS_OF_LONGEST = 24 * 365 * 100


def labels(
    delay: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=_HOURS_OF_LONGEST,
            callback=finite,
            help="Hours on the events' own line of time until a label is known; else the project's.",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many at most; else all that are known by now.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="That of the live events, if they were given one.")] = None,
    first_id: Annotated[
        int | None, typer.Option(min=0, help="The first event; by default the one behind those that have a label.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")] = False,
) -> None:
    """Send the labels of live events to the topic `labels`: those that are known at the time of the newest event."""
    from fraudstream.core.configuration.required import start_settings
    from fraudstream.core.contract.event import FIRST_LIVE_ID, PROJECT
    from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
    from fraudstream.core.output.terminal import say, say_json
    from fraudstream.generator.next_id import next_id
    from fraudstream.generator.publish import publish

    simulator = _time_line(PROJECT)
    seed = simulator.SEED if seed is None else seed
    assert seed is not None  # noqa: S101 - a line of time has one
    hours = PROJECT.definition.source.label_delay_hours if delay is None else delay
    settings = start_settings("kafka")
    # History has its labels, and its ids are before those of the live events.
    first = next_id(settings, FIRST_LIVE_ID, (LABELS,)) if first_id is None else first_id
    behind = next_id(settings, 0, (TRANSACTIONS,))
    known = known_by(simulator, seed, (first, behind - 1), timedelta(hours=hours))
    with progress("Sending labels", count) as advance:
        result = publish(settings, LABELS, islice(verdicts(known), count), on_acknowledged=advance)
    if as_json:
        say_json(reported(result, {"seed": seed, "delay_hours": hours}))
    else:
        say(in_words(result, LABELS, seed=seed))
    if result.stopped:
        raise typer.Exit(INTERRUPTED)


def known_by(
    simulator: TimeLine, seed: int, ids: tuple[int, int], delay: timedelta
) -> Iterator[tuple[Outcome, datetime]]:
    """What is known of the first event and those behind it when the other one is made, and when it became known.

    ``ids`` are those of the two events; nothing is known where the other one comes first.
    """
    first, newest = ids
    if newest < first:
        return
    (until,) = (outcome.made_at for outcome in islice(simulator.outcomes(newest, seed), 1))
    for outcome in simulator.outcomes(first, seed):
        known_at = outcome.made_at + delay
        if known_at > until or outcome.id > newest:
            return
        yield outcome, known_at


def verdicts(known: Iterator[tuple[Outcome, datetime]]) -> Iterator[Record]:
    """What is known as records of `labels`; of a fraud with its campaign."""
    from fraudstream.generator.malformed import Record
    from fraudstream.generator.replay.entries import verdict

    for outcome, known_at in known:
        value = verdict(outcome.id, outcome.label, known_at, outcome.campaign)
        yield Record(outcome.id, b"%d" % outcome.id, value)


def _time_line(project: Project) -> TimeLine:
    """The project's simulator. Raises :class:`ConfigurationError` for a source that has no line of time."""
    from fraudstream.generator.simulators import simulator_of

    if project.definition.source.file is not None:
        raise ConfigurationError(
            f"The labels of the project {project.name!r} are in a file: `fraudstream replay` sends them, too."
        )
    simulator = simulator_of(project)
    if simulator.SEED is None:
        raise ConfigurationError(
            f"The simulator {project.definition.source.generator!r} makes live events of the present moment, and what "
            "becomes of them is not known later. `fraudstream generate history` makes labelled events."
        )
    return cast("TimeLine", simulator)
