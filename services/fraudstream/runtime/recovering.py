"""``fraudstream recover``: go on where a job's checkpoint and its topics no longer fit each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import typer
from kafka import TopicPartition

from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable, CheckpointMisfit, ConfigurationError
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.clients import topic_partitions
from fraudstream.core.kafka.progress import GROUP_TOPICS, STORE_GROUP, STREAM_GROUP, failing_of, set_group
from fraudstream.core.output.terminal import say, say_json
from fraudstream.core.process.folders import exists
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import QUERIES, WINDOWS, TopicState, misfits, starts_after
from fraudstream.core.streaming.health import Failing

Part = Literal["stream", "store"]
PARTS: tuple[Part, ...] = ("stream", "store")

_DOCUMENTS = "documents"
_ROLLUPS = "rollups"
_JOB_GROUPS: Mapping[str, str] = {"stream": STREAM_GROUP, "store": STORE_GROUP}
# The queries whose progress a job commits to its group.
_GROUPS: Mapping[str, str] = {"stream": STREAM_GROUP, _DOCUMENTS: STORE_GROUP}
# How the advice begins that a job gives where it cannot go on from its checkpoint (:mod:`fraudstream.spark.failures`).
_ADVICE = "`fraudstream recover"
# More than a file that names a checkpoint ever has.
_LARGEST_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a query's checkpoint: nothing where there are no ``problems``.

    ``lost``: records that are gone and were never read; None where nobody can tell. ``starts``: where it goes on.
    """

    part: str
    query: str
    problems: Sequence[str] = ()
    lost: int | None = 0
    starts: Mapping[TopicPartition, int] = field(default_factory=dict)
    topic_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_needed(self) -> bool:
        return bool(self.problems)

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        starts = {f"{part.topic}/{part.partition}": offset for part, offset in sorted(self.starts.items())}
        return {
            "part": self.part,
            "query": self.query,
            "problems": list(self.problems),
            "lost": self.lost,
            "starts": starts if self.is_needed else {},
        }


@dataclass(frozen=True, slots=True)
class _JobProgress:
    """What a job commits to its group: the offsets that it has finished, and the failure that it repeats."""

    finished: Mapping[TopicPartition, int]
    failing: Failing | None = None

    @classmethod
    def read(cls, settings: Settings, group: str) -> _JobProgress:
        """Raises :class:`BrokerUnavailable`."""
        with asking(settings, group) as reader:
            commits = {
                place: commit
                for place in topic_partitions(reader, GROUP_TOPICS[group])
                if (commit := reader.committed(place, metadata=True)) is not None
            }
        failing = failing_of([commit.metadata for commit in commits.values()])
        return cls({place: commit.offset for place, commit in commits.items()}, failing)

    def blames(self, query: str, part: str) -> bool:
        """Whether the job says that it needs another checkpoint of this query to go on.

        Spark reads more files than are looked at here, and checks their sums.
        """
        if self.failing is None or not self.failing.advice.startswith(_ADVICE):
            return False
        named = self.failing.reason.partition(":")[0]
        return named not in {other for other, (job, _) in QUERIES.items() if job == part and other != query}

    @property
    def problem(self) -> str:
        """The failure, and since when it repeats."""
        return "" if self.failing is None else replace(self.failing, advice="").sentence


def recover(
    part: str = typer.Argument("", help="stream or store; both without."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would be done."),
    rebuild_rollups: bool = typer.Option(False, "--rebuild-rollups", help="Count the rollups anew from the documents."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on stdout."),
) -> None:
    """Go on where topics no longer hold what a job would read next. Documents, models and history are kept.

    A running job takes it up by itself.
    """
    if part not in ("", *PARTS):
        raise typer.BadParameter(f"{part!r} is no job with a checkpoint. It is one of {', '.join(PARTS)}.")
    settings = start_settings("kafka")
    queries = plans(settings, [part] if part else PARTS, rebuild_rollups)
    if not dry_run:
        carry_out(settings, queries)
    if as_json:
        say_json({"dry_run": dry_run, "queries": [plan.to_json() for plan in queries]})
        return
    for plan in queries:
        _show(plan, dry_run)


def plans(settings: Settings, parts: Sequence[str], rebuild_rollups: bool = False) -> list[Plan]:
    """What each query of the parts needs. Raises :class:`BrokerUnavailable`, also where a topic is missing."""
    wanted = {
        query: (part, topics)
        for query, (part, topics) in QUERIES.items()
        if part in parts and (query != WINDOWS or _has_run(settings, query))
    }
    read = {topic for _, topics in wanted.values() for topic in topics}
    state = TopicState.read(settings, sorted(read))
    if missing := sorted(read - {place.topic for place in state.ends}):
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka_bootstrap_servers} has no topic {', '.join(missing)}. Create it first, with "
            "`fraudstream topics create` (in Azure by the templates), then recover."
        )
    jobs = {part: _JobProgress.read(settings, _JOB_GROUPS[part]) for part in parts}
    by_query = {
        query: _plan(settings, query, part, state.of(topics), jobs[part]) for query, (part, topics) in wanted.items()
    }
    if _ROLLUPS in by_query and (by_query[_ROLLUPS].is_needed or rebuild_rollups):
        problems = by_query[_ROLLUPS].problems or ("the rollups are counted anew, as asked for",)
        starts = {place: at for place, at in by_query[_DOCUMENTS].starts.items() if place.topic in QUERIES[_ROLLUPS][1]}
        # What was lost to them is in the documents.
        by_query[_ROLLUPS] = Plan("store", _ROLLUPS, problems, 0, starts, by_query[_ROLLUPS].topic_ids)
    return list(by_query.values())


def _has_run(settings: Settings, query: str) -> bool:
    try:
        return exists(Checkpoint.of(settings, query).folder)
    except CheckpointMisfit:
        return True


def _plan(settings: Settings, query: str, part: str, state: TopicState, job: _JobProgress) -> Plan:
    finished = job.finished if query in _GROUPS else {}
    try:
        checkpoint = Checkpoint.of(settings, query)
        unfit = misfits(checkpoint, state, finished)
        starts = starts_after(checkpoint, state, unfit)
    except CheckpointMisfit as error:
        return _without_checkpoint(query, part, state, finished, str(error))
    problems = [misfit.sentence for misfit in unfit]
    if not problems and job.blames(query, part) and exists(checkpoint.folder):
        problems = [f"the job cannot go on from its checkpoint, {job.problem}"]
    return Plan(part, query, problems, _lost(misfit.lost for misfit in unfit), starts, state.ids)


def _without_checkpoint(
    query: str, part: str, state: TopicState, finished: Mapping[TopicPartition, int], problem: str
) -> Plan:
    """Go on at the offsets that the job committed to its group, as far as they are of these topics."""
    starts, lost = dict(state.begins), []
    for place, begin in state.begins.items():
        done = finished.get(place)
        if done is None:
            # A partition without a commit, beside others with one, had no record.
            lost.append(0 if finished and not begin else None)
        elif done > state.ends[place]:  # of a former topic of that name
            lost.append(None)
        else:
            starts[place] = max(done, begin)
            lost.append(max(begin - done, 0))
    return Plan(part, query, (problem,), _lost(lost), starts, state.ids)


def _lost(counts: Iterable[int | None]) -> int | None:
    """The sum; None where a count is None."""
    numbers = [*counts]
    return None if None in numbers else sum(count for count in numbers if count is not None)


def carry_out(settings: Settings, chosen: Sequence[Plan]) -> None:
    """Give each query that needs it another checkpoint, which starts where its plan says; its group stands there, too.

    Raises :class:`BrokerUnavailable`, and :class:`ConfigurationError` where a checkpoint cannot be written.
    """
    base = settings.data_dir.absolute() / "checkpoints"
    for plan in chosen:
        if not plan.is_needed:
            continue
        try:
            checkpoint = Checkpoint.of(settings, plan.query)
        except CheckpointMisfit:
            checkpoint = Checkpoint(plan.query, base / plan.query)
        try:
            _require_room(base)
            if group := _GROUPS.get(plan.query):
                # Offsets that the job finished in a former topic would pass for records of this one. Once the job goes
                # on, it commits its own progress.
                set_group(settings, group, plan.starts)
            checkpoint.moved_to(plan.starts, plan.topic_ids, seeded=plan.query == _ROLLUPS)
        except OSError as error:
            raise ConfigurationError(
                f"No other checkpoint of `{plan.query}` can be written in {base} ({error.strerror or error}). "
                "Recover as the user who runs the job, with room on the disk; FRAUDSTREAM_DATA_DIR names the folder."
            ) from error


def _require_room(folder: Path) -> None:
    """Raise :class:`OSError` where no file can be written: a group must not move without its checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(_LARGEST_FILE_BYTES))


def _show(plan: Plan, dry_run: bool) -> None:
    if not plan.is_needed:
        say(f"✓ {plan.query}: checkpoint and topics fit")
        return
    for problem in plan.problems:
        say(f"{plan.query}: {problem}")
    lost = "nobody can tell how many records are" if plan.lost is None else f"{plan.lost:,} records are"
    verb = "would go on" if dry_run else "goes on"
    where = ", ".join(f"{place.topic}/{place.partition} at {at:,}" for place, at in sorted(plan.starts.items()))
    say(f"  {lost} lost; it {verb} with {where}")
