"""The first test case of a project's query: events that keep the contract, one that does not, and what comes out.

In the layout of Microsoft's own tools. What a model says differs from champion to champion, so that its columns, which
are ours to leave out of a comparison, are not compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from fraudstream.asaql.template.files import QUERY
from fraudstream.asaql.template.query import DECISION, REASON, own_columns
from fraudstream.core.contract.field_rules import FieldRule, leaves, value_at
from fraudstream.core.contract.times import EPOCH_START, UNITS
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.project.outputs import QUERY_FOLDER
from fraudstream.core.project.project import Project

TESTS = "tests"
_CASE = "first-events"
_NAME = "the first events"
_BROKEN = "no number"


def case_texts(project: Project, events: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The files of the case by their paths below the project's folder, for events that keep the contract.

    One more is made of the first of them, whose amount is a text.
    """
    known = {rule.name: rule for rule in leaves(project.rules)}
    roles = project.definition.event
    time, amount = known[roles.time], known[roles.amount]
    arrived = [_as_it_arrives(event, _moment(time, event)) for event in events]
    scored = [_scored(project, event, _moment(time, event)) for event in arrived]
    broken = [_with(event, amount.path, _BROKEN) for event in arrived[:1]]
    key = known[roles.partition_key or roles.id]
    rejected = [_rejected(event, amount.name, key) for event in broken]
    outputs: list[dict[str, Any]] = [
        {"OutputAlias": name, "FilePath": f"{_CASE}/{name}.jsonl", "Required": name != ALERTS}
        for name in (SCORED, ALERTS, REJECTED)
    ]
    outputs[0]["IgnoredColumns"] = [*DECISION, "reasons"]
    source = {
        "InputAlias": TRANSACTIONS,
        "Type": "Data Stream",
        "Format": "Json",
        "FilePath": f"{_CASE}/{TRANSACTIONS}.jsonl",
        "ScriptType": "InputMock",
    }
    configuration = {
        "Script": f"../{QUERY_FOLDER}/{QUERY}",
        "TestCases": [{"Name": _NAME, "Inputs": [source], "ExpectedOutputs": outputs}],
    }
    return {
        f"{TESTS}/testConfig.json": json.dumps(configuration, ensure_ascii=False, indent=2) + "\n",
        f"{TESTS}/{_CASE}/{TRANSACTIONS}.jsonl": _lines([*arrived, *broken]),
        f"{TESTS}/{_CASE}/{SCORED}.jsonl": _lines(scored),
        f"{TESTS}/{_CASE}/{ALERTS}.jsonl": "",
        f"{TESTS}/{_CASE}/{REJECTED}.jsonl": _lines(rejected),
    }


def _as_it_arrives(event: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """The event with the columns that an input from Event Hubs has; it is taken in the second in which it was made."""
    enqueued = _written(moment.replace(microsecond=0))
    return {**event, "EventProcessedUtcTime": enqueued, "PartitionId": 0, "EventEnqueuedUtcTime": enqueued}


def _scored(project: Project, event: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    enqueued = event["EventEnqueuedUtcTime"]
    own = {name: event.get(name) for name in own_columns(project)}
    return own | {"event_time": _written(moment), "scored_at": enqueued, "source": _source(enqueued)}


def _rejected(event: Mapping[str, Any], field: str, key: FieldRule) -> dict[str, Any]:
    enqueued, value = event["EventEnqueuedUtcTime"], value_at(event, key.path)
    return {
        "reason": f"{field}{REASON}",
        "field": field,
        "raw_base64": "",
        "raw_bytes": 0,
        "raw_sha256": "",
        "key": None if value is None else str(value),
        "rejected_at": enqueued,
        "source": _source(enqueued),
    }


def _source(enqueued: str) -> dict[str, Any]:
    # A file has no offsets.
    return {"topic": TRANSACTIONS, "partition": 0, "offset": None, "enqueued_at": enqueued}


def _moment(time: FieldRule, event: Mapping[str, Any]) -> datetime:
    """The event's time as the query reads it, UTC: a number in double precision."""
    value, form = value_at(event, time.path), time.time_form
    if not form.is_number:
        return form.parse(value)
    micros = math.floor(float(value) * UNITS[form.unit])
    return EPOCH_START + (form.origin - EPOCH_START) + timedelta(microseconds=micros)


def _written(moment: datetime) -> str:
    """As Azure writes a datetime, with seven decimals."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "0Z")


def _with(event: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The event with another value at a path."""
    name, *inner = path
    return {**event, name: _with(event[name], inner, value) if inner else value}


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(f"{orjson.dumps(row).decode()}\n" for row in rows)
