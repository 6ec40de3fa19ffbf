"""Setting aside the records of `transactions` that make the scoring query fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.limits import CUT_RAW_BYTES, WHOLE_KEY_BYTES, WHOLE_RAW_BYTES
from fraudstream.core.contract.topics import MOST_RECORD_BYTES, REJECTED
from fraudstream.core.kafka.clients import consumer, spark_sink_options
from fraudstream.spark.failures import Failure
from fraudstream.spark.functions import finish_record
from fraudstream.spark.narrowing import Suspect, narrow_down, read_record
from fraudstream.spark.probing import MOST_UNPACKED_BYTES, Range
from fraudstream.spark.session import read_ranges

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What a record of `rejected` has beside the event's bytes, and a request beside its record.
_OWN_BYTES = 16 * 1024

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

    def _process(self, ranges: list[Range], polled: int | None) -> None:
        self._publish(self._decided(read_ranges(self._spark, self._settings, ranges, polled)))

    def _set_aside(self, found: list[Suspect]) -> None:
        reader = consumer(self._settings)
        try:
            most = self._settings.kafka_max_request_bytes
            rows = [set_aside_row(suspect, read_record(reader, suspect), most) for suspect in found]
        finally:
            reader.close()
        made = self._spark.createDataFrame(rows, _ROW)
        self._publish(made.select(finish_record(self._spark).alias("decided")).select("decided.*"))

    def _publish(self, records: DataFrame) -> None:
        records.write.format("kafka").options(**spark_sink_options(self._settings)).save()


def set_aside_row(
    suspect: Suspect, record: Any, most_bytes: int = MOST_RECORD_BYTES
) -> tuple[str, bytes | None, bytes, str, str, str]:
    """What the record of `rejected` is made of; ``record`` is Kafka's own, None where it cannot be read.

    ``most_bytes``: what a request may have. Where the event has no room in that, its beginning is set aside.
    """
    field = "cannot be scored" if record is not None else "cannot be read"
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if record is not None else datetime.now(UTC)
    source = {
        "topic": suspect.partition.topic,
        "partition": suspect.partition.partition,
        "offset": suspect.offset,
        "enqueued_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    key, value = (record.key, record.value or b"") if record is not None else (None, b"")
    reason = f"{field}: {suspect.failure.reason}"
    if len(key or b"") + len(value) > MOST_UNPACKED_BYTES:
        # It ends Spark's process wherever it is taken along.
        key, value = key[:WHOLE_KEY_BYTES] if key else key, value[:CUT_RAW_BYTES]
    # The bytes are written in base64, beside what else the record has.
    room = max((most_bytes - _OWN_BYTES) * 3 // 4, 0)
    kept = len(value) if len(value) <= WHOLE_RAW_BYTES else CUT_RAW_BYTES
    if kept > room:
        reason = (
            f"{field}: {len(value):,} bytes, of which a request of {most_bytes:,} holds these; {suspect.failure.reason}"
        )
        value = value[:room]
    return REJECTED, key, value, orjson.dumps(source).decode(), field, reason
