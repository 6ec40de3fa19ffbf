"""The transaction event, defined once.

:class:`Transaction` is the definition; the JSON Schema, the Spark schema and the field rules that the stream job
enforces are derived from it. The reader is tolerant: unknown fields are kept; a known field of a wrong type or
outside its values rejects the event with a reason that starts with the field's name.
"""

from __future__ import annotations

import types
from datetime import datetime
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fraudstream.core.contract.field_rules import DATE_PATTERN, FieldRule, parse_date
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.contract.topics import MAX_EVENT_BYTES

FIRST_HISTORY_ID = 1_000_000
FIRST_LIVE_ID = 1_001_000

DayOfWeek = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Category = Literal["food_store", "restaurant", "dress_store", "tech_store", "big_purchase"]
TransactionType = Literal["online", "onsite"]
# "internet_payement" is spelled so by every sender.
Method = Literal["internet_payement", "phone", "card_with_contact", "card_without_contact", "other"]

# The model computes in single precision; a larger number would be infinite there, and sums of such ones everywhere.
Money = Annotated[float, Field(ge=0, le=LARGEST_SINGLE, allow_inf_nan=False)]
Flag = Annotated[int, Field(ge=0, le=1)]


class Transaction(BaseModel):
    """One card transaction as its sender made it. ``date`` is UTC; money is in the account's currency."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    id: Annotated[int, Field(ge=0, le=2**63 - 1)]
    date: Annotated[str, Field(pattern=DATE_PATTERN)]
    amount: Money
    old_balance: Money
    income: Money
    credit: Annotated[int, Field(ge=0, le=2)]
    marital_status: Flag
    children: Annotated[int, Field(ge=0, le=4)]
    month: Annotated[int, Field(ge=1, le=12)]
    day_of_week: DayOfWeek
    category_recipient: Category
    transaction_type: TransactionType
    transaction_method: Method
    foreign_transaction: Flag
    isFraud: Flag | None = None

    @field_validator("date")
    @classmethod
    def _is_a_real_date(cls, value: str) -> str:
        parse_date(value)
        return value

    @model_validator(mode="after")
    def _leaves_our_names_alone(self) -> Self:
        taken = sorted(set(self.model_extra or ()).intersection(RESERVED_FIELDS))
        if taken:
            raise PydanticCustomError("reserved_field", f"{taken[0]}: a name reserved for the decision")
        return self

    @property
    def event_time(self) -> datetime:
        """When the transaction was made, UTC, timezone-aware."""
        return parse_date(self.date)


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

# The model's inputs, in the order in which they are sent to it.
FEATURES: tuple[str, ...] = (
    "amount",
    "old_balance",
    "income",
    "credit",
    "marital_status",
    "children",
    "month",
    "day_of_week",
    "category_recipient",
    "transaction_type",
    "transaction_method",
    "foreign_transaction",
)


def _rule(name: str) -> FieldRule:
    field = Transaction.model_fields[name]
    annotation: Any = field.annotation
    bounds: list[Any] = list(field.metadata)
    if get_origin(annotation) in (Union, types.UnionType):  # Flag | None
        annotation = next(member for member in get_args(annotation) if member is not type(None))
    if get_origin(annotation) is Annotated:
        bounds += [item for entry in annotation.__metadata__ for item in getattr(entry, "metadata", [entry])]
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return FieldRule(name, "text", field.is_required(), choices=get_args(annotation))
    if annotation is str:
        return FieldRule(name, "date", field.is_required())
    minimum = next((item.ge for item in bounds if hasattr(item, "ge")), None)
    maximum = next((item.le for item in bounds if hasattr(item, "le")), None)
    return FieldRule(name, "int" if annotation is int else "float", field.is_required(), minimum, maximum)


FIELD_RULES: tuple[FieldRule, ...] = tuple(_rule(name) for name in Transaction.model_fields)


# What stands before every event, wherever it comes from.
GATE = Gate(FIELD_RULES, RESERVED_FIELDS, MAX_EVENT_BYTES)


def parse_event(value: bytes | str) -> Transaction:
    """Read one event; raises :class:`EventError` whose message starts with the offending field's name."""
    return Transaction.model_validate(GATE.read(value.encode() if isinstance(value, str) else value))


def json_schema() -> dict[str, Any]:
    """The event's JSON Schema (draft 2020-12)."""
    return Transaction.model_json_schema()


def spark_schema() -> str:
    """The event's Spark schema, as DDL, so that this module needs no Spark."""
    return ", ".join(f"{rule.name} {rule.spark_type}" for rule in FIELD_RULES)
