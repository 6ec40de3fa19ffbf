"""Where every produced event ended: read back from the topics and the documents, not from what the parts claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from kafka import TopicPartition
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import ID
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.figures import quantile
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.clients import topic_partitions
from fraudstream.core.kafka.progress import GROUP_TOPICS, group_progress
from fraudstream.core.project.project import named
from fraudstream.runtime.held_back import Quality, quality

_POLL_SECONDS = 0.25
_LOOKUP = 1_000

# Partition number → (first offset, offset behind the last one).
Ranges = Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of one run's events. Latencies are the broker's time at `scored` minus that at `transactions`, ms.

    ``redelivered``: decisions that came twice; ``resent``: events that their sender repeated. Neither changes anything.
    ``filtered``: events that the project's own query read and put out neither as scored nor as rejected.
    ``quality``: what labels that came after the events say of the decisions; None where none were to come.
    """

    produced: int
    scored: int
    rejected: int
    stored: int
    frauds: int
    redelivered: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    seconds_to_first_scored: float | None
    quality: Quality | None = None
    resent: int = 0
    filtered: int = 0

    @property
    def complete(self) -> bool:
        """Every event was scored, rejected or filtered, or is a repeated one, and every scored event is stored."""
        known = self.scored + self.rejected + self.resent + self.filtered
        return self.produced == known and self.scored == self.stored

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON-ready object, with ``complete``."""
        figures = asdict(self) | {"complete": self.complete}
        del figures["quality"]
        return figures | (asdict(self.quality) if self.quality is not None else {})


def end_offsets(settings: Settings, *topics: str) -> dict[TopicPartition, int]:
    """The end offsets of all partitions of the topics. Raises :class:`BrokerUnavailable`."""
    with asking(settings) as reader:
        ends: dict[TopicPartition, int] = reader.end_offsets(topic_partitions(reader, topics))
        return ends


def lag(settings: Settings, group: str, *topics: str) -> int:
    """How many records of the topics the group has not finished."""
    with asking(settings, group) as reader:
        return group_progress(reader, topics).lag


def problems(settings: Settings) -> list[str]:
    """What the jobs say of failures that they repeat, each in one line."""
    sentences = []
    for group, topics in GROUP_TOPICS.items():
        with asking(settings, group) as reader:
            failing = group_progress(reader, topics).failing
        if failing:
            sentences.append(f"{group.removeprefix('fraudstream-')} is {failing.sentence}")
    return sentences


def stored_history(settings: Settings, wanted: int) -> int:
    """How many labelled transactions are stored; an upper bound while there are too few of any kind; -1: no answer.

    Counting by origin scans the embedded store, so that it waits until there is something to count.
    """
    try:
        transactions = documents.database(settings)[documents.TRANSACTIONS]
        stored = transactions.estimated_document_count()
        return transactions.count_documents({"origin": "history"}) if stored >= wanted else stored
    except PyMongoError:
        return -1


def labelled_estimate(settings: Settings) -> int:
    """About how many transactions are stored; 0 also while the store does not answer."""
    try:
        return documents.database(settings)[documents.TRANSACTIONS].estimated_document_count()
    except PyMongoError:
        return 0


def await_processed(
    settings: Settings,
    stalled_seconds: float,
    report: Callable[[int], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Wait until both jobs have finished all records; ``report`` gets how many wait, ``check`` may raise to end it.

    Raises :class:`FraudstreamError` when nothing moves for ``stalled_seconds``, with what the jobs say of it.
    """
    waiting, moved_at = -1, time.monotonic()
    while True:
        before, waiting = waiting, sum(lag(settings, group, *topics) for group, topics in GROUP_TOPICS.items())
        if waiting == 0:
            return
        check()
        if waiting != before:
            moved_at = time.monotonic()
            report(waiting)
        elif time.monotonic() - moved_at > stalled_seconds:
            advice = "; ".join(problems(settings)) or (
                "`fraudstream status` shows which part is not ready, `fraudstream logs NAME` why."
            )
            raise FraudstreamError(
                f"{waiting} records wait and nothing has moved for {stalled_seconds:.0f} s. {advice}"
            )
        time.sleep(_POLL_SECONDS)


def summarise(
    settings: Settings,
    produced: Ranges,
    scored_from: Mapping[TopicPartition, int],
    started_at: datetime,
    *,
    with_labels: bool = False,
) -> Summary:
    """Account for the records of `transactions` in ``produced``, all of which the jobs have finished.

    Of a query that may filter, a finished record that has come out nowhere is a filtered one.
    ``scored_from``: where to read `scored` from; ``started_at``: what ``seconds_to_first_scored`` counts from;
    ``with_labels``: whether verdicts on these events have been stored, by which the decisions are judged.
    """
    sources: set[tuple[int, int]] = set()
    predictions: dict[int | str, int] = {}
    latencies: list[float] = []
    redelivered = 0
    again: list[tuple[int, int]] = []
    first_scored: datetime | None = None
    for record in _read(settings, scored_from):
        event = orjson.loads(record.value)
        source = event["source"]
        if not _within(produced, source["partition"], source["offset"]):
            continue
        place = (source["partition"], source["offset"])
        if place in sources:
            redelivered += 1
            continue
        sources.add(place)
        if event[ID] in predictions:
            again.append(place)
        predictions.setdefault(event[ID], event["prediction"])
        published_at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        first_scored = min(first_scored or published_at, published_at)
        enqueued_at = datetime.fromisoformat(source["enqueued_at"])
        latencies.append((published_at - enqueued_at).total_seconds() * 1000)
    db = documents.database(settings)
    latencies.sort()
    count = sum(end - start for start, end in produced.values())
    rejected = count_rejected(db, produced)
    resent = len(again) - _count_rejected_at(db, again)
    return Summary(
        produced=count,
        scored=len(predictions),
        rejected=rejected,
        stored=count_stored(db, list(predictions)),
        frauds=sum(predictions.values()),
        redelivered=redelivered,
        latency_p50_ms=quantile(latencies, 0.50),
        latency_p95_ms=quantile(latencies, 0.95),
        latency_p99_ms=quantile(latencies, 0.99),
        seconds_to_first_scored=(first_scored - started_at).total_seconds() if first_scored else None,
        quality=quality(db, list(predictions)) if with_labels else None,
        resent=resent,
        filtered=count - len(predictions) - rejected - resent if _may_filter(settings) else 0,
    )


def _may_filter(settings: Settings) -> bool:
    # What compiles queries takes a moment to import.
    from fraudstream.asaql.strategies.job_query import job_query

    return job_query(named(settings.project)).may_filter


def _read(settings: Settings, starts: Mapping[TopicPartition, int]) -> Any:
    with asking(settings) as reader:
        reader.assign(list(starts))
        for part, offset in starts.items():
            reader.seek(part, offset)
        ends = reader.end_offsets(list(starts))
        while any(reader.position(part) < end for part, end in ends.items()):
            for records in reader.poll(timeout_ms=1_000, max_records=5_000).values():
                yield from records


def count_rejected(db: Any, produced: Ranges) -> int:
    """How many of the produced records are stored as rejected."""
    return sum(
        db[documents.REJECTED].count_documents(
            {
                "source.topic": TRANSACTIONS,
                "source.partition": partition,
                "source.offset": {"$gte": start, "$lt": end},
            }
        )
        for partition, (start, end) in produced.items()
    )


def _count_rejected_at(db: Any, places: list[tuple[int, int]]) -> int:
    """How many of the records at these places of `transactions`, partition and offset, are stored as rejected."""
    ids = [f"{TRANSACTIONS}/{partition}/{offset}" for partition, offset in places]
    chunks = (ids[start : start + _LOOKUP] for start in range(0, len(ids), _LOOKUP))
    return sum(db[documents.REJECTED].count_documents({"_id": {"$in": chunk}}) for chunk in chunks)


def count_stored(db: Any, ids: list[int | str]) -> int:
    """How many of these transactions are stored with a prediction."""
    stored = 0
    for start in range(0, len(ids), _LOOKUP):
        chosen = {"_id": {"$in": ids[start : start + _LOOKUP]}}
        stored += sum(
            "prediction" in document for document in db[documents.TRANSACTIONS].find(chosen, {"prediction": 1})
        )
    return stored


def _within(ranges: Ranges, partition: int, offset: int) -> bool:
    start, end = ranges.get(partition, (0, 0))
    return start <= offset < end
