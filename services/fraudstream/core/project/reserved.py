"""The names that no field of an event may have: the system writes them beside the event's own fields."""

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
