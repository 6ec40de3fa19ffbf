"""The query that counts transactions: from the topics, and from the documents if its state is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import QUERIES, TopicState, fitting, starts_after, waited_longer
from fraudstream.spark.failures import Failure
from fraudstream.spark.lost_sessions import MOST_SESSIONS, forget_lost_sessions, lost_sessions
from fraudstream.spark.session import read_on
from fraudstream.store import seeding
from fraudstream.store.batches import DOCUMENTS, ROLLUPS, start_batches
from fraudstream.store.rollups import counted, forget_older, rolled_up, write_rollups
from fraudstream.store.withdrawals import withdrawn

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

log = structlog.get_logger(__name__)


class RollupQuery:
    """The query that keeps the rollups' state and upserts what changed."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        self.folder = Path()

    def start(self) -> StreamingQuery:
        """Raises :class:`CheckpointMisfit`, :class:`BrokerUnavailable`, :class:`StoreUnavailable`.

        The query begins with the stored documents if its state is lost: they have what the topics no longer hold. It
        does so too if many records have waited for longer than the watermark: the first batches of them would move the
        watermark past the others.
        """
        settings = self._settings
        checkpoint, topics = fitting(settings, ROLLUPS)
        database = documents.database(settings)
        if checkpoint.is_new:
            if checkpoint.seeded_at is None and seeding.is_wanted(database):
                checkpoint = self._restarted("their state is gone")
        elif lost_sessions(checkpoint) >= MOST_SESSIONS:
            checkpoint = self._restarted("Spark's process has ended at the same records again and again")
            forget_lost_sessions(checkpoint)
        elif self.is_far_behind(starts_after(checkpoint, topics, ()), topics):
            checkpoint = self._restarted("much has waited for longer than their watermark")
        self.folder, began = checkpoint.folder, datetime.now(UTC)
        events = counted(read_on(self._spark, settings, checkpoint, topics, settings.max_events_per_batch))
        if checkpoint.seeded_at is not None:
            seeding.write_seed(database, checkpoint, WriteLimits.of(settings))
            events = seeding.with_seed(self._spark, checkpoint, events)

        def write_batch(rows: DataFrame, batch: int) -> None:
            write_rollups(database, rows.collect(), datetime.now(UTC), WriteLimits.of(settings))
            if batch == 0 and checkpoint.seeded_at is not None:
                # This batch holds all that the documents give. Older rollups are of the former state.
                forget_older(database, began, WriteLimits.of(settings))

        withdrawals = counted(withdrawn(self._spark, checkpoint.withdrawn, checkpoint.starts))
        rolled = rolled_up(events, settings.rollup_watermark_seconds, withdrawals)
        return start_batches(rolled, write_batch, checkpoint, settings.rollup_interval_seconds)

    def is_far_behind(self, starts: Mapping[TopicPartition, int], topics: TopicState) -> bool:
        """Whether more than a batch waits from these offsets on, and for longer than the watermark."""
        waiting = sum(topics.ends[part] - start for part, start in starts.items())
        watermark = self._settings.rollup_watermark_seconds
        return waiting > self._settings.max_events_per_batch and waited_longer(
            self._settings, starts, topics, watermark
        )

    def _restarted(self, reason: str) -> Checkpoint:
        """A checkpoint that begins with the documents, and reads the topics from the offsets that they include."""
        written, state = fitting(self._settings, DOCUMENTS)
        committed = written.committed()
        starts = {
            part: committed.get(part, begin)
            for part, begin in state.begins.items()
            if part.topic in QUERIES[ROLLUPS][1]
        }
        log.warning("rollups_made_anew", reason=f"{reason}; they are counted from the stored documents")
        return Checkpoint.of(self._settings, ROLLUPS).moved_to(starts, state.ids, seeded=True)

    def narrow(self, failure: Failure) -> bool:
        """Begin a new state behind a record that cannot be read: the present state cannot move past it."""
        if not failure.is_a_records_own:
            return False
        self._restarted("a record cannot be read")
        return True
