"""Rollups as Spark state: each transaction counts once, in minutes and in totals, in every dimension."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from pymongo.database import Database
from pyspark.sql import Column
from pyspark.sql import functions as F

from fraudstream.core.contract.rollups import (
    ALL,
    AMOUNT_BIN,
    EDGES,
    NEWEST_EVENT_DAYS,
    OLDEST_EVENT_DAYS,
    TIME_DIMENSIONS,
    bins,
    rollup_id,
)
from fraudstream.core.contract.topics import LABELS, SCORED
from fraudstream.core.documents.client import REJECTED, ROLLUPS, Document
from fraudstream.core.documents.throttling import Encoded, Refused, WriteLimits, patiently, upsert_all
from fraudstream.spark.functions import DIMENSION_COLUMNS, cells
from fraudstream.spark.validation import validate
from fraudstream.store.records import HISTORY, LIVE, rejection
from fraudstream.store.writer import require_taken

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = structlog.get_logger(__name__)

# Totals, months and days are windows that never end, so that one aggregation serves all. Only minutes leave the state;
# the span of event dates that months and days count keeps it small.
_NEVER = datetime(2999, 1, 1, tzinfo=UTC)

# 1 for an event that is counted, -1 for one that is taken back.
_WEIGHT = "weight"

# Up to here a double keeps the hundredths of a sum.
_EXACTLY_SUMMED = 1e13

# The span in which an id counts once.
_SPAN = "span"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Deduplication and aggregation each have a watermark here. Spark allows that only with its former rule of one global
# watermark. That is the older of the two, so that neither operator drops what the other still expects.
SESSION_OPTIONS = {"spark.sql.streaming.statefulOperator.allowMultiple": "false"}


def counted(records: DataFrame) -> DataFrame:
    """Records of `scored` and `labels` → ``origin``, ``id``, the times, ``fraud``, ``amount``, the event's dimensions.

    Verdicts are no events of the contract, and so are not counted.

    The watermark follows ``recorded_at``, the record's own time: after an outage the decisions on the events that
    waited are new records, however old these events are.
    """
    live = F.col("topic") == SCORED
    checked = validate(records, decided=live)
    labelled = (F.col("topic") == LABELS) & F.col("event.label").isNotNull()
    decided = live & F.col("prediction").isNotNull() & F.col("enqueued_at").isNotNull()
    named = checked.where(F.col("reason").isNull() & (labelled | decided))
    return named.select(
        F.when(live, F.lit(LIVE)).otherwise(F.lit(HISTORY)).alias("origin"),
        F.col("event.id").alias("id"),
        # The broker has the event before its decision. A later `enqueued_at` is not the broker's, and would move the
        # watermark past all following records.
        F.when(live, F.least("enqueued_at", "timestamp")).otherwise(F.col("timestamp")).alias("enqueued_at"),
        F.col("timestamp").alias("recorded_at"),
        F.col("event_time"),
        F.when(live, F.col("prediction")).otherwise(F.col("event.label")).alias("fraud"),
        F.col("event.amount").alias("amount"),
        *(
            F.col(f"event.{column}").cast(dimension_type(name)).alias(column)
            for name, column in DIMENSION_COLUMNS.items()
        ),
    )


def dimension_type(name: str) -> str:
    """The type of an event's own dimension before it is binned: a number that has edges, else a text."""
    return "double" if name in EDGES else "string"


def rolled_up(events: DataFrame, watermark_seconds: int, withdrawn: DataFrame | None = None) -> DataFrame:
    """Counted events → the state of each (period, start, origin, dimension, value) they touch.

    An id counts once in each span of as many seconds, by its record's time (:func:`counting_span`): the state still
    knows it for as long. The query that stores the documents recognizes a later delivery, and withdraws it.
    A record older than the watermark is dropped, so that replaying a topic changes nothing. ``withdrawn``: counted
    events that are subtracted, before or after they are added.
    """
    delay = f"{watermark_seconds} seconds"
    # With the weight among the keys an event is subtracted once, however often its withdrawal is read.
    weighed = events.withColumn(_WEIGHT, F.lit(1))
    if withdrawn is not None:
        weighed = weighed.union(withdrawn.select(*events.columns, F.lit(-1).alias(_WEIGHT)))
    second = F.unix_seconds("recorded_at")
    spanned = weighed.withColumn(_SPAN, second - F.pmod(second, F.lit(watermark_seconds)))
    keys = ["origin", "id", _SPAN, _WEIGHT]
    once = spanned.withWatermark("recorded_at", delay).dropDuplicatesWithinWatermark(keys)
    kept = ["origin", "fraud", "amount", _WEIGHT]
    return (
        once.select(*kept, event_cells(events.sparkSession).alias("cells"))
        .select(*kept, F.inline("cells"))
        .withWatermark("end", delay)
        .groupBy("period", "start", "end", "origin", "dimension", "value")
        .agg(
            F.sum(_WEIGHT).alias("transactions"),
            F.sum(F.col("fraud") * F.col(_WEIGHT)).alias("frauds"),
            _amounts(F.lit(True)).alias("amount"),
            _amounts(F.col("fraud") == 1).alias("fraud_amount"),
        )
        # As a number: a time that leaves Spark becomes one of the zone that its process happens to be in.
        .withColumn("start_micros", F.unix_micros("start"))
    )


def _amounts(counted: Column) -> Column:
    """The sum of the amounts. Huge amounts have a sum of their own: in a common sum, a double, the others would be lost
    once a huge amount is subtracted again.
    """
    weighed = F.col("amount") * F.col(_WEIGHT)
    huge = F.coalesce(F.abs("amount") > _EXACTLY_SUMMED, F.lit(False))
    return F.sum(F.when(counted & ~huge, weighed).otherwise(0.0)) + F.sum(
        F.when(counted & huge, weighed).otherwise(0.0)
    )


def write_rollups(db: Database[Document], rows: list[Any], now: datetime, limits: WriteLimits | None = None) -> None:
    """Replace the documents of the given states; one that the store refuses is set aside as a rejected document.

    Raises ``PyMongoError``, and :class:`StoreUnavailable`, also where the store refuses that as well.
    """
    changes, empty = [], []
    for row in rows:
        start = _moment(row["start_micros"])
        id = rollup_id(row["period"], start, row["origin"], row["dimension"], row["value"])
        if row["transactions"] < 1:
            empty.append(id)
            continue
        content = {"_id": id} | {name: row[name] for name in ("period", "origin", "dimension", "value")}
        content |= {name: row[name] for name in ("transactions", "frauds", "amount", "fraud_amount")}
        content |= {"updated_at": now} | ({"start": start} if start else {})
        changes.append(Encoded.of(content))
    limits = limits or WriteLimits()
    if empty:
        # All their events were withdrawn.
        patiently(lambda: db[ROLLUPS].delete_many({"_id": {"$in": empty}}), limits)
    refused = upsert_all(db[ROLLUPS], changes, limits)
    if refused:
        log.warning("rollups_refused", count=len(refused), first=str(refused[0].document.id), reason=refused[0].reason)
        require_taken(upsert_all(db[REJECTED], [Encoded.of(_set_aside(rollup, now)) for rollup in refused], limits))


def forget_older(db: Database[Document], moment: datetime, limits: WriteLimits) -> None:
    """Delete the rollups that were last written before ``moment``: those of a former state."""
    outdated = {"updated_at": {"$lt": moment}}
    patiently(lambda: db[ROLLUPS].delete_many(outdated), limits)


def _set_aside(rollup: Refused, now: datetime) -> Document:
    """The document of `rejected` for a rollup; the rollup's next state replaces it."""
    name = str(rollup.document.id)
    source = {"topic": ROLLUPS, "partition": 0, "offset": 0}
    rejected = rejection(f"cannot be written: {rollup.reason}", bytes(rollup.document.raw.raw), source, now, None, now)
    return rejected | {"_id": f"{ROLLUPS}/{name}"}


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


def event_cells(spark: SparkSession) -> Column:
    """The cells that count an event of the columns of :func:`counted`; see :func:`~fraudstream.spark.functions.cells`.

    By a field that the event lacks no cell counts it. Months and days count it where its date is within bounds.
    """
    numbers = [name for name in DIMENSION_COLUMNS if name in EDGES]
    texts = [name for name in DIMENSION_COLUMNS if name not in EDGES]
    dimensions = {
        "all": ALL,
        "numbers": [{"name": name, "edges": EDGES[name], "bins": bins(EDGES[name])} for name in (AMOUNT_BIN, *numbers)],
        "texts": texts,
        "times": TIME_DIMENSIONS,
        "oldest_days": OLDEST_EVENT_DAYS,
        "newest_days": NEWEST_EVENT_DAYS,
        "never": (_NEVER - _EPOCH) // timedelta(microseconds=1),
    }
    return cells(
        spark,
        json.dumps(dimensions),
        F.array("enqueued_at", "event_time"),
        F.array("amount", *(DIMENSION_COLUMNS[name] for name in numbers)),
        F.array(*(DIMENSION_COLUMNS[name] for name in texts)).cast("ARRAY<STRING>"),
    )
