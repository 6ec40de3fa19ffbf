"""``fraudstream generate``: labelled history and live traffic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.options import finite
from fraudstream.generator.labelling import labels
from fraudstream.generator.output import INTERRUPTED, Count, Hold, hold, progress, say_odd_rows

if TYPE_CHECKING:
    from fraudstream.core.configuration.settings import Settings
    from fraudstream.generator.publish import Result
    from fraudstream.generator.simulators import Simulator

# Importing this module must not need the project in force: help is there without one.
app = typer.Typer(help="Make transactions and send them to Kafka.", no_args_is_help=True)
app.command()(labels)


class Way(StrEnum):
    """How events get in."""

    kafka = "kafka"
    http = "http"
    mqtt = "mqtt"


Seed = Annotated[
    int | None,
    typer.Option(min=0, help="Decides the transactions; by default the history's where they go on with it, or random."),
]
FirstId = Annotated[int | None, typer.Option(min=0, help="Id of the first event; by default the first free one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")]


@app.command()
def history(
    count: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many transactions: as many as the project says; of a file's history the newest, or all."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides the transactions, unless they come from a file.")] = 7,
    first_id: FirstId = None,
    wait: Annotated[
        float, typer.Option(min=0, callback=finite, help="How many seconds to wait for a broker that is starting.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Send labelled transactions to the topic `labels`: of the last year, or the first part of the project's file."""
    from fraudstream.core.configuration.required import start_settings
    from fraudstream.core.contract.event import PROJECT

    settings = start_settings("kafka")
    if PROJECT.definition.source.file is None:
        whole = PROJECT.definition.source.history_count if count is None else count
        _simulated_history(settings, whole, seed, first_id, _Options(wait, as_json))
    elif first_id is not None:
        raise ConfigurationError(
            f"The history of the project {PROJECT.name!r} is in a file, whose rows have ids. Leave out --first-id."
        )
    else:
        _history_of_file(settings, count, _Options(wait, as_json))


@dataclass(frozen=True, slots=True)
class _Options:
    """How long the broker is waited for, and how the run is reported."""

    wait: float
    as_json: bool


def _simulated_history(settings: Settings, count: int, seed: int, first_id: int | None, options: _Options) -> None:
    from datetime import UTC, datetime

    from fraudstream.core.contract.event import FIRST_HISTORY_ID, PROJECT
    from fraudstream.generator.malformed import mix
    from fraudstream.generator.next_id import next_id
    from fraudstream.generator.publish import publish
    from fraudstream.generator.reading import await_topic
    from fraudstream.generator.simulators import simulator_of

    simulator = simulator_of(PROJECT)
    await_topic(settings, LABELS, options.wait)
    start = next_id(settings, FIRST_HISTORY_ID) if first_id is None else first_id
    _check_ids(start, count)
    values = simulator.history(count, start, seed, datetime.now(UTC))
    with progress("Sending history", count) as advance:
        result = publish(settings, LABELS, mix(values, start), count=count, on_acknowledged=advance)
    _report(result, LABELS, {"seed": seed}, options.as_json, limited=True)


def _history_of_file(settings: Settings, count: int | None, options: _Options) -> None:
    from fraudstream.core.contract.event import PROJECT
    from fraudstream.generator.files.source import FileSource
    from fraudstream.generator.publish import publish
    from fraudstream.generator.reading import await_topic
    from fraudstream.generator.replay.entries import History

    source = FileSource(PROJECT)
    part = History(source, count)
    await_topic(settings, LABELS, options.wait)
    with progress("Sending history", part.rows) as advance:
        result = publish(settings, LABELS, part.records(), on_acknowledged=advance)
    facts = {"rows": source.count, "history_rows": source.history_count, "unlabelled": part.unlabelled}
    _report(result, LABELS, facts | {"odd_rows": source.odd_count}, options.as_json, limited=True)
    if not options.as_json:
        say_odd_rows(source)


@app.command()
def live(
    rate: Annotated[
        float, typer.Option(min=0, callback=finite, help="Events per second on a fixed schedule; 0: without pause.")
    ] = 1.0,
    count: Count = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, callback=finite, help="Stop after this many seconds.")
    ] = None,
    seed: Seed = None,
    malformed: Annotated[int, typer.Option(min=0, help="How many of them break the event contract.")] = 0,
    first_id: FirstId = None,
    via: Annotated[
        Way, typer.Option(help="How they are sent: to Kafka, posted to Event Hubs' HTTP address, or over MQTT.")
    ] = Way.kafka,
    url: Annotated[str, typer.Option(help="The address for --via http, such as http://127.0.0.1:8088.")] = "",
    devices: Annotated[int, typer.Option(min=1, max=1_000, help="How many devices send, for --via mqtt.")] = 10,
    holds: Hold = False,
    as_json: AsJson = False,
) -> None:
    """Send transactions without labels to the topic `transactions`, until Ctrl-C or the given limit."""
    import secrets

    from fraudstream.core.configuration.required import start_settings
    from fraudstream.core.contract.event import PROJECT
    from fraudstream.generator.malformed import mix
    from fraudstream.generator.pacing import scheduled
    from fraudstream.generator.publish import paced, publish
    from fraudstream.generator.simulators import simulator_of

    if PROJECT.definition.source.file is not None:
        raise ConfigurationError(
            f"The live events of the project {PROJECT.name!r} are in a file: `fraudstream replay` sends them."
        )
    simulator = simulator_of(PROJECT)
    limits = [limit for limit in (count, scheduled(rate, seconds)) if limit is not None]
    expected = min(limits) if limits else None
    # The live events of a line of time go on where its history ends, in the same world.
    seed = simulator.SEED if seed is None else seed
    seed = secrets.randbelow(2**32) if seed is None else seed
    settings = start_settings("kafka")
    start = _free_id(settings, via, simulator) if first_id is None else first_id
    _check_ids(start, expected or 0)
    values = simulator.live(expected, start, seed)
    # Without a rate a time limit may end the run at any record, so that no place in it is certain.
    known = None if seconds is not None and not rate else expected
    if holds:
        hold()
    records = mix(values, start, count=known, malformed_count=malformed, seed=seed)
    with progress("Sending transactions", expected) as advance:
        deliver_all = paced(TRANSACTIONS, records, rate, seconds, expected, advance)
        if via is Way.http:
            from fraudstream.generator.posting.run import posted
            from fraudstream.generator.posting.target import Target

            result = posted(Target.of(settings, url, TRANSACTIONS), deliver_all)
        elif via is Way.mqtt:
            from fraudstream.generator.telemetry.sender import through_devices

            result = through_devices(settings, devices, deliver_all)
        else:
            result = publish(
                settings, TRANSACTIONS, records, rate=rate, seconds=seconds, count=expected, on_acknowledged=advance
            )
    _report(result, TRANSACTIONS, {"seed": seed}, as_json, limited=bool(limits) or seconds is not None)


def _free_id(settings: Settings, via: Way, simulator: Simulator) -> int:
    """The first id that no event has yet. Raises :class:`ConfigurationError` where nobody can know it."""
    from fraudstream.core.contract.event import FIRST_LIVE_ID
    from fraudstream.generator.next_id import next_id

    if via is Way.kafka:
        return next_id(settings, FIRST_LIVE_ID)
    if simulator.SEED is not None:
        raise ConfigurationError(
            f"--via {via} cannot read which ids there are, and an id is a place on the simulator's line of time. Give "
            "--first-id: one more than the id of the last event."
        )
    # No other run begins in the same microsecond.
    return time.time_ns() // 1_000


def _check_ids(first_id: int, count: int) -> None:
    if first_id + count > 2**63:
        raise ConfigurationError(
            f"--first-id {first_id} leaves no room for {count} events: "
            f"an id is at most {2**63 - 1}. Give a smaller one."
        )


def _report(result: Result, topic: str, facts: dict[str, Any], as_json: bool, *, limited: bool) -> None:
    from fraudstream.core.output.terminal import say, say_json
    from fraudstream.generator.output import in_words, reported

    if as_json:
        say_json(reported(result, facts))
    else:
        say(in_words(result, topic, seed=facts.get("seed")))
        if facts.get("unlabelled"):
            say(f"{facts['unlabelled']:,} rows without a label are left out", err=True)
    # An endless run is ended by a signal; one with a limit has not done what was asked.
    if result.stopped and limited:
        raise typer.Exit(INTERRUPTED)
