"""The names that no field of an event, and none that is counted, may have: the system uses them beside its fields."""

from __future__ import annotations

# In `scored` and in documents.
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

# What is counted beside an event's own fields. A weekday is 1 (Monday) to 7, a month 1 to 12, an hour 0 to 23, in UTC.
ALL = "all"
HOUR = "hour"
WEEKDAY = "weekday"
MONTH_OF_YEAR = "month_of_year"
AMOUNT_BIN = "amount_bin"
COMPUTED_DIMENSIONS: tuple[str, ...] = (ALL, HOUR, WEEKDAY, MONTH_OF_YEAR, AMOUNT_BIN)
