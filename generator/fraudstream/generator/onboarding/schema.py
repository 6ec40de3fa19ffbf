"""``event.schema.json`` of a plan."""

from __future__ import annotations

from typing import Any

from fraudstream.core.contract.times import EPOCH
from fraudstream.core.project.project import MOST_ID_CHARACTERS
from fraudstream.generator.onboarding.plan import Plan
from fraudstream.generator.onboarding.profile import Profile


def schema_of(plan: Plan, title: str) -> dict[str, Any]:
    """The schema: what the plan needs is required, all else may be missing; only an amount has a bound, 0."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": True,
    }
    if plan.made_id is not None:
        id_schema: dict[str, Any] = {"type": "integer", "minimum": 1} if plan.made_id == "row" else _id_text(None)
        _add(schema, (plan.id,), id_schema, is_required=True)
    if plan.seconds_between_rows is not None:
        _add(schema, (plan.time,), {"type": "string"}, is_required=True)
    for name, profile in plan.profiles.items():
        field = _field(plan, profile)
        if field is not None:
            _add(schema, profile.column.path, field, is_required=name in (plan.id, plan.time, plan.amount))
    return schema


def _add(schema: dict[str, Any], path: tuple[str, ...], field: dict[str, Any], is_required: bool) -> None:
    *groups, name = path
    for group in groups:
        if is_required and group not in schema["required"]:
            schema["required"].append(group)
            schema["properties"].get(group, {})["type"] = "object"
        schema = schema["properties"].setdefault(
            group, {"type": "object" if is_required else ["object", "null"], "properties": {}, "required": []}
        )
    schema["properties"][name] = field
    if is_required:
        schema["required"].append(name)


def _field(plan: Plan, profile: Profile) -> dict[str, Any] | None:
    """A column's field; None for one of several types, which an event keeps unchecked."""
    if profile.name == plan.time:
        is_number = plan.form.form == EPOCH
        return {"type": profile.type if is_number else "string"}
    if profile.name == plan.label.profile.name:
        if profile.type == "boolean" and not profile.column.is_plain_text:
            return {"type": ["boolean", "null"], "description": "true for a fraud; in labelled history alone."}
        described = "1 for a fraud, 0 for none; in labelled history alone."
        return {"type": ["integer", "null"], "minimum": 0, "maximum": 1, "description": described}
    if profile.name == plan.amount:
        return {"type": "number"} | ({"minimum": 0} if not (profile.numbers < 0).any() else {})
    if profile.name == plan.id:
        return _id_text(profile.format) if profile.type == "string" else {"type": "integer"}
    if profile.type == "mixed":
        return None
    if profile.type == "empty":
        return {"type": ["string", "null"], "description": "Empty in all rows that were looked at."}
    described_type: dict[str, Any] = {"type": profile.type}
    if profile.format is not None:
        described_type["format"] = profile.format
    # Senders of JSON write null for what is missing; a file of columns leaves it out.
    if profile.missing_share and not profile.column.is_plain_text:
        described_type["type"] = [profile.type, "null"]
    return described_type


def _id_text(format: str | None) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MOST_ID_CHARACTERS}
    return field | ({"format": format} if format is not None else {})
