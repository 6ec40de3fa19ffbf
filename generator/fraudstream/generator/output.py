"""What the commands that send records show while they do, and report at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudstream.core.output.text import printable

if TYPE_CHECKING:
    from fraudstream.generator.files.source import FileSource
    from fraudstream.generator.publish import Result

# As a shell reports a command that SIGINT ended.
INTERRUPTED = 130

Count = Annotated[int | None, typer.Option(min=1, help="Stop after this many events.")]
Hold = Annotated[bool, typer.Option("--hold", hidden=True, help="Be loaded, and begin at a line on stdin.")]

_LONGEST_ID = 60
_LONGEST_PROBLEM = 100


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Callable[[Result], None]]:
    """A bar on stderr, on a terminal only; yields the function that takes what is done.

    Each acknowledgement also shows whoever watches this process that it gets on.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from fraudstream.core.kafka.progress import heartbeat
    from fraudstream.core.output.terminal import terminal

    console = terminal(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(description, total=total)
        beat = heartbeat()

        def advance(result: Result) -> None:
            bars.update(task, completed=result.produced)
            beat()

        yield advance


def hold() -> None:
    """Wait for a line on stdin; ends the command where none comes, as whoever would have written it is gone."""
    if not sys.stdin.readline():
        raise typer.Exit(INTERRUPTED)


def reported(result: Result, facts: Mapping[str, Any]) -> dict[str, Any]:
    """A run as a JSON-ready object, with ``facts`` of the command in it."""
    return {
        "produced": result.produced,
        "malformed": result.malformed,
        "refused": result.refused,
        "first_id": result.first_id,
        "last_id": result.last_id,
        **facts,
        "seconds": round(result.seconds, 3),
        "events_per_second": round(result.events_per_second, 1),
        "malformed_kinds": dict(sorted(result.kinds.items())),
        "offsets": result.offsets,
        "interrupted": result.stopped,
    }


def in_words(result: Result, topic: str, *, seed: int | None = None) -> str:
    """A run in one line."""
    return (
        f"{result.produced:,} events in {topic}"
        + (f", {result.malformed:,} of them malformed" if result.malformed else "")
        + (f", {result.refused:,} refused by the broker" if result.refused else "")
        + (f", ids {_shown(result.first_id)}–{_shown(result.last_id)}" if result.produced else "")
        + (f", seed {seed}" if seed is not None else "")
        + f"; {result.seconds:,.1f} s, {result.events_per_second:,.0f} events/s"
    )


def say_odd_rows(source: FileSource) -> None:
    """Name the first rows that have too few or too many cells; all of them are sent, and the contract judges."""
    from fraudstream.core.output.terminal import say

    if source.odd_count:
        first = "; ".join(
            f"line {row.line}: {printable(row.problem, _LONGEST_PROBLEM)}" for row in source.first_odd_rows[:3]
        )
        say(f"{source.odd_count:,} rows of the file have too few or too many cells ({first})", err=True)


def _shown(id: int | str | None) -> str:
    # A text may hold whatever its sender put there.
    return printable(str(id), _LONGEST_ID)
