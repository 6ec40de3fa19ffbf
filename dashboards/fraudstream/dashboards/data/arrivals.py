"""By which way an event came in: what its record's headers say, read from the topic when somebody asks.

Neither the stream job nor a document carries it: a column of headers would cost every event, and few are asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cachetools import LRUCache
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import VIA_HEADER
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka.broker import asking
from fraudstream.dashboards.data import stored

# Of IoT Hub: the device whose connection brought it (azure-docs, iot-hub-devguide-messages-construct).
_DEVICE_HEADER = "iothub-connection-device-id"
_WAYS = {"http": "over HTTP"}
_KAFKA = "by a Kafka client"
_KEPT = 1_000
_ANSWER_MS = 2_000
_LONGEST_DEVICE = 128

Headers = Iterable[tuple[str, bytes | None]]
Place = tuple[str, int, int]


def way_of(headers: Headers) -> str:
    """The way in, in words."""
    named = {name: (value or b"").decode("utf-8", "replace") for name, value in headers}
    if device := named.get(_DEVICE_HEADER):
        return f"over MQTT, from the device {stored.text(device, _LONGEST_DEVICE)}"
    return _WAYS.get(named.get(VIA_HEADER, ""), _KAFKA)


class Arrivals:
    """Looks records up, one at a time; ``read`` gives a record's headers, None where the topic does not hold it."""

    def __init__(self, settings: Settings, read: Callable[[Place], Headers | None] | None = None) -> None:
        self._settings = settings
        self._read = read or self._record
        self._known: LRUCache[Place, str] = LRUCache(_KEPT)

    def way(self, document: Mapping[str, Any]) -> str:
        """By which way the event of a document came in; empty where that is not known (any more)."""
        place = _place(document)
        if place is None:
            return ""
        if place not in self._known:
            try:
                headers = self._read(place)
            except FraudstreamError:
                return ""
            self._known[place] = "" if headers is None else way_of(headers)
        return self._known[place]

    def _record(self, place: Place) -> Headers | None:
        topic, partition, offset = place
        with asking(self._settings, bootstrap_timeout_ms=_ANSWER_MS, allow_auto_create_topics=False) as reader:
            part = TopicPartition(topic, partition)
            if partition not in (reader.partitions_for_topic(topic) or ()):
                return None
            reader.assign([part])
            # Beyond the ends nothing would come, and be waited for.
            if not reader.beginning_offsets([part])[part] <= offset < reader.end_offsets([part])[part]:
                return None
            reader.seek(part, offset)
            records = reader.poll(timeout_ms=_ANSWER_MS, max_records=1).get(part, ())
            return next((record.headers for record in records if record.offset == offset), None)


def _place(document: Mapping[str, Any]) -> Place | None:
    source = document.get("source")
    if not isinstance(source, Mapping):
        return None
    topic, partition, offset = (source.get(name) for name in ("topic", "partition", "offset"))
    if not isinstance(topic, str) or type(partition) is not int or type(offset) is not int:
        return None
    return topic, partition, offset
