"""Setting aside the records of `transactions` that make the scoring query fail."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from fraudstream.core.failures import Failure
from fraudstream.core.kafka import consumer, producer, spark_sink_options
from fraudstream.core.limits import CUT_RAW_BYTES, WHOLE_KEY_BYTES, WHOLE_RAW_BYTES
from fraudstream.core.narrowing import Range, Suspect, narrow_down, read_record
from fraudstream.core.settings import Settings
from fraudstream.core.spark import read_range
from fraudstream.core.topics import REJECTED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SEND_SECONDS = 60


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
        records = read_range(self._spark, self._settings, starts, ends)
        self._decided(records).write.format("kafka").options(**spark_sink_options(self._settings)).save()

    def _set_aside(self, found: list[Suspect]) -> None:
        sender = producer(self._settings)
        try:
            sent = [sender.send(REJECTED, key=key, value=value) for key, value in self._rejections(found)]
            for delivery in sent:
                delivery.get(timeout=_SEND_SECONDS)
        finally:
            sender.close()

    def _rejections(self, found: list[Suspect]) -> Iterator[tuple[bytes | None, bytes]]:
        reader = consumer(self._settings)
        try:
            for suspect in found:
                yield rejection(suspect, read_record(reader, suspect))
        finally:
            reader.close()


def rejection(suspect: Suspect, record: Any) -> tuple[bytes | None, bytes]:
    """Key and value of the record of `rejected`; ``record`` is Kafka's, None where it cannot be read."""
    raw = (record.value or b"") if record is not None else b""
    key = record.key if record is not None else None
    verb = "scored" if record is not None else "read"
    now = datetime.now(UTC)
    enqueued_at = datetime.fromtimestamp(record.timestamp / 1000, UTC) if record is not None else now
    envelope: Mapping[str, Any] = {
        "reason": f"cannot be {verb}: {suspect.failure.reason}",
        "field": f"cannot be {verb}",
        "raw_base64": base64.b64encode(raw if len(raw) <= WHOLE_RAW_BYTES else raw[:CUT_RAW_BYTES]).decode(),
        "raw_bytes": len(raw),
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "rejected_at": _stamp(now),
        "source": {
            "topic": suspect.partition.topic,
            "partition": suspect.partition.partition,
            "offset": suspect.offset,
            "enqueued_at": _stamp(enqueued_at),
        },
    }
    if key is not None:
        envelope = {**envelope, **_key(key)}
        if len(key) > WHOLE_KEY_BYTES:
            key = hashlib.sha256(key).hexdigest().encode()
    return key, orjson.dumps(envelope)


def _key(key: bytes) -> Mapping[str, Any]:
    """A sender's key as records of `rejected` have it: text where it is one and short, else its first bytes."""
    if len(key) <= WHOLE_KEY_BYTES:
        try:
            return {"key": key.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"key_base64": base64.b64encode(key[:WHOLE_KEY_BYTES]).decode(), "key_bytes": len(key)}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
