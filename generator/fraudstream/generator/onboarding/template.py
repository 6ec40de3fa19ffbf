"""A project that is made from no file: card payments, to be changed into one's own."""

from __future__ import annotations

import json
from typing import Any

from fraudstream.core.project import definition, event_schema

_DEFINITION = """\
# Made by `fraudstream init`: a plain card payment. Change the fields here and in event.schema.json to what your events
# have. docs/reference/project.md lists all keys.
title = {title}

[event]
# A field inside an object is named by its path, with dots.
id = "id"
time = "time"
# `iso8601`, `epoch` with time_unit, or a form of strptime such as "%d/%m/%Y %H:%M:%S".
time_format = "iso8601"
amount = "amount"
# In labelled history alone: 1 for a fraud, 0 for none.
label = "fraud"
entities = ["card", "merchant"]
# The record's key in Kafka; without it the id. The field has to be required in event.schema.json.
# partition_key = "card"

[model]
# Numbers, booleans, and texts that have listed values.
inputs = ["amount", "category", "online"]

[categories]
# Known values. Others are taken as well; to the model they are missing.
category = ["food", "fuel", "fashion", "electronics", "travel"]

[dimensions]
# What is counted and shown: fields of few values, and numbers that have `edges`.
fields = ["category", "online"]
times = ["hour", "weekday"]
amount_edges = [0, 25, 50, 100, 200, 400]

[display]
# currency = "EUR"

[source]
# Your transactions: CSV, JSON lines, a JSON array or Parquet.
# file = "transactions.csv"
# history_share = 0.5
# label_delay_hours = 0.0
"""

_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Transaction",
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 64},
        "time": {"type": "string", "description": "UTC, unless it has an offset."},
        "amount": {"type": "number", "minimum": 0},
        "card": {"type": "string"},
        "merchant": {"type": "string"},
        "category": {"type": "string"},
        "online": {"type": "boolean"},
        "fraud": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 1,
            "description": "1 for a fraud, 0 for none; in labelled history alone.",
        },
    },
    "required": ["id", "time", "amount"],
    "additionalProperties": True,
}

_EVENT: dict[str, Any] = {
    "id": "t-1",
    "time": "2026-01-31T12:30:00Z",
    "amount": 12.5,
    "card": "c-1",
    "merchant": "m-1",
    "category": "food",
    "online": True,
}


def template_texts(name: str) -> dict[str, str]:
    """The files' texts by their names."""
    return {
        definition.FILE_NAME: _DEFINITION.format(title=json.dumps(name, ensure_ascii=False)),
        event_schema.FILE_NAME: json.dumps(_SCHEMA, indent=2) + "\n",
        "sample.jsonl": f"{json.dumps(_EVENT)}\n",
    }
