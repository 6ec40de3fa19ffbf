"""Events that are counted in the rollups and that the store did not take: the rollups count them no more.

Both queries read the topics, each at its own pace, so that an event may be counted before the store refuses it. The one
that writes documents leaves such an event as a file beside the rollups' checkpoint; the other one reads the folder as a
further stream and subtracts what is in it.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from fraudstream.core.spark import file_pattern
from fraudstream.store.records import Record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SCHEMA = "topic STRING, timestamp TIMESTAMP, value BINARY"


def write_withdrawal(folder: Path, origin: str, number: int, record: Record) -> None:
    """Leave the event for the rollups. A record has one file, however often its batch is tried.

    Another record of the event has one of its own: the rollups count, and take back, each event once within their
    watermark.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{origin}-{number}-{record.topic}-{record.partition}-{record.offset}.json"
    # Spark passes over names that begin with a dot.
    partial = folder / f".{file.name}.{os.getpid()}"
    content = {
        "topic": record.topic,
        "timestamp": record.timestamp.isoformat(),
        "value": base64.b64encode(record.value).decode(),
    }
    partial.write_bytes(orjson.dumps(content))
    partial.replace(file)


def withdrawn(spark: SparkSession, folder: Path) -> DataFrame:
    """The records that were left in the folder, as a stream."""
    folder.mkdir(parents=True, exist_ok=True)
    return spark.readStream.schema(_SCHEMA).json(file_pattern(folder))
