"""Rejected events sent again, corrected: for the command line and for the dashboards alike.

The topic of its record decides where an event goes: what came as a label goes back to `labels`, where it counts as
history, and not to `transactions` as live traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import PARTITION_KEY, Event, parse_event, parse_labelled
from fraudstream.core.contract.json_text import Path, edited, members
from fraudstream.core.contract.topics import LABELS, SCORED, TRANSACTIONS
from fraudstream.core.contract.verdict import Verdict, parse_verdict
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.stored import RAW, read_all, whole
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable, EventError
from fraudstream.core.kafka import deliveries
from fraudstream.core.kafka.clients import producer
from fraudstream.core.kafka.deliveries import Delivered, Outgoing, send_each

# A scored record that could not be stored is an event with its decision: the event goes back, to be scored again.
_DESTINATIONS = {TRANSACTIONS: TRANSACTIONS, SCORED: TRANSACTIONS, LABELS: LABELS}

# What the stream job adds to an event; see docs/reference/contracts.md.
_DECISION = frozenset(
    {"event_time", "prediction", "score", "threshold", "model_version", "scored_at", "reasons", "source"}
)
_MOST_TOLD = 5

log = structlog.get_logger(__name__)


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


def checked(topic: str, value: bytes) -> Event | Verdict:
    """The event, or the verdict, if ``topic`` takes it.

    Raises :class:`EventError` whose message starts with the field's name.
    """
    if topic != LABELS:
        return parse_event(value)
    verdict = parse_verdict(value)
    return parse_labelled(value) if verdict is None else verdict


def outgoing(rejected_id: str, source_topic: str, value: bytes) -> Outgoing:
    """The record to send. Raises :class:`EventError` where it would be rejected again."""
    topic = destination(source_topic)
    return Outgoing(rejected_id, topic, _key(checked(topic, value)).encode(), value)


def _key(record: Event | Verdict) -> str:
    """The text of the project's partition key; of a verdict, which has no other field of its event, the id's."""
    key = record.value(PARTITION_KEY) if isinstance(record, Event) else record.id
    return str(key).lower() if isinstance(key, bool) else str(key)


def send_back(settings: Settings, ids: Sequence[str], correction: Correction) -> Delivered:
    """Correct the named rejected events and send each once; returns the answer for each of them.

    All or none is sent: raises :class:`EventError` beforehand, naming each of them, when one is unknown, was cut for
    its size, is no JSON object or is still not valid. Raises :class:`StoreUnavailable`, and
    :class:`BrokerUnavailable` where no connection is made; a broker that goes away later is told in the answers.
    """
    try:
        rejected = documents.database(settings, document_class=RAW)[documents.REJECTED]
        stored = {document["_id"]: document for document in read_all(rejected.find({"_id": {"$in": list(ids)}}))}
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error
    records, problems = [], []
    for rejected_id in dict.fromkeys(ids):
        try:
            records.append(corrected_record(rejected_id, stored.get(rejected_id), correction))
        except EventError as error:
            problems.append(str(error))
    if problems:
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        raise EventError("Nothing was sent. " + "; ".join(problems[:_MOST_TOLD]) + more)
    return _send(settings, records)


class Replay:
    """Sends rejected events again, one at a time, each over its own connection, as a page's reader corrected them."""

    def __init__(self, settings: Settings, connect: Callable[[Settings], Any] | None = None) -> None:
        self._settings = settings
        self._connect = connect

    def send(self, rejected_id: str, value: bytes) -> str:
        """Check the event against the contract and send it; returns where it landed, ``topic/partition/offset``.

        Raises :class:`EventError` where it is still not valid, :class:`BrokerUnavailable` where Kafka does not
        answer, :class:`BrokerRefused` where it does not take the event.
        """
        delivered = _send(self._settings, [outgoing(rejected_id, _source_topic(rejected_id), value)], self._connect)
        if reason := delivered.refused.get(rejected_id):
            refusal = f"Kafka did not take the event: {reason}."
            if rejected_id in delivered.unanswered:
                raise BrokerUnavailable(f"{refusal} Look for it before you try again.")
            raise BrokerRefused(refusal)
        place = delivered.places[rejected_id]
        log.info("replayed", rejected=rejected_id, place=place)
        return place


def _send(
    settings: Settings, records: Sequence[Outgoing], connect: Callable[[Settings], Any] | None = None
) -> Delivered:
    return send_each(lambda: connect(settings) if connect else producer(settings, **deliveries.OPTIONS), records)


def _source_topic(rejected_id: str) -> str:
    """The topic of the id, which is made of topic, partition and offset."""
    return rejected_id.split("/", 1)[0]


def corrected_record(rejected_id: str, document: documents.Document | None, correction: Correction) -> Outgoing:
    """The record that sends a rejected event back, corrected. Raises :class:`EventError`, which names the event."""
    if document is None:
        raise EventError(f"{rejected_id}: no such rejected event, `fraudstream rejected list` shows them")
    raw, size, source = document.get("raw"), whole(document.get("raw_bytes")), document.get("source")
    if not isinstance(raw, bytes):
        raise EventError(f"{rejected_id}: its bytes are not kept; send it anew")
    if size is not None and len(raw) < size:
        raise EventError(f"{rejected_id}: only {len(raw):,} of its {size:,} bytes are kept; send it anew")
    topic = source.get("topic") if isinstance(source, Mapping) else None
    if not isinstance(topic, str):
        topic = _source_topic(rejected_id)
    try:
        return outgoing(rejected_id, topic, corrected(bytes(raw), correction))
    except EventError as error:
        advice = "correct it with --set field=value or --unset field"
        raise EventError(f"{rejected_id}: still not valid, {error}; {advice}") from error


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
        record: Any = orjson.loads(raw)
        if not isinstance(record, dict) or not record.keys() >= _DECISION:
            return []
        return [(member.name,) for member in members(raw.decode("utf-8")) if member.name in _DECISION]
    except ValueError:
        return []
