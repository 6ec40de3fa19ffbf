"""The documents as the beginning of the rollups' state, if that state is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pymongo.database import Database
from pymongo.errors import PyMongoError

from fraudstream.core.contract.event import AMOUNT, LABEL
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.contract.rollups import EVENT_DIMENSIONS, ORIGINS
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.client import Document
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.spark.session import file_pattern
from fraudstream.store.records import LIVE, recorded_at
from fraudstream.store.rollups import with_computed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS = 10_000
_SCHEMA = pa.schema(
    [
        ("origin", pa.string()),
        ("id", pa.int64()),
        ("enqueued_at", pa.timestamp("us", "UTC")),
        ("recorded_at", pa.timestamp("us", "UTC")),
        ("event_time", pa.timestamp("us", "UTC")),
        ("fraud", pa.int64()),
        ("amount", pa.float64()),
        *((name, pa.string()) for name in EVENT_DIMENSIONS),
    ]
)
_SPARK_SCHEMA = ", ".join(
    [
        "origin STRING, id BIGINT, enqueued_at TIMESTAMP, recorded_at TIMESTAMP, event_time TIMESTAMP, fraud BIGINT",
        "amount DOUBLE",
        *(f"{name} STRING" for name in EVENT_DIMENSIONS),
    ]
)


def is_wanted(db: Database[Document]) -> bool:
    """Whether there are rollups that an empty state would overwrite. Raises :class:`StoreUnavailable`."""
    try:
        return db[documents.ROLLUPS].find_one({}, {"_id": 1}) is not None and (
            db[documents.TRANSACTIONS].find_one({}, {"_id": 1}) is not None
        )
    except PyMongoError as error:
        raise documents.unavailable(error) from error


def write_seed(db: Database[Document], checkpoint: Checkpoint, limits: WriteLimits) -> None:
    """Write the counted fields of every stored transaction to the checkpoint's seed, once.

    A document without these fields, which only old versions stored, is left out. Raises as :func:`scanned` does.
    """
    file = checkpoint.seed / "documents.parquet"
    if file.exists():
        return
    partial = checkpoint.seed.with_name(f"{checkpoint.seed.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    wanted = dict.fromkeys(
        ("origin", "enqueued_at", "published_at", "event_time", "prediction", LABEL, AMOUNT, *EVENT_DIMENSIONS), 1
    )

    def query() -> Iterator[Document]:
        return iter(db[documents.TRANSACTIONS].find({}, wanted, batch_size=_ROWS))

    with pq.ParquetWriter(partial / file.name, _SCHEMA) as writer:
        for rows in scanned(query, _ROWS, limits):
            writer.write_table(pa.Table.from_pylist(list(_rows(rows)), _SCHEMA))
    shutil.rmtree(checkpoint.seed, ignore_errors=True)
    partial.replace(checkpoint.seed)


def with_seed(spark: SparkSession, checkpoint: Checkpoint, events: DataFrame) -> DataFrame:
    """The seed's events and the counted events, in one stream."""
    seed = spark.readStream.schema(_SPARK_SCHEMA).parquet(file_pattern(checkpoint.seed))
    return with_computed(seed).select(*events.columns).union(events)


def _rows(transactions: list[Document]) -> Iterator[dict[str, Any]]:
    for document in transactions:
        live = document.get("origin") == LIVE
        fraud = document.get("prediction" if live else LABEL)
        amount = document.get(AMOUNT)
        origin, enqueued_at, event_time = (document.get(name) for name in ("origin", "enqueued_at", "event_time"))
        if not _is_integer(document["_id"]) or not _is_integer(fraud) or not isinstance(enqueued_at, datetime):
            continue
        if origin not in ORIGINS:
            continue
        yield {
            "origin": origin,
            "id": document["_id"],
            "enqueued_at": enqueued_at,
            "recorded_at": recorded_at(document),
            "event_time": event_time if isinstance(event_time, datetime) else None,
            "fraud": fraud,
            "amount": float(amount) if isinstance(amount, int | float) and abs(amount) <= LARGEST_SINGLE else None,
        } | {name: None if document.get(name) is None else str(document[name]) for name in EVENT_DIMENSIONS}


def _is_integer(value: Any) -> bool:
    """Whether the store holds a whole number: PyMongo reads one of 64 bits as a subclass of ``int``."""
    return isinstance(value, int) and not isinstance(value, bool)
