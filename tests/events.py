"""Events that tests share: those of the project in force, which has the fields of payments, maybe under other names."""

from __future__ import annotations

import json
from typing import Any

import orjson

from fraudstream.core.contract.event import FIELD_RULES
from fraudstream.core.project.project import bundled

# How the project in force calls each field of payments.
NAMES: dict[str, str] = {
    rule.name: renamed.name for rule, renamed in zip(bundled("payments").rules, FIELD_RULES, strict=False)
}


def named(name: str) -> str:
    """The name of a field of payments in the project in force; any other name as it is."""
    return NAMES.get(name, name)


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields by their names in the project in force, given by those of payments."""
    return {named(name): value for name, value in fields.items()}


GOOD: dict[str, Any] = renamed(
    {
        "id": 1_001_000,
        "date": "24/11/2026 10:11:12",
        "amount": 12.5,
        "old_balance": 1000.0,
        "income": 2000.0,
        "credit": 1,
        "marital_status": 0,
        "children": 2,
        "month": 11,
        "day_of_week": "tuesday",
        "category_recipient": "restaurant",
        "transaction_type": "online",
        "transaction_method": "internet_payement",
        "foreign_transaction": 0,
    }
)


def value(without: str = "", **changes: Any) -> bytes:
    """A good event's JSON with fields changed, added or left out; those of payments by their names there."""
    event = GOOD | renamed(changes)
    return json.dumps({name: field for name, field in event.items() if name != named(without)}).encode()


# The decision that the stream job adds to an event.
DECISION: dict[str, Any] = {
    "event_time": "2026-11-24T10:11:12Z",
    "prediction": 0,
    "score": 0.0625,
    "threshold": 0.5,
    "model_version": "3",
    "scored_at": "2026-11-24T10:11:13.750Z",
    "reasons": [],
    "source": {"topic": "transactions", "partition": 1, "offset": 5, "enqueued_at": "2026-11-24T10:11:13.500Z"},
}


def decided(raw: bytes, **changes: Any) -> bytes:
    """An event's text with its decision, as the stream job writes it."""
    return raw[:-1] + b"," + orjson.dumps(DECISION | changes)[1:]
