"""Whether a checkpoint and the topics that it reads still fit each other, and where to go on if they don't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import BrokerUnavailable, CheckpointMisfit
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.clients import client_options, topic_partitions
from fraudstream.core.streaming.checkpoints import Checkpoint

# Only where a project's query has windows.
WINDOWS = "windows"
# Each query that has a checkpoint: the job that runs it, and the topics that it reads.
QUERIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stream": ("stream", (TRANSACTIONS,)),
    WINDOWS: ("stream", (TRANSACTIONS,)),
    "documents": ("store", (SCORED, LABELS, REJECTED)),
    "rollups": ("store", (SCORED, LABELS)),
}

# Where its records go: without them it would fail of each batch, and after minutes only.
_OUTPUTS: Mapping[str, tuple[str, ...]] = {"stream": (SCORED, REJECTED)}

_NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class TopicState:
    """What the broker says of the topics: first and next offset of each partition, and each topic's id.

    A topic that is missing has no partition; a service that gives topics no ids (Event Hubs) leaves ``ids`` empty.
    """

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    ids: Mapping[str, str]

    @classmethod
    def read(cls, settings: Settings, topics: Sequence[str]) -> TopicState:
        """Ask the broker. Raises :class:`BrokerUnavailable`."""
        # Records of open transactions are there, though nobody may read them yet.
        with asking(settings, isolation_level="read_uncommitted", allow_auto_create_topics=False) as reader:
            partitions = topic_partitions(reader, topics)
            begins = reader.beginning_offsets(partitions) if partitions else {}
            ends = reader.end_offsets(partitions) if partitions else {}
            admin = KafkaAdminClient(**client_options(settings))
            try:
                described = admin.describe_topics(list(topics))
            finally:
                admin.close()
        ids = {topic["name"]: str(topic.get("topic_id") or _NO_ID) for topic in described}
        return cls(begins, ends, {name: number for name, number in ids.items() if number != _NO_ID})

    def of(self, topics: Sequence[str]) -> TopicState:
        """What it says of these topics alone."""
        chosen = [part for part in self.ends if part.topic in topics]
        return TopicState(
            {part: self.begins[part] for part in chosen},
            {part: self.ends[part] for part in chosen},
            {name: number for name, number in self.ids.items() if name in topics},
        )


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a partition cannot be read on from where the checkpoint stands, and where it can be.

    ``lost``: records that were never read and are gone; None where nobody can tell.
    """

    partition: TopicPartition
    problem: str
    lost: int | None
    start: int

    @property
    def sentence(self) -> str:
        return f"{self.partition.topic}/{self.partition.partition}: {self.problem}"


def misfits(
    checkpoint: Checkpoint, topics: TopicState, finished: Mapping[TopicPartition, int] | None = None
) -> list[Misfit]:
    """Every partition that does not fit. Raises :class:`CheckpointMisfit` for a checkpoint that cannot be read.

    ``finished``: what the job has told of its progress, which in real time is ahead of its checkpoint; what came out
    before it was gone is not lost.
    """
    # Spark reads the batch under way again: where that file is broken, it fails of it at every start.
    checkpoint.planned()
    return list(_misfits(checkpoint.committed(), checkpoint.topics, topics, finished or {}))


def _misfits(
    committed: Mapping[TopicPartition, int],
    known_ids: Mapping[str, str],
    topics: TopicState,
    finished: Mapping[TopicPartition, int],
) -> Iterator[Misfit]:
    read_topics = {part.topic for part in topics.ends}
    for part, offset in sorted(committed.items()):
        if part.topic not in read_topics:
            continue  # the topic is missing altogether: creating it is what helps, and it will be seen then
        known, now = known_ids.get(part.topic), topics.ids.get(part.topic)
        anew = known is not None and now is not None and known != now
        if part not in topics.ends:
            yield Misfit(part, f"the partition is gone, {offset:,} of its records were read", None, 0)
            continue
        begin, end = topics.begins[part], topics.ends[part]
        if anew:
            yield Misfit(part, f"the topic was made anew after {offset:,} records had been read", None, begin)
        elif offset > end:
            same = known is not None and known == now
            problem = f"{offset:,} records were read, but the partition ends at {end:,}"
            yield Misfit(part, problem + ("" if same else ": the topic was made anew"), None, end if same else begin)
        elif offset < begin:
            lost = max(begin - max(offset, finished.get(part, 0)), 0)
            problem = (
                f"{lost:,} records are gone that were not read: it stands at {offset:,}, the topic begins at {begin:,}"
            )
            yield Misfit(part, problem, lost, begin)


def starts_after(checkpoint: Checkpoint, topics: TopicState, unfit: Sequence[Misfit]) -> dict[TopicPartition, int]:
    """Where each partition is read on: at the checkpoint's offset, or where its misfit says; a new one at its begin."""
    committed = checkpoint.committed()
    moved = {misfit.partition: misfit.start for misfit in unfit}
    return {part: moved.get(part, committed.get(part, begin)) for part, begin in topics.begins.items()}


def fitting(settings: Settings, query: str, written: Sequence[str] = ()) -> tuple[Checkpoint, TopicState]:
    """The query's checkpoint, which fits the topics, and what the broker says of them.

    It remembers the topics' ids and where it began. ``written``: further topics that have to be there, as the query
    writes to them.

    Raises :class:`CheckpointMisfit` where it does not fit, :class:`BrokerUnavailable`.
    """
    checkpoint = Checkpoint.of(settings, query)
    state = _existing(settings, query, written, TopicState.read(settings, _topics(query, written)))
    if unfit := misfits(checkpoint, state):
        more = f", and {len(unfit) - 1} further partitions" if len(unfit) > 1 else ""
        raise CheckpointMisfit(f"The checkpoint of `{query}` and its topics no longer fit: {unfit[0].sentence}{more}.")
    return checkpoint.remember(state.ids, state.begins), state


def check_topics(settings: Settings, query: str, written: Sequence[str] = ()) -> TopicState | None:
    """What the broker says of a running query's topics; None where it does not answer, which is not what is asked here.

    Raises :class:`CheckpointMisfit` where they are not those any more that it began with, :class:`BrokerUnavailable`
    where one is missing.
    """
    known = Checkpoint.of(settings, query).topics
    try:
        state = TopicState.read(settings, _topics(query, written))
    except BrokerUnavailable:
        return None
    state = _existing(settings, query, written, state)
    anew = sorted(name for name, number in state.ids.items() if known.get(name, number) != number)
    if anew:
        raise CheckpointMisfit(f"The topic {', '.join(anew)} was made anew while `{query}` was reading it.")
    return state


def waited_longer(settings: Settings, starts: Mapping[TopicPartition, int], state: TopicState, seconds: float) -> bool:
    """Whether a record from ``starts`` on has been there for longer. Raises :class:`BrokerUnavailable`."""
    moment = int((datetime.now(UTC) - timedelta(seconds=seconds)).timestamp() * 1000)
    behind = [part for part, start in starts.items() if state.ends[part] > start]
    if not behind:
        return False
    with asking(settings) as reader:
        first_since = reader.offsets_for_times(dict.fromkeys(behind, moment))
    # No record is as young, or others come before it.
    return any(first_since.get(part) is None or first_since[part].offset > starts[part] for part in behind)


def _topics(query: str, written: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*QUERIES[query][1], *_OUTPUTS.get(query, ()), *written)))


def _existing(settings: Settings, query: str, written: Sequence[str], state: TopicState) -> TopicState:
    """What the broker says of what the query reads. Raises :class:`BrokerUnavailable` where one is missing."""
    if missing := sorted(set(_topics(query, written)) - {part.topic for part in state.ends}):
        raise BrokerUnavailable(
            f"UnknownTopicOrPartition: Kafka at {settings.kafka_bootstrap_servers} has no topic {', '.join(missing)}. "
            "`fraudstream topics create` creates it; in Azure the templates do."
        )
    return state.of(QUERIES[query][1])
