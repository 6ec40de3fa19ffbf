"""Labelled history out of the document store, read by Spark through a Python data source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from fraudstream.core import documents
from fraudstream.core.errors import ModelError
from fraudstream.core.event import FEATURES, FIELD_RULES
from fraudstream.core.settings import Settings, load_settings, revealed_values
from fraudstream.ml.features import ID, LABEL

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BATCH = 5_000
_COLUMNS = (ID, *FEATURES, LABEL)
_TYPES = {rule.name: rule.spark_type for rule in FIELD_RULES}
_ARROW = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "STRING": pa.string()}


class LabelledHistory(DataSource):
    """Format ``fraudstream_history``: the labelled documents of `transactions`, features and label."""

    @classmethod
    def name(cls) -> str:
        return "fraudstream_history"

    def schema(self) -> str:
        return ", ".join(f"{name} {_TYPES[name]}" for name in _COLUMNS)

    def reader(self, schema: Any) -> DataSourceReader:  # noqa: ARG002
        return HistoryReader(self.options["settings"])


class HistoryReader(DataSourceReader):
    """One partition: the embedded store scans for every range that it is asked for."""

    def __init__(self, settings_json: str) -> None:
        self._settings_json = settings_json

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(0)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        settings = load_settings(**orjson.loads(self._settings_json))
        transactions = documents.database(settings)[documents.TRANSACTIONS]
        wanted = {name: 1 for name in _COLUMNS if name != ID}
        rows: list[dict[str, Any]] = []
        for found in transactions.find({"origin": "history"}, wanted, batch_size=_BATCH):
            rows.append(found)
            if len(rows) == _BATCH:
                yield _batch(rows)
                rows = []
        if rows:
            yield _batch(rows)


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
    """The labelled history, one row a transaction: ``id``, the features, ``isFraud``."""
    spark.dataSource.register(LabelledHistory)
    config = orjson.dumps(revealed_values(settings)).decode()
    return spark.read.format("fraudstream_history").option("settings", config).load()


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
