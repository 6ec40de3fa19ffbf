"""Kafka records → documents, as pure functions. Documents are described in ``docs/contracts.md``."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from fraudstream.core.documents import Document
from fraudstream.core.errors import EventError
from fraudstream.core.event import RESERVED_FIELDS, parse_event
from fraudstream.core.topics import LABELS, REJECTED, SCORED

LIVE = "live"
HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record; ``timestamp`` is the broker's, timezone-aware UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes


def document(record: Record, now: datetime) -> Document:
    """The document of a record: one for `transactions`, or one for `rejected` (it has a ``reason``).

    Never raises for what a record holds: a record that cannot be read becomes a rejected document.
    """
    try:
        if record.topic == SCORED:
            return _scored(record, now)
        if record.topic == LABELS:
            return _labelled(record, now)
        if record.topic == REJECTED:
            return _rejected(record, now)
    except EventError as error:
        return rejection(str(error), record.value, _source(record), record.timestamp, _text(record.key), now)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"value: not a record of {record.topic}: {type(error).__name__}: {error}"
        return rejection(reason, record.value, _source(record), record.timestamp, _text(record.key), now)
    reason = f"value: nothing is known of the topic {record.topic}"
    return rejection(reason, record.value, _source(record), record.timestamp, _text(record.key), now)


def rejection(
    reason: str, raw: bytes, source: Document, enqueued_at: datetime, key: str | None, now: datetime
) -> Document:
    """A document of `rejected`, its ``_id`` made from ``source``; ``reason`` starts with the field's name."""
    return {
        "_id": f"{source['topic']}/{source['partition']}/{source['offset']}",
        "reason": reason,
        "field": reason.split(":", 1)[0],
        "raw": raw,
        "raw_bytes": len(raw),
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "key": key,
        "source": source,
        "enqueued_at": enqueued_at,
        "rejected_at": now,
        "stored_at": now,
    }


def duplicate(transaction: Document, first: Document, now: datetime) -> Document:
    """The `rejected` document of an event whose id another event, ``first``, already has."""
    own = {name: value for name, value in transaction.items() if name not in RESERVED_FIELDS}
    at = "{topic}/{partition}/{offset}".format(**first["source"])
    return rejection(
        f"id: {transaction['_id']} is taken by the event at {at}",
        orjson.dumps(own, default=str),
        transaction["source"],
        transaction["enqueued_at"],
        str(transaction["_id"]),
        now,
    )


def _scored(record: Record, now: datetime) -> Document:
    event = orjson.loads(record.value)
    source = event["source"]
    enqueued_at = _time(source.pop("enqueued_at"))
    latency = record.timestamp - enqueued_at
    decided: Document = event | {
        "_id": int(event["id"]),
        "event_time": _time(event["event_time"]),
        "scored_at": _time(event["scored_at"]),
        "origin": LIVE,
        "source": source,
        "enqueued_at": enqueued_at,
        "published_at": record.timestamp,
        "latency_ms": latency.total_seconds() * 1000,
        "stored_at": now,
    }
    return decided


def _labelled(record: Record, now: datetime) -> Document:
    event = parse_event(record.value)
    if event.isFraud is None:
        raise EventError("isFraud: missing, labelled history has 0 or 1")
    labelled: Document = orjson.loads(record.value) | {
        "_id": event.id,
        "event_time": event.event_time,
        "origin": HISTORY,
        "source": _source(record),
        "enqueued_at": record.timestamp,
        "stored_at": now,
    }
    return labelled


def _rejected(record: Record, now: datetime) -> Document:
    envelope = orjson.loads(record.value)
    source = envelope["source"]
    enqueued_at = _time(source.pop("enqueued_at"))
    found = rejection(
        envelope["reason"],
        base64.b64decode(envelope["raw_base64"]),
        source,
        enqueued_at,
        envelope.get("key"),
        now,
    )
    return found | {
        "field": envelope["field"],
        "raw_bytes": int(envelope["raw_bytes"]),
        "raw_sha256": envelope["raw_sha256"],
        "rejected_at": _time(envelope["rejected_at"]),
    }


def _source(record: Record) -> Document:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "replace")
