"""Withdrawals: events that the rollups count and the store did not take, which the rollups subtract again.

Both queries read the topics, each at its own pace, so that an event may be counted before the store refuses it. The
query that writes documents puts such an event into a file beside the rollups' checkpoint. The query that counts reads
the folder as a further stream and subtracts its events.
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
    """Write the records to a file for the rollups; the same records always have the same file.

    An event may be in several files: the rollups subtract each event once in each span.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = "".join(f"{record.topic}/{record.partition}/{record.offset}\n" for record in records)
    file = folder / f"{hashlib.sha256(places.encode()).hexdigest()}.json"
    # Spark ignores names that begin with a dot.
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
    """The folder's records as a stream, without those before ``starts``: a query that reads its topics from there on
    does not count them. Of a partition that is not in ``starts`` all records remain.
    """
    from pyspark.sql import functions as F

    folder.mkdir(parents=True, exist_ok=True)
    records = spark.readStream.schema(_SCHEMA).json(file_pattern(folder))
    before = [
        (F.col("topic") == place.topic) & (F.col("partition") == place.partition) & (F.col("offset") < start)
        for place, start in starts.items()
    ]
    return records.where(~reduce(or_, before, F.lit(False)))
