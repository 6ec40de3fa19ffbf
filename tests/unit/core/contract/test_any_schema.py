"""The gate keeps any schema: what it calls valid is what JSON Schema's own validator calls valid.

Stricter in what it says itself: integers have no point and 64 bits, the event's time has its form.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.core.project.reserved import RESERVED_FIELDS
from tests.generated_schemas import broken_events, good_event, made_schema

EVENTS = 4


@pytest.mark.parametrize("seed", range(30))
def test_the_gate_agrees_with_json_schema(seed: int, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = made_schema(seed, tmp_path)
    draft = jsonschema.Draft202012Validator
    validator = draft(schema.content, format_checker=draft.FORMAT_CHECKER)
    gate = Gate(schema.rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
    rng = random.Random(seed)
    for _ in range(EVENTS):
        event = good_event(schema, rng)
        raw = json.dumps(event, ensure_ascii=rng.random() < 0.5).encode()
        assert json.dumps(gate.read(raw)) == json.dumps(event)
        assert [error.message for error in validator.iter_errors(event)] == []
        for broken, field, is_stricter in broken_events(schema, event, rng):
            with pytest.raises(EventError) as refused:
                gate.read(json.dumps(broken).encode())
            assert refused.value.field == field, (broken, str(refused.value))
            assert str(refused.value).startswith(f"{field}: ")
            assert validator.is_valid(broken) == is_stricter, (broken, field)
