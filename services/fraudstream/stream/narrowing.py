"""Setting aside the records of `transactions` that make the scoring query fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.limits import CUT_RAW_BYTES, WHOLE_KEY_BYTES, WHOLE_RAW_BYTES
from fraudstream.core.contract.topics import MOST_RECORD_BYTES
from fraudstream.core.kafka.clients import consumer, spark_sink_options
from fraudstream.spark.failures import Failure
from fraudstream.spark.functions import ANSWER_COLUMNS, RECORD_COLUMNS, ddl, finish_record
from fraudstream.spark.narrowing import Suspect, narrow_down, read_record
from fraudstream.spark.probing import MOST_UNPACKED_BYTES, Range
from fraudstream.spark.session import read_ranges

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What a record of `rejected` has beside the event's bytes, and a request beside its record.
_OWN_BYTES = 16 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSAL_COLUMNS = RECORD_COLUMNS | {name: ANSWER_COLUMNS[name] for name in ("field", "reason")}


class Narrowing:
    """Scores the batch that fails in parts, and sends what cannot be scored to `rejected`."""

    def __init__(self, spark: SparkSession, settings: Settings, decided: Callable[[DataFrame], DataFrame]) -> None:
        self._spark = spark
        self._settings = settings
        self._decided = decided

    def narrow(self, failure: Failure) -> bool:
        """Whether the query is past the batch. Raises what stops the search."""
        return narrow_down(self._settings, "stream", self._process, self._set_aside, failure)

    def _process(self, ranges: list[Range], polled: int | None) -> None:
        self._publish(self._decided(read_ranges(self._spark, self._settings, ranges, polled)))

    def _set_aside(self, suspects: list[Suspect]) -> None:
        from pyspark.sql import functions as F

        reader = consumer(self._settings)
        try:
            most = self._settings.kafka_max_request_bytes
            rows = [set_aside_row(suspect, read_record(reader, suspect), most) for suspect in suspects]
        finally:
            reader.close()
        refused = self._spark.createDataFrame(rows, ddl(_REFUSAL_COLUMNS))
        answers = {name: F.lit(None).cast(kind) for name, kind in ANSWER_COLUMNS.items()}
        answered = refused.withColumns({name: null for name, null in answers.items() if name not in _REFUSAL_COLUMNS})
        self._publish(answered.select(finish_record(self._spark).alias("decided")).select("decided.*"))

    def _publish(self, records: DataFrame) -> None:
        records.write.format("kafka").options(**spark_sink_options(self._settings)).save()


def set_aside_row(
    suspect: Suspect, record: Any, most_bytes: int = MOST_RECORD_BYTES
) -> tuple[bytes, bytes | None, str, int, int, datetime, str, str]:
    """The record of `transactions` with the field and the reason; ``record`` is Kafka's, None where it cannot be read.

    ``most_bytes``: the most of a request. Where the event has no room in it, only its beginning is set aside.
    """
    field = "cannot be scored" if record is not None else "cannot be read"
    at = _EPOCH + timedelta(milliseconds=record.timestamp) if record is not None else datetime.now(UTC)
    key, value = (record.key, record.value or b"") if record is not None else (None, b"")
    reason = f"{field}: {suspect.failure.reason}"
    if len(key or b"") + len(value) > MOST_UNPACKED_BYTES:
        # Spark's process would end wherever it handles the whole record.
        key, value = key[:WHOLE_KEY_BYTES] if key else key, value[:CUT_RAW_BYTES]
    # Base64 makes four bytes of three.
    room = max((most_bytes - _OWN_BYTES) * 3 // 4, 0)
    kept = len(value) if len(value) <= WHOLE_RAW_BYTES else CUT_RAW_BYTES
    if kept > room:
        reason = (
            f"{field}: {len(value):,} bytes, of which a request of {most_bytes:,} holds these; {suspect.failure.reason}"
        )
        value = value[:room]
    return value, key, suspect.partition.topic, suspect.partition.partition, suspect.offset, at, field, reason
