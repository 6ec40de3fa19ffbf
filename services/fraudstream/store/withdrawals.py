"""Events that are counted in the rollups and that the store did not take: the rollups count them no more.

Both queries read the topics, each at its own pace, so that an event may be counted before the store refuses it. The one
that writes documents leaves such an event as a file beside the rollups' checkpoint; the other one reads the folder as a
further stream and subtracts what is in it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from kafka import TopicPartition

from fraudstream.spark.session import file_pattern
from fraudstream.store.records import Record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SCHEMA = "topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, value BINARY"


def write_withdrawals(folder: Path, records: Sequence[Record]) -> None:
    """Leave the events of some records for the rollups; the same records have one file, however often they are tried.

    That an event is in several files does no harm: the rollups take back each event once in each span.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = "".join(f"{record.topic}/{record.partition}/{record.offset}\n" for record in records)
    file = folder / f"{hashlib.sha256(places.encode()).hexdigest()}.json"
    # Spark passes over names that begin with a dot.
    partial = folder / f".{file.name}.{os.getpid()}"
    partial.write_bytes(b"\n".join(map(_line, records)))
    partial.replace(file)


def _line(record: Record) -> bytes:
    return orjson.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp.isoformat(),
            "value": base64.b64encode(record.value).decode(),
        }
    )


def withdrawn(spark: SparkSession, folder: Path, starts: Mapping[TopicPartition, int]) -> DataFrame:
    """The records that were left in the folder, as a stream: those that are counted where the topics are read from
    ``starts`` on, by partition; of an absent one all are.
    """
    from pyspark.sql import functions as F

    folder.mkdir(parents=True, exist_ok=True)
    left = spark.readStream.schema(_SCHEMA).json(file_pattern(folder))
    before = [
        (F.col("topic") == place.topic) & (F.col("partition") == place.partition) & (F.col("offset") < start)
        for place, start in starts.items()
    ]
    return left.where(~reduce(or_, before, F.lit(False)))
