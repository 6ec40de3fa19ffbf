"""Rejected events sent again, corrected: for the command line and for the dashboards alike.

Where an event goes, its record's own topic decides: what came as a label goes back to `labels`, where it counts as
history, and not to `transactions` as live traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import Transaction, parse_event
from fraudstream.core.contract.json_text import Path, edited, members
from fraudstream.core.contract.topics import LABELS, SCORED, TRANSACTIONS
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.stored import RAW, read_all, whole
from fraudstream.core.errors import EventError
from fraudstream.core.kafka import deliveries
from fraudstream.core.kafka.clients import producer
from fraudstream.core.kafka.deliveries import Delivered, Outgoing, send_each

# A scored record that could not be stored is an event with its decision: the event goes back, to be scored anew.
_DESTINATIONS = {TRANSACTIONS: TRANSACTIONS, SCORED: TRANSACTIONS, LABELS: LABELS}

# What the stream job adds to an event; see docs/reference/contracts.md.
_DECISION = frozenset(
    {"event_time", "prediction", "score", "threshold", "model_version", "scored_at", "reasons", "source"}
)
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Correction:
    """What to change in each event: path → JSON text of the new value, and the paths of fields to take away."""

    changes: Mapping[Path, str] = field(default_factory=dict)
    removed: Sequence[Path] = ()


def destination(source_topic: str) -> str:
    """The topic that an event goes back to. Raises :class:`EventError` for a topic that takes no events."""
    try:
        return _DESTINATIONS[source_topic]
    except KeyError:
        raise EventError(
            f"value: came as a record of {source_topic!r}, which takes no events; send what it should be by its sender"
        ) from None


def checked(topic: str, value: bytes) -> Transaction:
    """The event, if ``topic`` takes it. Raises :class:`EventError` whose message starts with the field's name."""
    event = parse_event(value)
    if topic == LABELS and event.isFraud is None:
        raise EventError("isFraud: missing, labelled history has 0 or 1")
    return event


def outgoing(rejected_id: str, source_topic: str, value: bytes) -> Outgoing:
    """The record to send. Raises :class:`EventError` where it would be rejected again."""
    topic = destination(source_topic)
    return Outgoing(rejected_id, topic, str(checked(topic, value).id).encode(), value)


def send_back(settings: Settings, ids: Sequence[str], correction: Correction) -> Delivered:
    """Correct the named rejected events and send each once; returns the answer for each of them.

    All or none is sent: raises :class:`EventError` beforehand, naming each of them, when one is unknown, was cut for
    its size, is no JSON object or is still not valid. Raises :class:`StoreUnavailable`, and
    :class:`BrokerUnavailable` where no connection is made; a broker that goes away later is told in the answers.
    """
    try:
        rejected = documents.database(settings, document_class=RAW)[documents.REJECTED]
        found = {made["_id"]: made for made in read_all(rejected.find({"_id": {"$in": list(ids)}}))}
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error
    records, problems = [], []
    for number in dict.fromkeys(ids):
        try:
            records.append(_record(number, found.get(number), correction))
        except EventError as error:
            problems.append(str(error))
    if problems:
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        raise EventError("Nothing was sent. " + "; ".join(problems[:_MOST_TOLD]) + more)
    return send_each(partial(producer, settings, **deliveries.OPTIONS), records)


def _record(number: str, made: documents.Document | None, correction: Correction) -> Outgoing:
    if made is None:
        raise EventError(f"{number}: no such rejected event, `fraudstream rejected list` shows them")
    raw, size, source = made.get("raw"), whole(made.get("raw_bytes")), made.get("source")
    if not isinstance(raw, bytes):
        raise EventError(f"{number}: its bytes are not kept; send it anew")
    if size is not None and len(raw) < size:
        raise EventError(f"{number}: only {len(raw):,} of its {size:,} bytes are kept; send it anew")
    topic = source.get("topic") if isinstance(source, Mapping) else None
    if not isinstance(topic, str):
        # The id is made of topic, partition and offset.
        topic = number.split("/", 1)[0]
    try:
        return outgoing(number, topic, corrected(bytes(raw), correction))
    except EventError as error:
        advice = "correct it with --set field=value or --unset field"
        raise EventError(f"{number}: still not valid, {error}; {advice}") from error


def corrected(raw: bytes, correction: Correction) -> bytes:
    """The event with the correction, every other byte as it was; without its decision where it has one.

    Raises :class:`EventError` where a correction is asked of what is no JSON object.
    """
    decided = _decision(raw)
    changes, removed = correction.changes, [*decided, *correction.removed]
    if not changes and not removed:
        return raw
    try:
        # A field that is taken away with the decision may be named as well.
        return edited(raw.decode("utf-8"), changes, list(dict.fromkeys(removed))).encode("utf-8")
    except UnicodeError as error:
        raise EventError(f"value: cannot be corrected, it is no UTF-8 text ({error}); send it anew") from error
    except ValueError as error:
        raise EventError(f"value: cannot be corrected, {error}") from error


def _decision(raw: bytes) -> list[Path]:
    """The paths of a decision's fields, where the record is a scored one as a whole."""
    if b'"model_version"' not in raw:
        return []
    try:
        known: Any = orjson.loads(raw)
        if not isinstance(known, dict) or not known.keys() >= _DECISION:
            return []
        return [(one.name,) for one in members(raw.decode("utf-8")) if one.name in _DECISION]
    except ValueError:
        return []
