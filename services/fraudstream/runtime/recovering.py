"""``fraudstream recover``: go on where a job's checkpoint and its topics no longer fit each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import typer
from kafka import TopicPartition

from fraudstream.core.checkpoints import Checkpoint
from fraudstream.core.errors import BrokerUnavailable, CheckpointMisfit
from fraudstream.core.fit import QUERIES, Misfit, TopicState, misfits, starts_after
from fraudstream.core.kafka import consumer, topic_partitions
from fraudstream.core.progress import STORE_GROUP, STREAM_GROUP, set_group
from fraudstream.core.required import start_settings
from fraudstream.core.settings import Settings
from fraudstream.core.terminal import say, say_json

Part = Literal["stream", "store"]
PARTS: tuple[Part, ...] = ("stream", "store")

_DOCUMENTS = "documents"
_ROLLUPS = "rollups"
_GROUPS: Mapping[str, str] = {"stream": STREAM_GROUP, _DOCUMENTS: STORE_GROUP}


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one query's checkpoint: nothing where there are no ``problems``.

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
    found = plans(settings, [part] if part else PARTS, rebuild_rollups)
    if not dry_run:
        carry_out(settings, found)
    if as_json:
        say_json({"dry_run": dry_run, "queries": [plan.to_json() for plan in found]})
        return
    for plan in found:
        _show(plan, dry_run)


def plans(settings: Settings, parts: Sequence[str], rebuild_rollups: bool = False) -> list[Plan]:
    """What each query of the parts needs. Raises :class:`BrokerUnavailable`, also where a topic is missing."""
    wanted = {query: (part, topics) for query, (part, topics) in QUERIES.items() if part in parts}
    state = TopicState.read(settings, sorted({topic for _, topics in wanted.values() for topic in topics}))
    found: dict[str, Plan] = {}
    for query, (part, topics) in wanted.items():
        if missing := sorted(set(topics) - {known.topic for known in state.ends}):
            raise BrokerUnavailable(
                f"Kafka at {settings.kafka_bootstrap_servers} has no topic {', '.join(missing)}. Create it first, with "
                "`fraudstream topics create` (in Azure by the templates), then recover."
            )
        found[query] = _plan(settings, query, part, state.of(topics))
    if _ROLLUPS in found and (found[_ROLLUPS].is_needed or rebuild_rollups):
        problems = found[_ROLLUPS].problems or ("the rollups are counted anew, as asked for",)
        starts = {place: at for place, at in found[_DOCUMENTS].starts.items() if place.topic in QUERIES[_ROLLUPS][1]}
        # What was lost to them is in the documents.
        found[_ROLLUPS] = Plan("store", _ROLLUPS, problems, 0, starts, found[_ROLLUPS].topic_ids)
    return list(found.values())


def _plan(settings: Settings, query: str, part: str, state: TopicState) -> Plan:
    try:
        checkpoint = Checkpoint.of(settings, query)
        found = misfits(checkpoint, state, _finished(settings, query))
        starts = starts_after(checkpoint, state, found)
    except CheckpointMisfit as error:
        finished = _finished(settings, query)
        starts = {
            place: min(max(finished.get(place, begin), begin), state.ends[place])
            for place, begin in state.begins.items()
        }
        return Plan(part, query, (str(error),), 0 if finished else None, starts, state.ids)
    return Plan(part, query, [one.sentence for one in found], _lost(found), starts, state.ids)


def _finished(settings: Settings, query: str) -> dict[TopicPartition, int]:
    """What the job committed to its group, for a checkpoint that cannot be read."""
    if (group := _GROUPS.get(query)) is None:
        return {}
    reader = consumer(settings, group_id=group)
    try:
        parts = topic_partitions(reader, QUERIES[query][1])
        return {place: offset for place in parts if (offset := reader.committed(place)) is not None}
    finally:
        reader.close()


def _lost(found: Sequence[Misfit]) -> int | None:
    counts = [one.lost for one in found]
    return None if None in counts else sum(count for count in counts if count is not None)


def carry_out(settings: Settings, found: Sequence[Plan]) -> None:
    """Give each query that needs it another checkpoint, which starts where its plan says; its group stands there, too.

    Raises :class:`BrokerUnavailable`.
    """
    for plan in found:
        if plan.is_needed:
            base = settings.data_dir.absolute() / "checkpoints" / plan.query
            try:
                checkpoint = Checkpoint.of(settings, plan.query)
            except CheckpointMisfit:
                checkpoint = Checkpoint(plan.query, base)
            if group := _GROUPS.get(plan.query):
                # What the job had finished of a former topic would pass for records of this one. Once it goes on, it
                # tells its own progress.
                set_group(settings, group, plan.starts)
            checkpoint.moved_to(plan.starts, plan.topic_ids, seeded=plan.query == _ROLLUPS)


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
