"""Requests → messages: one event as it is, or a batch in Service Bus' JSON form.

Sources: learn.microsoft.com/rest/api/eventhub/send-event, …/send-batch-events and …/event-hubs-runtime-rest; the field
``IsBodyBase64``: learn.microsoft.com/archive/blogs/shacorn (HTTP batch send).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from fraudstream.core.contract.topics import HTTP_BATCH_TYPE, MOST_RECORD_BYTES
from fraudstream.core.output.text import printable
from fraudstream.ingest.refusal import Refusal

# What each event of a batch counts beside its own bytes, as in AMQP's frames; no batch has more than about 10,000.
EVENT_FRAME_BYTES = 100
# event-hubs-quotas: "size of partition key".
_LONGEST_KEY = 128
# Of a header of Kafka: a number of 16 bits in most clients.
_LONGEST_PROPERTY_NAME = 32_767
_LONGEST_SHOWN = 60

# Headers that belong to HTTP, to the service or to what lies between; all others are the event's properties.
_NO_PROPERTY = re.compile(
    "accept.*|authorization|brokerproperties|cache-control|connection|content-.*|cookie|date|dnt|expect|forwarded|from|"
    "host|if-.*|keep-alive|max-forwards|origin|pragma|proxy-.*|range|referer|request-id|sec-.*|te|traceparent|"
    "tracestate|trailer|transfer-encoding|upgrade.*|user-agent|via|warning|x-(?:arr|envoy|forwarded|ms-client)-.*|"
    "x-(?:ms-retrypolicy|real-ip|request-id)"
)

Headers = list[tuple[str, bytes]]


class Message(NamedTuple):
    """A record to be: value, key (None without a partition key) and Kafka's headers."""

    value: bytes
    key: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes that the record takes, its frame included."""
        own = len(self.value) + len(self.key or b"") + EVENT_FRAME_BYTES
        return own + sum(len(name) + len(value) + 8 for name, value in self.headers)


def read(content_type: str, headers: Iterable[tuple[str, str]], body: bytes, publisher: str = "") -> list[Message]:
    """The messages of a request, at least one. ``publisher``: of its path; it is then the partition key of all.

    Raises :class:`Refusal`: 400 for what cannot be read, 413 for an event that is too large.
    """
    named = list(headers)
    given = next((value for name, value in named if name == "brokerproperties"), "")
    common = _partition_key(_broker_properties(given), publisher) if given else publisher or None
    if content_type.partition(";")[0].strip().lower() == HTTP_BATCH_TYPE:
        messages = _batch(body, common, publisher)
    else:
        messages = [Message(body, _encoded(common), _properties_of(named))]
    for message in messages:
        if message.size > MOST_RECORD_BYTES:
            raise Refusal(413, f"RequestEntityTooLarge: an event of {message.size} bytes; {MOST_RECORD_BYTES} fit.")
    return messages


def _batch(body: bytes, common: str | None, publisher: str) -> list[Message]:
    try:
        items = orjson.loads(body)
    except ValueError as error:
        raise Refusal(400, f"BadRequest: the batch is no JSON ({error}).") from None
    if not isinstance(items, list) or not items:
        raise Refusal(400, 'BadRequest: the batch is no JSON array of events, [{"Body": "…"}, …].')
    return [_item(item, number, common, publisher) for number, item in enumerate(items)]


def _item(item: Any, number: int, common: str | None, publisher: str) -> Message:
    where = f"event {number} of the batch"
    if not isinstance(item, dict) or not isinstance(item.get("Body"), str):
        raise Refusal(400, f"BadRequest: {where} has no Body that is a string.")
    value = _body(item, where)
    key, broker = common, item.get("BrokerProperties")
    if broker is not None:
        if not isinstance(broker, dict):
            raise Refusal(400, f"BadRequest: BrokerProperties of {where} is no object.")
        key = _partition_key(broker, publisher) or common
    properties = item.get("UserProperties")
    if properties is None:
        return Message(value, _encoded(key), [])
    if not isinstance(properties, dict):
        raise Refusal(400, f"BadRequest: UserProperties of {where} is no object.")
    return Message(value, _encoded(key), [(_name(name), _property(text)) for name, text in properties.items()])


def _body(item: Mapping[str, Any], where: str) -> bytes:
    if not item.get("IsBodyBase64"):
        return bytes(item["Body"].encode())
    try:
        return base64.b64decode(item["Body"], validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, f"BadRequest: Body of {where} is no base64.") from None


def _broker_properties(text: str) -> Mapping[str, Any]:
    try:
        properties = orjson.loads(text)
    except ValueError:
        properties = None
    if not isinstance(properties, dict):
        raise Refusal(400, 'BadRequest: the header BrokerProperties is no JSON object, {"PartitionKey": "…"}.')
    return properties


def _partition_key(properties: Mapping[str, Any], publisher: str) -> str | None:
    key = properties.get("PartitionKey")
    if key is None:
        return publisher or None
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        raise Refusal(400, f"BadRequest: PartitionKey is no text of at most {_LONGEST_KEY} characters.")
    if publisher and key != publisher:
        raise Refusal(400, "BadRequest: PartitionKey is another than the publisher, which is the key here.")
    return key or None


def _encoded(key: str | None) -> bytes | None:
    return None if key is None else key.encode("utf-8", "surrogatepass")


def _properties_of(headers: Iterable[tuple[str, str]]) -> Headers:
    return [
        # Headers are decoded as latin-1, so that this gives back the bytes that were sent.
        (_name(name), value.strip('"').encode("latin-1"))
        for name, value in headers
        if not _NO_PROPERTY.fullmatch(name)
    ]


def _name(name: str) -> str:
    if not name or len(name) > _LONGEST_PROPERTY_NAME:
        raise Refusal(400, f"BadRequest: the property {printable(name, _LONGEST_SHOWN)!r} has no usable name.")
    return name


def _property(value: Any) -> bytes:
    """A property's text: texts as they are, all else as JSON has it."""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
