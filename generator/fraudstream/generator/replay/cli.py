"""The command. What it needs is imported when it runs: help is there without a project that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.output.options import finite
from fraudstream.generator.output import Count, Hold, hold

if TYPE_CHECKING:
    from fraudstream.core.configuration.settings import Settings
    from fraudstream.core.project.project import Project
    from fraudstream.generator.files.source import FileSource
    from fraudstream.generator.pacing import Clock
    from fraudstream.generator.publish import RecordProducer, Result
    from fraudstream.generator.replay.bookmark import Bookmark
    from fraudstream.generator.replay.entries import Position, Replay, Rows


def replay(
    file: Annotated[
        Path | None,
        typer.Option("--from", help="CSV, JSON lines, a JSON array or Parquet; else the project's."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="How many times as fast as it was; 0: as fast as Kafka takes it."),
    ] = 60.0,
    from_time: Annotated[
        str | None,
        typer.Option("--from-time", help="Begin with the first row of this time, ISO 8601."),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin with the file's first live row once more.")] = False,
    count: Count = None,
    rate: Annotated[
        float, typer.Option(min=0, callback=finite, help="Events per second, in place of the file's own time line.")
    ] = 0.0,
    label_delay: Annotated[
        float | None,
        typer.Option("--label-delay", min=0, callback=finite, help="Hours until a label is known; else the project's."),
    ] = None,
    release: Annotated[
        bool, typer.Option("--release-labels", help="At the end send the labels that are not known by then as well.")
    ] = False,
    malformed: Annotated[int, typer.Option(min=0, help="How many of --count events break the event contract.")] = 0,
    holds: Hold = False,
    plan_only: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")] = False,
) -> None:
    """Send a file's live part as events on its own time line, and the labels when they are known.

    It goes on where the last replay of the file stopped. Ctrl-C stops it.
    """
    if restart and from_time is not None:
        raise typer.BadParameter("--restart and --from-time exclude each other.")
    from fraudstream.core.configuration.required import start_settings
    from fraudstream.core.contract.event import PROJECT
    from fraudstream.generator.files.source import FileSource
    from fraudstream.generator.replay.bookmark import Bookmark
    from fraudstream.generator.replay.entries import Replay

    settings = start_settings("kafka")
    whole = _file(PROJECT, file)
    source = FileSource(PROJECT, file)
    bookmark = Bookmark(settings, PROJECT.folder, whole)
    begin = _begin(source, bookmark, from_time, restart)
    hours = PROJECT.definition.source.label_delay_hours if label_delay is None else label_delay
    plan = Replay(source, begin, _delay(hours), count, release)
    if plan_only:
        _tell_plan(source, begin, as_json)
        return
    # Without a count the number of events is known as well: the file ends.
    expected = min(max(source.count - begin.event, 0), source.count if count is None else count)
    if holds:
        hold()
    run = _Run(settings, plan, bookmark, expected, malformed, speed, rate, begin)
    result = run.sent()
    _report(result, source, run.position, as_json, limited=count is not None)


@dataclass(slots=True)
class _Run:
    """One sending of a plan; ``position``: up to where all has been acknowledged."""

    settings: Settings
    plan: Replay
    bookmark: Bookmark
    expected: int
    malformed: int
    speed: float
    rate: float
    position: Position

    def sent(self) -> Result:
        """Send all of it, and keep the position, whatever happens."""
        from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
        from fraudstream.generator.output import progress
        from fraudstream.generator.publish import accounted

        begin = self.position
        with progress("Replaying", self.expected) as advance:

            def acknowledged(result: Result) -> None:
                advance(result)
                self.position = result.position or begin
                self.bookmark.note(self.position)

            def deliver_all(sender: RecordProducer, clock: Clock) -> Result:
                return self._delivered(sender, clock, acknowledged)

            try:
                result = accounted(self.settings, (TRANSACTIONS, LABELS), deliver_all)
                self.position = result.position or begin
            finally:
                self.bookmark.save(self.position)
        return result

    def _delivered(self, sender: RecordProducer, clock: Clock, acknowledged: Any) -> Result:
        from fraudstream.core.contract.topics import TRANSACTIONS
        from fraudstream.generator.publish import PACED_IN_FLIGHT, UNPACED_IN_FLIGHT, deliver
        from fraudstream.generator.replay.time_line import TimeLine, broken

        entries = broken(self.plan.entries(), self.expected, self.malformed)
        line = TimeLine(entries, clock, speed=self.speed, rate=self.rate)
        in_flight = PACED_IN_FLIGHT if self.rate or self.speed else UNPACED_IN_FLIGHT
        return deliver(sender, TRANSACTIONS, line.records(), line, clock, in_flight, acknowledged)


def _file(project: Project, file: Path | None) -> Path:
    """The file that is read. Raises :class:`ConfigurationError` where there is none."""
    if file is not None:
        return file
    own = project.definition.source.file
    if own is None:
        raise ConfigurationError(
            f"The project {project.name!r} has no file in `[source]` of its fraudstream.toml: give --from FILE"
            + (", or make events with `fraudstream generate live`." if project.definition.source.generator else ".")
        )
    return project.folder / own


def _begin(source: Rows, bookmark: Bookmark, from_time: str | None, restart: bool) -> Position:
    """Where to begin: at a time, with the first live row, or where the last replay stopped.

    Raises :class:`ConfigurationError`.
    """
    from fraudstream.generator.replay.entries import Position, place_of

    first = source.history_count
    if from_time is not None:
        first = place_of(source, _moment(from_time))
    elif not restart:
        return bookmark.read() or Position(first, first, 0)
    return Position(first, first, 0)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"--from-time {text!r} is no time of ISO 8601, such as 2026-11-24T10:00:00Z."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _delay(hours: float) -> timedelta:
    try:
        return timedelta(hours=hours)
    except OverflowError:
        raise ConfigurationError(
            f"A label delay of {hours:g} hours is longer than all time. Give a shorter one."
        ) from None


def _tell_plan(source: Rows, begin: Position, as_json: bool) -> None:
    from fraudstream.core.output.terminal import say, say_json

    left = max(source.count - begin.event, 0)
    if as_json:
        facts = {"rows": source.count, "history_rows": source.history_count, "left": left}
        say_json(facts | {"position": begin._asdict()})
    else:
        say(
            f"{source.count:,} rows, of which {source.history_count:,} are history; "
            f"{left:,} live ones are left to replay, from row {begin.event + 1:,} on in the order of time"
        )


def _report(result: Result, source: FileSource, position: Position, as_json: bool, *, limited: bool) -> None:
    from fraudstream.core.contract.topics import TRANSACTIONS
    from fraudstream.core.output.terminal import say, say_json
    from fraudstream.generator.output import INTERRUPTED, in_words, reported, say_odd_rows

    rows = source.count
    left = max(rows - position.event, 0)
    if as_json:
        facts = {"labels": result.elsewhere, "labels_held_back": position.held, "rows": rows, "left": left}
        facts["odd_rows"] = source.odd_count
        say_json(reported(result, facts | {"position": position._asdict()}))
    else:
        say(in_words(result, TRANSACTIONS))
        held = f", {position.held:,} are held back until they are known" if position.held else ""
        say(f"{result.elsewhere:,} labels{held}; {left:,} rows are left")
        say_odd_rows(source)
        if not result.produced and not left:
            say("All rows have been replayed: --restart begins with the first live one again.")
    if result.stopped and limited:
        raise typer.Exit(INTERRUPTED)
