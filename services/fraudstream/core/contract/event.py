"""The event contract that is in force: the project's fields, and what stands before every event.

The project's ``event.schema.json`` is the definition; the Spark schema and the field rules that the stream job
enforces are derived from it. The reader is tolerant: unknown fields are kept; a known field of a wrong type or outside
its values rejects the event with a reason that starts with the field's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudstream.core.contract.field_rules import FieldRule, parse_date
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.core.project.project import bundled

FIRST_HISTORY_ID = 1_000_000
FIRST_LIVE_ID = 1_001_000

PROJECT = bundled("payments")

# The fields that the engine itself has to know.
ID = PROJECT.definition.event.id
TIME = PROJECT.definition.event.time
AMOUNT = PROJECT.definition.event.amount
LABEL = PROJECT.definition.event.label

FIELD_RULES: tuple[FieldRule, ...] = PROJECT.rules
RULES: Mapping[str, FieldRule] = {rule.name: rule for rule in FIELD_RULES}

# The model's inputs, in the order in which they are sent to it.
FEATURES: tuple[str, ...] = PROJECT.definition.model.inputs

# What the system writes beside an event's own fields, in `scored` and in documents; senders can't use these names.
RESERVED_FIELDS: tuple[str, ...] = (
    "_id",
    "enqueued_at",
    "event_time",
    "latency_ms",
    "model_version",
    "origin",
    "prediction",
    "published_at",
    "reasons",
    "score",
    "scored_at",
    "source",
    "stored_at",
    "threshold",
)

# What stands before every event, wherever it comes from.
GATE = Gate(FIELD_RULES, RESERVED_FIELDS, MAX_EVENT_BYTES)


@dataclass(frozen=True, slots=True)
class Event:
    """One transaction as its sender made it: its fields as a document has them, unknown ones included."""

    fields: Mapping[str, Any]

    @property
    def id(self) -> int:
        """Identifies the transaction."""
        identity: int = self.fields[ID]
        return identity

    @property
    def label(self) -> int | None:
        """1 for a fraud, 0 for none, None where it is not known."""
        label: int | None = self.fields.get(LABEL)
        return label

    @property
    def time(self) -> datetime:
        """When the transaction was made, UTC, timezone-aware."""
        return parse_date(self.fields[TIME])


def parse_event(value: bytes | str) -> Event:
    """Read one event; raises :class:`EventError` whose message starts with the offending field's name."""
    return Event(GATE.read(value.encode() if isinstance(value, str) else value))


def parse_labelled(value: bytes | str) -> Event:
    """Read one event of labelled history; raises as :func:`parse_event` does, also for one without its label."""
    event = parse_event(value)
    if event.label is None:
        raise EventError(f"{LABEL}: missing, labelled history has 0 or 1", LABEL)
    return event


def plain_inputs() -> dict[str, Any]:
    """A row of the model's inputs that the contract allows: of each field its first choice, or its least number."""
    return {name: RULES[name].choices[0] if RULES[name].choices else RULES[name].minimum or 0 for name in FEATURES}


def spark_schema() -> str:
    """The event's Spark schema, as DDL, so that this module needs no Spark."""
    return ", ".join(f"{rule.name} {rule.spark_type}" for rule in FIELD_RULES)
