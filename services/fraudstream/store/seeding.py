"""The documents as the beginning of the rollups' state, if that state is lost."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pymongo.database import Database
from pymongo.errors import PyMongoError

from fraudstream.core.contract.event import AMOUNT, ID, LABEL, RULES
from fraudstream.core.contract.field_rules import as_double, value_at
from fraudstream.core.contract.rollups import EDGES, ORIGINS
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.client import Document
from fraudstream.core.documents.paths import projection
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.spark.functions import DIMENSION_COLUMNS
from fraudstream.spark.session import file_pattern
from fraudstream.store.records import LIVE, recorded_at
from fraudstream.store.rollups import dimension_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS = 10_000
_LABEL = RULES[LABEL]
_FIELDS = (_LABEL, RULES[AMOUNT], *(RULES[name] for name in DIMENSION_COLUMNS))
_PROJECTION = projection(
    ("origin", "enqueued_at", "published_at", "event_time", "prediction"), (rule.path for rule in _FIELDS)
)
_ARROW_TYPES = {"double": pa.float64(), "string": pa.string(), "BIGINT": pa.int64(), "STRING": pa.string()}
_ID_TYPE = RULES[ID].spark_type
_DIMENSION_TYPES = {column: dimension_type(name) for name, column in DIMENSION_COLUMNS.items()}
_SCHEMA = pa.schema(
    [
        ("origin", pa.string()),
        ("id", _ARROW_TYPES[_ID_TYPE]),
        ("enqueued_at", pa.timestamp("us", "UTC")),
        ("recorded_at", pa.timestamp("us", "UTC")),
        ("event_time", pa.timestamp("us", "UTC")),
        ("fraud", pa.int64()),
        ("amount", pa.float64()),
        *((column, _ARROW_TYPES[kind]) for column, kind in _DIMENSION_TYPES.items()),
    ]
)
_SPARK_SCHEMA = ", ".join(
    [
        f"origin STRING, id {_ID_TYPE}, enqueued_at TIMESTAMP, recorded_at TIMESTAMP, event_time TIMESTAMP",
        "fraud BIGINT, amount DOUBLE",
        *(f"{column} {kind}" for column, kind in _DIMENSION_TYPES.items()),
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

    def query() -> Iterator[Document]:
        return iter(db[documents.TRANSACTIONS].find({}, _PROJECTION, batch_size=_ROWS))

    with pq.ParquetWriter(partial / file.name, _SCHEMA) as writer:
        for rows in scanned(query, _ROWS, limits):
            writer.write_table(seed_table(rows))
    shutil.rmtree(checkpoint.seed, ignore_errors=True)
    partial.replace(checkpoint.seed)


def with_seed(spark: SparkSession, checkpoint: Checkpoint, events: DataFrame) -> DataFrame:
    """The seed's events and the counted events, in one stream."""
    seed = spark.readStream.schema(_SPARK_SCHEMA).parquet(file_pattern(checkpoint.seed))
    return seed.select(*events.columns).union(events)


def seed_table(transactions: list[Document]) -> pa.Table:
    """What is counted of these transactions, as the seed's file has it; one that cannot be counted is left out."""
    return pa.Table.from_pylist(list(_rows(transactions)), _SCHEMA)


def _rows(transactions: list[Document]) -> Iterator[dict[str, Any]]:
    for document in transactions:
        fraud = _fraud(document)
        origin, enqueued_at, event_time = (document.get(name) for name in ("origin", "enqueued_at", "event_time"))
        if not _is_id(document["_id"]) or fraud is None or not isinstance(enqueued_at, datetime):
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
            "amount": _amount(document),
        } | {column: _dimension(document, name) for name, column in DIMENSION_COLUMNS.items()}


def _fraud(document: Document) -> int | None:
    """Whether the document counts as a fraud, 0 or 1; None where it does not say."""
    live = document.get("origin") == LIVE
    fraud = document.get("prediction") if live else value_at(document, _LABEL.path)
    if not live and _LABEL.kind == "bool":
        return int(fraud) if isinstance(fraud, bool) else None
    return int(fraud) if isinstance(fraud, int) and not isinstance(fraud, bool) else None


def _amount(document: Document) -> float | None:
    """The amount, unless it is larger than any that the contract allows: the sum would hold no other one."""
    amount = _number(value_at(document, RULES[AMOUNT].path))
    return amount if amount is not None and abs(amount) <= max(map(abs, RULES[AMOUNT].range)) else None


def _dimension(document: Document, name: str) -> float | str | None:
    """The value that the document is counted by: a number that Spark bins, or a text."""
    value = value_at(document, RULES[name].path)
    if name in EDGES:
        return _number(value)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _number(value: Any) -> float | None:
    number = as_double(value)
    return number if number is not None and math.isfinite(number) else None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) if RULES[ID].kind == "text" else _is_integer(value)


def _is_integer(value: Any) -> bool:
    """Whether the store holds a whole number: PyMongo reads one of 64 bits as a subclass of ``int``."""
    return isinstance(value, int) and not isinstance(value, bool)
