"""Checks of the project: its event as a document, and what counting by its dimensions costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.documents import document_refusal
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.contract.field_rules import FieldRule, leaves
from fraudstream.core.project.definition import FILE_NAME
from fraudstream.core.project.event_schema import FILE_NAME as SCHEMA_NAME

# A replaced document of less than 1 KB with two indexes (cosmos-db/request-units; as the rehearsal charges it).
_WRITE_UNITS = 10
# A value is counted in its minute, its month and in all; days have no dimensions.
_PERIODS = 3
_TIME_VALUES = {"hour": 24, "weekday": 7, "month_of_year": 12}


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything about the project's event."""
    refused = document_refusal({"_id": 0, **_document(subject.project.rules)})
    if refused is not None:
        yield Finding(rules()[refused.rule], SCHEMA_NAME, refused.message)
    yield from _dimensions(subject)


def _document(fields: Sequence[FieldRule]) -> dict[str, Any]:
    """An event with every known field, as deep as it may be."""
    return {rule.path[-1]: _value(rule) for rule in fields}


def _value(rule: FieldRule) -> Any:
    if rule.kind == "object":
        return _document(rule.fields)
    if rule.kind == "array":
        return [] if rule.items is None else [_value(rule.items)]
    return 0


def _dimensions(subject: Subject) -> Iterator[Finding]:
    counted = subject.project.definition.dimensions
    known = {rule.name: rule for rule in leaves(subject.project.rules)}
    cells = 1 + len(counted.amount_edges) + sum(_TIME_VALUES[part] for part in counted.times)
    for name in counted.fields:
        values = len(counted.edges[name]) if name in counted.edges else _values(known[name])
        if values is None:
            yield Finding(rules()["PR007"], FILE_NAME, f"dimensions.fields has {name!r}, a field of any values")
        cells += values or 0
    units = cells * _PERIODS * _WRITE_UNITS
    seconds = subject.settings.rollup_interval_seconds
    most = float(subject.parameters.get("mostRequestUnits", 0)) * seconds
    if most and units > most:
        text = f"{cells} values take {units:,} request units at each update, {most:,.0f} are there in {seconds:g} s"
        yield Finding(rules()["PR008"], FILE_NAME, text)


def _values(rule: FieldRule) -> int | None:
    """How many values a field has that is known by its rule; None for a text of any."""
    if rule.kind == "bool":
        return 2
    listed = len(rule.choices or rule.categories)
    if listed or rule.kind == "text":
        return listed or None
    least, most = rule.range
    return int(min(most - least + 1, _MOST_INTEGERS))


# An integer without bounds has a code's few values, if somebody counts by it.
_MOST_INTEGERS = 100
