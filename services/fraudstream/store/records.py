"""Kafka records → documents, as pure functions. Documents are described in ``docs/reference/contracts.md``."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
import orjson

from fraudstream.core.contract.event import GATE, ID, parse_labelled
from fraudstream.core.contract.exact_json import beginning
from fraudstream.core.contract.limits import (
    CUT_RAW_BYTES,
    LEAST_INTEGER,
    MOST_INTEGER,
    SHOWN_REASON_CHARACTERS,
    WHOLE_KEY_BYTES,
    WHOLE_RAW_BYTES,
)
from fraudstream.core.contract.plain_reader import DECISION_MARK
from fraudstream.core.contract.topics import LABELS, REJECTED, SCORED
from fraudstream.core.contract.verdict import CAMPAIGN, parse_verdict
from fraudstream.core.documents.client import Document
from fraudstream.core.errors import EventError
from fraudstream.core.project.reserved import RESERVED_FIELDS

LIVE = "live"
HISTORY = "history"

# The beginning of the reason for an event that was scored and is not stored: a store has limits that the gate does not
# know, or another program wrote the record. Such an event is in `scored` and in `rejected`.
CANNOT_BE_WRITTEN = "cannot be written"

_LONGEST_TOPIC_NAME = 249  # Kafka's


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record; ``timestamp`` is the broker's, timezone-aware UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes

    @property
    def event(self) -> bytes:
        """The event as its sender made it, without the decision that the stream job added."""
        at = self.value.rfind(DECISION_MARK) if self.topic == SCORED else -1
        return self.value[:at] + b"}" if at > 0 else self.value


def document(record: Record, now: datetime) -> Document:
    """The document of a record: one for `transactions`, one for `verdicts`, or one for `rejected`.

    They are told apart by ``origin``, ``observed_at`` and ``reason``: see :func:`is_transaction`, :func:`is_verdict`.

    Never raises for the content of a record, also of other programs: an unreadable record becomes a rejected document.
    """
    field = None
    try:
        if record.topic == SCORED:
            return _scored(record, now)
        if record.topic == LABELS:
            return _labelled(record, now)
        if record.topic == REJECTED:
            return _rejected(record, now)
        reason = f"value: nothing is known of the topic {record.topic}"
    except EventError as error:
        scored = record.topic == SCORED
        reason, field = (f"{CANNOT_BE_WRITTEN}: {error}", CANNOT_BE_WRITTEN) if scored else (str(error), error.field)
    except Exception as error:
        reason = f"value: not a record of {record.topic}: {type(error).__name__}: {error}"
    return rejection(reason, record.value, _source(record), record.timestamp, record.key, now, field)


def is_transaction(content: Document) -> bool:
    """Whether :func:`document` made it for `transactions`; any event may have a field ``reason`` or ``observed_at``."""
    return "origin" in content


def is_verdict(content: Document) -> bool:
    """Whether :func:`document` made it for `verdicts`."""
    return "origin" not in content and "observed_at" in content


def rejection(
    reason: str,
    raw: bytes,
    source: Document,
    enqueued_at: datetime,
    key: bytes | None,
    now: datetime,
    field: str | None = None,
) -> Document:
    """A document of `rejected`, with an ``_id`` made from ``source``; ``reason`` starts with the field's name.

    Without ``field`` the name is the text before the reason's first colon; a name that has colons itself must be given
    as ``field``. Large values, keys and reasons are cut, so that every store takes the document.
    """
    shown = beginning(reason, SHOWN_REASON_CHARACTERS)
    return {
        "_id": f"{source['topic']}/{source['partition']}/{source['offset']}",
        "reason": shown,
        "field": shown.split(":", 1)[0] if field is None else beginning(field, SHOWN_REASON_CHARACTERS),
        "raw": raw if len(raw) <= WHOLE_RAW_BYTES else raw[:CUT_RAW_BYTES],
        "raw_bytes": len(raw),
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        **_key(key),
        "source": source,
        "enqueued_at": enqueued_at,
        "rejected_at": now,
        "stored_at": now,
    }


def recorded_at(transaction: Document) -> datetime | None:
    """When the record behind a document of `transactions` was put on its topic; None if no record is behind it."""
    moment = transaction.get("published_at") or transaction.get("enqueued_at")
    return moment if isinstance(moment, datetime) else None


def duplicate(transaction: Document, event: bytes, first: Document, now: datetime) -> Document:
    """The `rejected` document of an ``event`` whose id another event, ``first``, already has."""
    try:
        holder = "the event at {topic}/{partition}/{offset}".format(**first["source"])
    except (KeyError, TypeError):
        holder = "a document that no record was the source of"
    return set_aside(transaction, event, f"{ID}: {transaction['_id']} is taken by {holder}", now, ID)


def has_same_event(transaction: Document, other: Document) -> bool:
    """Whether two documents of `transactions` hold one event, whatever was decided of it and noted beside it."""
    return _own_fields(transaction) == _own_fields(other)


def _own_fields(transaction: Document) -> dict[str, bytes]:
    # As BSON has them: there a number is no truth value, and what was read is the same as what is to be written.
    return {name: bson.encode({"": value}) for name, value in transaction.items() if name not in RESERVED_FIELDS}


def set_aside(transaction: Document, event: bytes, reason: str, now: datetime, field: str | None = None) -> Document:
    """The `rejected` document of an ``event`` whose document, ``transaction``, cannot be stored."""
    key = str(transaction["_id"]).encode()
    return rejection(reason, event, transaction["source"], transaction["enqueued_at"], key, now, field)


def _scored(record: Record, now: datetime) -> Document:
    event = GATE.read_decided(record.value)
    source = event["source"]
    enqueued_at = _time(source["enqueued_at"])
    _require_decision(event)
    latency = record.timestamp - enqueued_at
    decided: Document = event | {
        "_id": event[ID],
        "event_time": _time(event["event_time"]),
        "scored_at": _time(event["scored_at"]),
        "origin": LIVE,
        "source": _place(source),
        "enqueued_at": enqueued_at,
        "published_at": record.timestamp,
        "latency_ms": latency.total_seconds() * 1000,
        "stored_at": now,
    }
    return decided


def _require_decision(event: Document) -> None:
    """Raises ``ValueError`` where the fields are not those of a decision of the stream job."""
    score, threshold, prediction = event["score"], event["threshold"], event["prediction"]
    is_decision = (
        type(prediction) is int
        and 0 <= prediction <= 1
        and type(score) in (int, float)
        and math.isfinite(score)
        and type(threshold) in (int, float)
        and math.isfinite(threshold)
        and type(event["model_version"]) is str
        and type(event["reasons"]) is list
    )
    if not is_decision:
        raise ValueError("prediction, score, threshold, model_version or reasons are not a decision's")


def _labelled(record: Record, now: datetime) -> Document:
    verdict = parse_verdict(record.value)
    if verdict is not None:
        return {
            "_id": verdict.id,
            "label": verdict.label,
            "observed_at": verdict.observed_at,
            **({} if verdict.campaign is None else {CAMPAIGN: verdict.campaign}),
            "stored_at": now,
            "source": _source(record),
        }
    event = parse_labelled(record.value)
    labelled: Document = {
        **event.fields,
        "_id": event.id,
        "event_time": event.time,
        "origin": HISTORY,
        "source": _source(record),
        "enqueued_at": record.timestamp,
        "stored_at": now,
    }
    return labelled


def _rejected(record: Record, now: datetime) -> Document:
    envelope = orjson.loads(record.value)
    # A row that many records led to, such as a window's result, has no place but its own.
    source = envelope.get("source")
    place = _source(record) if source is None else _place(source)
    enqueued_at = record.timestamp if source is None else _time(source["enqueued_at"])
    texts = [envelope[name] for name in ("reason", "field", "raw_sha256")]
    if not all(type(text) is str for text in texts) or not _is_stored_whole(envelope["raw_bytes"]):
        raise ValueError("reason, field, raw_bytes or raw_sha256 are not a rejected record's")
    if (text := envelope.get("key")) is not None:
        key = _key(text.encode())
    elif "key_base64" in envelope:
        if not _is_stored_whole(envelope["key_bytes"]):
            raise ValueError("key_bytes is not a rejected record's")
        key = _key(base64.b64decode(envelope["key_base64"], validate=True)) | {"key_bytes": envelope["key_bytes"]}
    else:
        key = _key(None)
    raw = base64.b64decode(envelope["raw_base64"], validate=True)
    reason, field, digest = (beginning(text, SHOWN_REASON_CHARACTERS) for text in texts)
    return rejection(reason, raw, place, enqueued_at, None, now) | {
        "field": field,
        "raw_bytes": envelope["raw_bytes"],
        "raw_sha256": digest,
        **key,
        "rejected_at": _time(envelope["rejected_at"]),
    }


def _source(record: Record) -> Document:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def _place(source: Document) -> Document:
    """The place that a record names as its source. Raises ``ValueError`` if it is no place in a topic."""
    topic, partition, offset = source["topic"], source["partition"], source["offset"]
    if type(topic) is not str or len(topic) > _LONGEST_TOPIC_NAME:
        raise ValueError("source is no place in a topic")
    if not _is_stored_whole(partition) or not _is_stored_whole(offset):
        raise ValueError("source is no place in a topic")
    return {"topic": topic, "partition": partition, "offset": offset}


def _is_stored_whole(number: Any) -> bool:
    return type(number) is int and LEAST_INTEGER <= number <= MOST_INTEGER


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _key(key: bytes | None) -> Document:
    """A sender's key: as text if it is short and UTF-8, otherwise its first bytes."""
    if key is None:
        return {"key": None}
    if len(key) <= WHOLE_KEY_BYTES:
        try:
            return {"key": key.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"key": None, "key_raw": key[:WHOLE_KEY_BYTES], "key_bytes": len(key)}
