"""Labelled history out of the document store, read by Spark."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pyarrow as pa
from pymongo.errors import PyMongoError

from fraudstream.core import documents
from fraudstream.core.errors import ModelError
from fraudstream.core.event import FEATURES, FIELD_RULES
from fraudstream.core.settings import Settings, load_settings, revealed_values
from fraudstream.core.throttling import WriteLimits, patiently
from fraudstream.ml.features import ID, LABEL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BATCH = 5_000
_POLL_SECONDS = 0.5
_COLUMNS = (ID, *FEATURES, LABEL)
_TYPES = {rule.name: rule.spark_type for rule in FIELD_RULES}
_ARROW = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "STRING": pa.string()}


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    columns = {name: [row["_id" if name == ID else name] for row in rows] for name in _COLUMNS}
    return pa.RecordBatch.from_arrays(
        [
            pa.array([float(v) for v in values] if _TYPES[name] == "DOUBLE" else values, _ARROW[_TYPES[name]])
            for name, values in columns.items()
        ],
        names=list(_COLUMNS),
    )


def read_history(spark: SparkSession, settings: Settings) -> DataFrame:
    """The labelled history, one row a transaction: ``id``, the features, ``isFraud``.

    One task reads it: the embedded store scans the collection for every range that it is asked for.
    """
    config = orjson.dumps(revealed_values(settings)).decode()

    def read(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        transactions = documents.database(load_settings(**orjson.loads(config)))[documents.TRANSACTIONS]
        wanted = {name: 1 for name in _COLUMNS if name != ID}
        found = transactions.find({"origin": "history"}, wanted, batch_size=_BATCH)
        while rows := list(islice(found, _BATCH)):
            yield _batch(rows)

    schema = ", ".join(f"{name} {_TYPES[name]}" for name in _COLUMNS)
    return spark.range(0, 1, 1, 1).mapInArrow(read, schema)


def await_history(settings: Settings, count: int, tell: Callable[[str], None]) -> None:
    """Wait until ``count`` labelled transactions are stored; ``tell`` hears how many there are.

    Asks the store at least once, so that one that is away is told before Spark's task fails on it; one that has no
    request units is asked again. Raises :class:`StoreUnavailable`.
    """
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    limits = WriteLimits.of(settings)
    labelled = {"origin": "history"}
    try:
        patiently(lambda: transactions.find_one(labelled, {"_id": 1}), limits)
        # Counting by origin scans the embedded store, and so waits until there can be enough.
        while count and (
            (stored := patiently(transactions.estimated_document_count, limits)) < count
            or (stored := patiently(lambda: transactions.count_documents(labelled), limits)) < count
        ):
            tell(f"{stored:,} of {count:,} labelled transactions are stored")
            time.sleep(_POLL_SECONDS)
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def checked(history: pd.DataFrame) -> pd.DataFrame:
    """The history in the order of its ids. Raises :class:`ModelError` where nothing can be learnt from it."""
    if history.empty:
        raise ModelError(
            "The document store has no labelled history. Publish some with `fraudstream generate history`, "
            "and wait until `fraudstream status` shows no lag of the store."
        )
    if history[LABEL].nunique() < 2:
        raise ModelError(
            f"All {len(history):,} labelled transactions have isFraud = {history[LABEL].iloc[0]}: there is nothing to "
            "tell apart. Publish history of both classes with `fraudstream generate history`."
        )
    return history.sort_values(ID, ignore_index=True)


def fingerprint(history: pd.DataFrame) -> str:
    """SHA-256 of the rows in the order of their ids, hexadecimal: equal data, equal fingerprint."""
    rows = pd.util.hash_pandas_object(history[list(_COLUMNS)], index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()
