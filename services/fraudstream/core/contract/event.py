"""The event contract that is in force: the project's fields, and what stands before every event.

The project's ``event.schema.json`` is the definition; the Spark schema and the field rules that the stream job
enforces are derived from it. The reader is tolerant: unknown fields are kept; a known field of a wrong type or outside
its values rejects the event with a reason that starts with the field's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fraudstream.core.configuration.chosen_project import project_in_force
from fraudstream.core.contract.field_rules import FieldRule, leaves, optional_names, value_at
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.core.project.project import Project, named
from fraudstream.core.project.reserved import RESERVED_FIELDS as RESERVED_FIELDS

FIRST_HISTORY_ID = 1_000_000
FIRST_LIVE_ID = 1_001_000

# Decided once for a process: all that it reads and writes is of one project.
PROJECT: Project = named(project_in_force())

# The fields that the engine itself has to know.
ID = PROJECT.definition.event.id
TIME = PROJECT.definition.event.time
AMOUNT = PROJECT.definition.event.amount
LABEL = PROJECT.definition.event.label

FIELD_RULES: tuple[FieldRule, ...] = PROJECT.rules
# The scalar fields by their names; those inside objects have paths with dots for names.
RULES: Mapping[str, FieldRule] = {rule.name: rule for rule in leaves(FIELD_RULES)}
ENTITIES: tuple[str, ...] = PROJECT.definition.event.entities
PARTITION_KEY: str = PROJECT.definition.event.partition_key or ID

# The model's inputs, in the order in which they are sent to it.
FEATURES: tuple[str, ...] = PROJECT.definition.model.inputs
# Those of them that no event has: the project's query computes them.
_COMPUTED: Mapping[str, FieldRule] = {rule.name: rule for rule in PROJECT.computed}
COMPUTED_FEATURES: tuple[str, ...] = tuple(_COMPUTED)
FEATURE_RULES: Mapping[str, FieldRule] = {name: _COMPUTED.get(name) or RULES[name] for name in FEATURES}
# Those that may be missing.
OPTIONAL_FEATURES: frozenset[str] = frozenset((*optional_names(FIELD_RULES), *COMPUTED_FEATURES)) & frozenset(FEATURES)

# What stands before every event, wherever it comes from.
GATE = Gate(FIELD_RULES, RESERVED_FIELDS, MAX_EVENT_BYTES)


@dataclass(frozen=True, slots=True)
class Event:
    """One transaction as its sender made it: its fields as a document has them, unknown ones included."""

    fields: Mapping[str, Any]

    @property
    def id(self) -> int | str:
        """Identifies the transaction."""
        identity: int | str = self.fields[ID]
        return identity

    @property
    def label(self) -> int | None:
        """1 for a fraud, 0 for none, None where it is not known."""
        label = self.value(LABEL)
        return None if label is None else int(label)

    @property
    def time(self) -> datetime:
        """When the transaction was made, UTC, timezone-aware."""
        return RULES[TIME].time_form.parse(self.value(TIME))

    def value(self, name: str) -> Any:
        """The value of a known field by its name, of one inside an object by its path with dots; None without one."""
        return value_at(self.fields, RULES[name].path)


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
    """A row of the model's inputs that the contract allows: of each field its first value, or its least number."""
    return {name: _plain(FEATURE_RULES[name]) for name in FEATURES}


def plain_event() -> dict[str, Any]:
    """An event with the required fields alone, each with a plain value; a text's pattern is not looked at."""
    return _plain_object(FIELD_RULES)


def _plain_object(rules: Iterable[FieldRule]) -> dict[str, Any]:
    return {rule.path[-1]: _plain(rule) for rule in rules if rule.required}


def _plain(rule: FieldRule) -> Any:
    if rule.kind == "object":
        return _plain_object(rule.fields)
    if rule.kind == "array":
        return []
    if rule.time is not None:
        return rule.time.write(datetime.now(UTC))
    if rule.kind == "text" and not rule.known_values:
        return "x" * max(rule.least_length, 1)
    if rule.choices or rule.categories:
        return (rule.choices or rule.categories)[0]
    if rule.kind == "bool":
        return False
    number = rule.minimum if rule.minimum is not None else min(0, rule.maximum or 0)
    # Above an exclusive bound by half of what there is room for, at most by one.
    step = 1 if rule.kind == "int" or rule.maximum is None else min(1.0, (rule.maximum - number) / 2)
    return number + step if rule.is_above_minimum or (rule.is_below_maximum and number == rule.maximum) else number
