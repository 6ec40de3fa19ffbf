"""Setting aside the records of `transactions` that make the scoring query fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from fraudstream.core.failures import Failure
from fraudstream.core.jvm import finish_record
from fraudstream.core.kafka import consumer, spark_sink_options
from fraudstream.core.narrowing import Suspect, narrow_down, read_record
from fraudstream.core.probing import Range
from fraudstream.core.settings import Settings
from fraudstream.core.spark import read_range
from fraudstream.core.topics import REJECTED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROW = "topic STRING, key BINARY, value BINARY, source STRING, field STRING, reason STRING"


class Narrowing:
    """Scores the batch that fails in parts, and sends what cannot be scored to `rejected`."""

    def __init__(self, spark: SparkSession, settings: Settings, decided: Callable[[DataFrame], DataFrame]) -> None:
        self._spark = spark
        self._settings = settings
        self._decided = decided

    def narrow(self, failure: Failure) -> bool:
        """Whether the query is past the batch. Raises what stands in the way of the search."""
        return narrow_down(self._settings, "stream", self._process, self._set_aside, failure)

    def _process(self, ranges: list[Range]) -> None:
        starts = {one.partition: one.start for one in ranges}
        ends = {one.partition: one.end for one in ranges}
        self._publish(self._decided(read_range(self._spark, self._settings, starts, ends)))

    def _set_aside(self, found: list[Suspect]) -> None:
        reader = consumer(self._settings)
        try:
            rows = [set_aside_row(suspect, read_record(reader, suspect)) for suspect in found]
        finally:
            reader.close()
        made = self._spark.createDataFrame(rows, _ROW)
        self._publish(made.select(finish_record(self._spark).alias("decided")).select("decided.*"))

    def _publish(self, records: DataFrame) -> None:
        records.write.format("kafka").options(**spark_sink_options(self._settings)).save()


def set_aside_row(suspect: Suspect, record: Any) -> tuple[str, bytes | None, bytes, str, str, str]:
    """What the record of `rejected` is made of; ``record`` is Kafka's own, None where it cannot be read."""
    field = "cannot be scored" if record is not None else "cannot be read"
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if record is not None else datetime.now(UTC)
    source = {
        "topic": suspect.partition.topic,
        "partition": suspect.partition.partition,
        "offset": suspect.offset,
        "enqueued_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    key, value = (record.key, record.value or b"") if record is not None else (None, b"")
    return REJECTED, key, value, orjson.dumps(source).decode(), field, f"{field}: {suspect.failure.reason}"
