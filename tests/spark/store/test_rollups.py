"""Rollups count each transaction once, in minutes and in totals, however often it is delivered."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.int64 import Int64
from kafka import TopicPartition
from pymongo.errors import OperationFailure
from pyspark.sql import functions as F

from fraudstream.core.contract.event import AMOUNT, ID, LABEL
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.store import rollups, seeding
from fraudstream.store.records import Record
from fraudstream.store.rollups import counted, rolled_up
from fraudstream.store.withdrawals import withdrawn, write_withdrawals
from tests.events import GOOD, named, renamed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WATERMARK_SECONDS = 600


class Feed:
    """Scored and labelled records through the real query, one micro-batch a call."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.input = folder / "in"
        self.input.mkdir()
        self.withdrawn = folder / "with[drawn]"
        self.state: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.rows: list[Any] = []
        records = spark.readStream.schema("topic STRING, timestamp TIMESTAMP, value STRING").json(str(self.input))
        self.query = (
            rolled_up(
                counted(records.withColumn("value", F.col("value").cast("binary"))),
                WATERMARK_SECONDS,
                counted(withdrawn(spark, self.withdrawn, {})),
            )
            .writeStream.outputMode("update")
            .option("checkpointLocation", str(folder / "checkpoint"))
            .foreachBatch(self._keep)
            .start()
        )
        self.batch = 0

    def _keep(self, rows: Any, _: int) -> None:
        self.rows = rows.collect()
        for row in self.rows:
            form = "%H:%M" if row["period"] == "minute" else "%Y-%m-%d"
            start = row["start_micros"] and datetime.fromtimestamp(row["start_micros"] / 1e6, UTC).strftime(form)
            key = (row["period"], start, row["origin"], row["dimension"], row["value"])
            self.state[key] = row.asDict()

    def send(self, *records: tuple[str, datetime, dict[str, Any]]) -> None:
        lines = [
            json.dumps({"topic": topic, "timestamp": at.isoformat(), "value": json.dumps(event)})
            for topic, at, event in records
        ]
        hidden = self.input / f".{self.batch}"
        hidden.write_text("\n".join(lines))
        hidden.rename(self.input / f"{self.batch}.json")
        self.batch += 1
        self.query.processAllAvailable()

    def withdraw(self, *records: tuple[str, datetime, dict[str, Any]]) -> None:
        # A record of its own each time: the same ones, withdrawn again, would have the same file.
        self.batch += 1
        withdrawals = [
            Record(topic, 0, 1_000 * self.batch + event[ID], at, None, json.dumps(event).encode())
            for topic, at, event in records
        ]
        write_withdrawals(self.withdrawn, withdrawals)
        self.query.processAllAvailable()

    def counts(self, *key: Any) -> tuple[int, int, float, float]:
        row = self.state[key]
        return row["transactions"], row["frauds"], row["amount"], row["fraud_amount"]


def scored(number: int, at: datetime, prediction: int = 0, **changes: Any) -> tuple[str, datetime, dict[str, Any]]:
    source = {"topic": "transactions", "partition": 0, "offset": number, "enqueued_at": at.isoformat()}
    event = GOOD | {ID: number, "prediction": prediction, "score": 0.5, "source": source} | renamed(changes)
    return "scored", at + timedelta(milliseconds=200), event


@pytest.fixture
def feed(spark: SparkSession, tmp_path: Path) -> Iterator[Feed]:
    running = Feed(spark, tmp_path)
    yield running
    running.query.stop()


def test_events_are_counted_by_texts_numbers_in_bins_and_parts_of_their_time(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "DIMENSION_COLUMNS", {"v.1": "d0", "present": "d1"})
    monkeypatch.setattr(rollups, "EDGES", {"amount_bin": (0, 100), "v.1": (-1.5, 0, 2)})
    monkeypatch.setattr(rollups, "TIME_DIMENSIONS", ("weekday", "month_of_year", "hour"))
    # A Sunday; the arrival is long after it, so that no month counts it.
    day = datetime(2020, 2, 2, 23, 59, tzinfo=UTC)
    rows = [(NOON, day, 1.0, -9.0, "true"), (NOON, day, 100.0, 0.0, None), (NOON, day, 99.9, 2.5, "false")]
    schema = "enqueued_at TIMESTAMP, event_time TIMESTAMP, amount DOUBLE, d0 DOUBLE, d1 STRING"
    events = spark.createDataFrame([*rows, (NOON, day, 5.0, None, "true")], schema)
    cells = events.select(F.inline(rollups.event_cells(spark))).where("period = 'total'")
    counts = {
        (row["dimension"], row["value"]): row["count"] for row in cells.groupBy("dimension", "value").count().collect()
    }
    assert counts == {
        **{("all", "all"): 4, ("v.1", "-1.5-0"): 1, ("v.1", "0-2"): 1, ("v.1", "2+"): 1},
        **{("present", "true"): 2, ("present", "false"): 1},
        **{("weekday", "7"): 4, ("month_of_year", "2"): 4, ("hour", "23"): 4},
        **{("amount_bin", "0-100"): 3, ("amount_bin", "100+"): 1},
    }


def test_counts_minutes_totals_and_dimensions(feed: Feed) -> None:
    feed.send(
        scored(1, NOON, prediction=1, amount=30.0),
        scored(2, NOON + timedelta(seconds=59), amount=10.0),
        scored(3, NOON + timedelta(seconds=60), amount=5.0, day_of_week="sunday"),
    )
    assert feed.counts("minute", "12:00", "live", "all", "all") == (2, 1, 40.0, 30.0)
    assert feed.counts("minute", "12:01", "live", "all", "all") == (1, 0, 5.0, 0.0)
    assert feed.counts("total", None, "live", "all", "all") == (3, 1, 45.0, 30.0)
    assert feed.counts("total", None, "live", named("day_of_week"), "sunday") == (1, 0, 5.0, 0.0)
    assert feed.counts("total", None, "live", named("month"), "11") == (3, 1, 45.0, 30.0)
    assert feed.counts("total", None, "live", "hour", "10") == (3, 1, 45.0, 30.0)
    assert feed.counts("total", None, "live", "amount_bin", "0-25") == (2, 0, 15.0, 0.0)
    assert feed.counts("total", None, "live", "amount_bin", "25-50") == (1, 1, 30.0, 30.0)


def test_months_and_days_are_of_the_events_own_date(feed: Feed) -> None:
    feed.send(
        scored(1, NOON, prediction=1, amount=30.0, date="23/11/2026 23:59:59"),
        scored(2, NOON, amount=10.0, date="01/11/2026 00:00:00"),
        scored(3, NOON, amount=5.0, date="31/10/2026 23:59:59", day_of_week="sunday"),
    )
    assert feed.counts("month", "2026-11-01", "live", "all", "all") == (2, 1, 40.0, 30.0)
    assert feed.counts("month", "2026-11-01", "live", "amount_bin", "25-50") == (1, 1, 30.0, 30.0)
    assert feed.counts("month", "2026-10-01", "live", named("day_of_week"), "sunday") == (1, 0, 5.0, 0.0)
    assert feed.counts("day", "2026-11-23", "live", "all", "all") == (1, 1, 30.0, 30.0)
    assert {key[3] for key in feed.state if key[0] == "day"} == {"all"}


def test_dates_far_from_the_arrival_count_in_totals_alone(feed: Feed) -> None:
    feed.send(scored(1, NOON, date="01/01/1970 00:00:00"), scored(2, NOON, date="27/11/2026 00:00:00"))
    feed.send(scored(3, NOON, date="25/11/2026 23:00:00"), scored(4, NOON, date="25/11/2023 00:00:00"))
    assert feed.counts("total", None, "live", "all", "all")[0] == 4
    assert {key[1] for key in feed.state if key[0] == "day"} == {"2026-11-25", "2023-11-25"}
    assert {key[1] for key in feed.state if key[0] == "month"} == {"2026-11-01", "2023-11-01"}


def test_an_edge_belongs_to_the_bin_above_it(feed: Feed) -> None:
    feed.send(scored(1, NOON, amount=25.0), scored(2, NOON, amount=400.0), scored(3, NOON, amount=399.99))
    assert feed.counts("total", None, "live", "amount_bin", "25-50")[0] == 1
    assert feed.counts("total", None, "live", "amount_bin", "400+")[0] == 1
    assert feed.counts("total", None, "live", "amount_bin", "300-400")[0] == 1


def test_labelled_history_counts_its_labels_apart(feed: Feed) -> None:
    feed.send(("labels", NOON, GOOD | {LABEL: 1}), ("labels", NOON, GOOD | {ID: 7}), scored(8, NOON))
    assert feed.counts("total", None, "history", "all", "all")[:2] == (1, 1)
    assert feed.counts("total", None, "live", "all", "all")[:2] == (1, 0)


def test_an_event_that_was_not_stored_is_counted_no_more(feed: Feed) -> None:
    refused, label = scored(1, NOON, prediction=1, amount=30.0), ("labels", NOON, GOOD | {LABEL: 1})
    feed.send(refused, scored(2, NOON, amount=10.0), label)
    feed.withdraw(refused, label)
    for period, start in (("minute", "12:00"), ("total", None)):
        assert feed.counts(period, start, "live", "all", "all") == (1, 0, 10.0, 0.0)
        assert feed.counts(period, start, "history", "all", "all")[:2] == (0, 0)
    # Delivered and refused once more.
    feed.send(refused, scored(3, NOON, amount=1.0))
    feed.withdraw(refused)
    assert feed.counts("total", None, "live", "all", "all") == (2, 0, 11.0, 0.0)


def test_a_withdrawal_from_before_the_state_began_takes_nothing_away(spark: SparkSession, tmp_path: Path) -> None:
    topic, at, event = scored(1, NOON)
    value = json.dumps(event).encode()
    write_withdrawals(tmp_path, [Record(topic, part, 5, at, None, value) for part in (0, 1, 2)])
    starts = {TopicPartition(topic, 0): 5, TopicPartition(topic, 1): 6}
    query = withdrawn(spark, tmp_path, starts).writeStream.format("memory").queryName("taken_back").start()
    try:
        query.processAllAvailable()
        assert {row["partition"] for row in spark.table("taken_back").collect()} == {0, 2}
    finally:
        query.stop()


def test_an_event_may_be_withdrawn_before_it_is_counted(feed: Feed) -> None:
    refused = scored(1, NOON, amount=30.0)
    feed.withdraw(refused)
    feed.send(refused, scored(2, NOON, amount=10.0))
    assert feed.counts("total", None, "live", "all", "all") == (1, 0, 10.0, 0.0)


def test_the_watermark_moves_on_while_nothing_is_withdrawn(feed: Feed) -> None:
    feed.send(scored(1, NOON))
    feed.send(scored(2, NOON + timedelta(seconds=3 * WATERMARK_SECONDS)))
    feed.send(scored(3, NOON + timedelta(seconds=3 * WATERMARK_SECONDS)))
    feed.send(scored(4, NOON))
    assert feed.counts("total", None, "live", "all", "all")[0] == 3


def test_what_waited_for_longer_than_the_watermark_counts_once_it_is_scored(feed: Feed) -> None:
    back = NOON + timedelta(seconds=12 * WATERMARK_SECONDS)
    for seconds in (0, 1, 2):
        feed.send(("labels", back + timedelta(seconds=seconds), GOOD | {ID: 100 + seconds, LABEL: 0}))
    waited = [(topic, back + timedelta(seconds=3), event) for topic, _, event in (scored(1, NOON), scored(2, NOON))]
    feed.send(*waited)
    feed.send(*waited)
    assert feed.counts("total", None, "live", "all", "all")[0] == 2
    assert feed.counts("month", "2026-11-01", "live", "all", "all")[0] == 2


def test_a_decision_that_claims_to_be_of_the_future_stops_nothing(feed: Feed) -> None:
    topic, at, event = scored(1, NOON)
    source = event["source"] | {"enqueued_at": "2999-01-01T00:00:00Z"}
    feed.send((topic, at, event | {"source": source}))
    feed.send(scored(2, NOON + timedelta(seconds=1)))
    feed.send(scored(3, NOON + timedelta(seconds=2)))
    assert feed.counts("total", None, "live", "all", "all")[0] == 3
    assert feed.counts("minute", "12:00", "live", "all", "all")[0] == 3


def test_redelivery_in_the_same_and_in_later_batches_counts_once(feed: Feed) -> None:
    feed.send(scored(1, NOON), scored(1, NOON), scored(2, NOON))
    feed.send(scored(1, NOON), scored(3, NOON))
    assert feed.counts("total", None, "live", "all", "all")[0] == 3


def test_a_delivery_of_a_later_span_counts_until_it_is_withdrawn(feed: Feed) -> None:
    later = [scored(1, NOON + timedelta(seconds=spans * WATERMARK_SECONDS)) for spans in (0, 1, 4)]
    feed.send(later[0], scored(2, NOON))
    # Nothing has moved the watermark: an id that is still known counts again in its new span all the same.
    for again in later[1:]:
        feed.send(again)
        assert feed.counts("total", None, "live", "all", "all")[0] == 3
        feed.withdraw(again)
        assert feed.counts("total", None, "live", "all", "all")[0] == 2


def test_a_huge_amount_that_is_withdrawn_takes_no_other_one_along(feed: Feed) -> None:
    huge = scored(2, NOON, prediction=1, amount=3.4e38)
    feed.send(scored(1, NOON, prediction=1, amount=30.25), huge)
    feed.withdraw(huge)
    assert feed.counts("total", None, "live", "all", "all") == (1, 1, 30.25, 30.25)
    feed.send(scored(3, NOON, amount=2e14), scored(4, NOON, amount=0.5))
    assert feed.counts("total", None, "live", "all", "all") == (3, 1, 2e14 + 30.75, 30.25)


def test_replaying_the_topic_after_the_watermark_changes_nothing(feed: Feed) -> None:
    first = [scored(number, NOON) for number in range(5)]
    feed.send(*first)
    for minutes in (30, 60):
        feed.send(scored(100 + minutes, NOON + timedelta(minutes=minutes)))
    feed.send(scored(200, NOON + timedelta(minutes=61)))
    before = dict(feed.state)
    feed.send(*first)
    assert feed.state == before
    assert feed.counts("total", None, "live", "all", "all")[0] == 8


def test_minutes_leave_the_state_and_totals_stay(feed: Feed) -> None:
    for minute in range(0, 120, 20):
        feed.send(scored(minute, NOON + timedelta(minutes=minute)))
    kept = feed.query.lastProgress["stateOperators"][0]["numRowsTotal"]
    per_window = 8
    unending = {key for key in feed.state if key[0] != "minute"}
    assert len(unending) == 2 * per_window + 1
    assert kept <= per_window * 3 + len(unending)
    assert feed.counts("total", None, "live", "all", "all")[0] == 6


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York", "Europe/Berlin"])
def test_rollups_are_of_utc_wherever_the_machine_is(feed: Feed, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    written: dict[str, Any] = {}

    def keep(_: Any, documents: list[Any], *__: Any) -> None:
        written.update({encoded.id: bson.decode(encoded.raw.raw) for encoded in documents})

    monkeypatch.setattr(rollups, "upsert_all", keep)
    try:
        with monkeypatch.context() as within:
            within.setenv("TZ", zone)
            time.tzset()
            feed.send(scored(1, NOON, date="01/11/2026 00:00:00"))
            rollups.write_rollups({"rollups": None}, list(feed.rows), NOON)  # type: ignore[arg-type]
    finally:
        time.tzset()
    starts = {number: document.get("start") for number, document in written.items() if "|live|all|all" in number}
    assert starts == {
        "minute|2026-11-24T12:00Z|live|all|all": datetime(2026, 11, 24, 12),
        "total||live|all|all": None,
        "month|2026-11-01T00:00Z|live|all|all": datetime(2026, 11, 1),
        "day|2026-11-01T00:00Z|live|all|all": datetime(2026, 11, 1),
    }


def test_a_state_that_begins_with_the_documents_goes_on_with_the_topics(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = Checkpoint("rollups", tmp_path / "rollups.1", seeded_at=NOON)
    stored = [
        GOOD
        | {"_id": number, "origin": "live", "prediction": number % 2, AMOUNT: 10.0, LABEL: None}
        | {"enqueued_at": NOON, "event_time": NOON}
        for number in range(1, 5)
    ]
    # From before documents were checked: what cannot be summed is counted, what lacks its fields is not.
    stored += [stored[0] | {"_id": 9, AMOUNT: 1.7e308}, {"_id": 10, "origin": "live"}, {"_id": "x"}]
    stored += [stored[0] | {"_id": 11, "origin": None}, stored[0] | {"_id": 12, "enqueued_at": "today"}]
    stored += [stored[0] | {"_id": Int64(2**40)}]
    db = mongo_double(stored)
    seeding.write_seed(db, checkpoint, WriteLimits())
    seeding.write_seed(db, checkpoint, WriteLimits())
    folder = tmp_path / "in"
    folder.mkdir()
    records = spark.readStream.schema("topic STRING, timestamp TIMESTAMP, value STRING").json(str(folder))
    events = seeding.with_seed(spark, checkpoint, counted(records.withColumn("value", F.col("value").cast("binary"))))
    state: dict[tuple[Any, ...], Any] = {}

    def keep(rows: Any, _: int) -> None:
        state.update({(row["period"], row["origin"], row["dimension"], row["value"]): row for row in rows.collect()})

    query = (
        rolled_up(events, WATERMARK_SECONDS)
        .writeStream.outputMode("update")
        .option("checkpointLocation", str(checkpoint.folder))
        .foreachBatch(keep)
        .start()
    )
    try:
        query.processAllAvailable()
        total = state["total", "live", "all", "all"]
        assert (total["transactions"], total["frauds"], total["amount"]) == (6, 4, 50.0)
        assert state["total", "live", "hour", "12"]["transactions"] == 6
        # One that is stored already, and a new one.
        lines = [
            json.dumps({"topic": topic, "timestamp": at.isoformat(), "value": json.dumps(event)})
            for topic, at, event in (scored(2, NOON), scored(77, NOON + timedelta(minutes=1), amount=5.0))
        ]
        (folder / "0.json").write_text("\n".join(lines))
        query.processAllAvailable()
        total = state["total", "live", "all", "all"]
        assert (total["transactions"], total["amount"]) == (7, 55.0)
    finally:
        query.stop()


def mongo_double(stored: list[dict[str, Any]]) -> Any:
    """A collection of documents, as far as the seed reads it; the first query's cursor is lost underway."""

    class Collection:
        queries = 0

        def find(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
            self.queries += 1
            for number, document in enumerate(stored):
                if self.queries == 1 and number == 2:
                    raise OperationFailure("Request rate is large. RetryAfterMs=1", 16500)
                yield document

    return {"transactions": Collection()}
