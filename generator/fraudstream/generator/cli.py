"""``fraudstream generate``: labelled history and live traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from fraudstream.core.contract.event import FIRST_HISTORY_ID, FIRST_LIVE_ID
from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.options import finite

if TYPE_CHECKING:
    from fraudstream.generator.publish import Result

app = typer.Typer(help="Make transactions and send them to Kafka.", no_args_is_help=True)

# As a shell reports a command that SIGINT ended.
INTERRUPTED = 130

Seed = Annotated[int | None, typer.Option(min=0, help="Decides the transactions; by default a random one.")]
FirstId = Annotated[int | None, typer.Option(min=0, help="Id of the first event; by default the first free one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")]


@app.command()
def history(
    count: Annotated[int, typer.Option(min=1, help="How many transactions.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Decides the transactions.")] = 7,
    first_id: FirstId = None,
    as_json: AsJson = False,
) -> None:
    """Send labelled transactions of the last year to the topic `labels`."""
    from datetime import UTC, datetime

    from fraudstream.core.configuration.required import start_settings
    from fraudstream.generator.malformed import mix
    from fraudstream.generator.next_id import next_id
    from fraudstream.generator.publish import publish
    from fraudstream.generator.transactions import generate, history_dates, last_midnight

    settings = start_settings("kafka")
    start = next_id(settings, FIRST_HISTORY_ID) if first_id is None else first_id
    _check_ids(start, count)
    dates = history_dates(count, last_midnight(datetime.now(UTC)))
    values = generate(count, start, seed, labelled=True, dates=dates)
    with _progress("Sending history", count) as advance:
        result = publish(settings, LABELS, mix(values, start), count=count, on_acknowledged=advance)
    _report(result, LABELS, seed, as_json, limited=True)


@app.command()
def live(
    rate: Annotated[
        float, typer.Option(min=0, callback=finite, help="Events per second on a fixed schedule; 0: without pause.")
    ] = 1.0,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after this many events.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, callback=finite, help="Stop after this many seconds.")
    ] = None,
    seed: Seed = None,
    malformed: Annotated[int, typer.Option(min=0, help="How many of them break the event contract.")] = 0,
    first_id: FirstId = None,
    as_json: AsJson = False,
) -> None:
    """Send transactions that are made now to the topic `transactions`, until Ctrl-C or the given limit."""
    import secrets

    from fraudstream.core.configuration.required import start_settings
    from fraudstream.generator.malformed import mix
    from fraudstream.generator.next_id import next_id
    from fraudstream.generator.pacing import scheduled
    from fraudstream.generator.publish import publish
    from fraudstream.generator.transactions import generate, live_dates

    limits = [limit for limit in (count, scheduled(rate, seconds)) if limit is not None]
    expected = min(limits) if limits else None
    seed = secrets.randbelow(2**32) if seed is None else seed
    settings = start_settings("kafka")
    start = next_id(settings, FIRST_LIVE_ID) if first_id is None else first_id
    _check_ids(start, expected or 0)
    values = generate(expected, start, seed, labelled=False, dates=live_dates())
    # Without a rate a time limit may end the run at any record, so that no place in it is certain.
    known = None if seconds is not None and not rate else expected
    records = mix(values, start, count=known, malformed_count=malformed, seed=seed)
    with _progress("Sending transactions", expected) as advance:
        result = publish(
            settings, TRANSACTIONS, records, rate=rate, seconds=seconds, count=expected, on_acknowledged=advance
        )
    _report(result, TRANSACTIONS, seed, as_json, limited=bool(limits) or seconds is not None)


def _check_ids(first_id: int, count: int) -> None:
    if first_id + count > 2**63:
        raise ConfigurationError(
            f"--first-id {first_id} leaves no room for {count} events: "
            f"an id is at most {2**63 - 1}. Give a smaller one."
        )


@contextmanager
def _progress(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, on a terminal only; yields the function that takes how much is done.

    Each acknowledgement also shows whoever watches this process that it gets on.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from fraudstream.core.kafka.progress import heartbeat
    from fraudstream.core.output.terminal import terminal

    console = terminal(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        beat = heartbeat()

        def advance(done: int) -> None:
            progress.update(task, completed=done)
            beat()

        yield advance


def _report(result: Result, topic: str, seed: int, as_json: bool, *, limited: bool) -> None:
    from fraudstream.core.output.terminal import say, say_json

    if as_json:
        report = {
            "produced": result.produced,
            "malformed": result.malformed,
            "refused": result.refused,
            "first_id": result.first_id,
            "last_id": result.last_id,
            "seed": seed,
            "seconds": round(result.seconds, 3),
            "events_per_second": round(result.events_per_second, 1),
            "malformed_kinds": dict(sorted(result.kinds.items())),
            "offsets": result.offsets,
            "interrupted": result.stopped,
        }
        say_json(report)
    else:
        say(
            f"{result.produced:,} events in {topic}"
            + (f", {result.malformed:,} of them malformed" if result.malformed else "")
            + (f", {result.refused:,} refused by the broker" if result.refused else "")
            + (f", ids {result.first_id}–{result.last_id}" if result.produced else "")
            + f", seed {seed}; {result.seconds:,.1f} s, {result.events_per_second:,.0f} events/s"
        )
    # An endless run is ended by a signal; one with a limit has not done what was asked.
    if result.stopped and limited:
        raise typer.Exit(INTERRUPTED)
