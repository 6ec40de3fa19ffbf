"""What makes a project itself: the roles of its fields, by which data of one project are told from another's."""

from __future__ import annotations

import json
from typing import Any

from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.project.project import Project
from fraudstream.core.project.reserved import AMOUNT_BIN


def roles(project: Project) -> dict[str, Any]:
    """What the stored events, models and checkpoints of a project depend on, as JSON has it: role → field and kind."""
    kinds = {rule.name: rule.kind for rule in (*leaves(project.rules), *project.computed)}
    event = project.definition.event
    form = next(rule for rule in leaves(project.rules) if rule.name == event.time).time_form
    named = {role: getattr(event, role) for role in ("id", "amount", "label")}
    identity: dict[str, Any] = {role: {"field": name, "kind": kinds[name]} for role, name in named.items()}
    identity["time"] = {"field": event.time, "form": form.form}
    if form.is_number:
        identity["time"] |= {"unit": form.unit, "origin": form.origin.isoformat()}
    identity["model inputs"] = [{"field": name, "kind": kinds[name]} for name in project.definition.model.inputs]
    return json.loads(json.dumps(identity))  # type: ignore[no-any-return]


def dimensions(project: Project) -> list[str]:
    """By what transactions are counted, beside all of them together."""
    counted = project.definition.dimensions
    return [*counted.fields, *counted.times, AMOUNT_BIN]


def summary(project: Project) -> str:
    """The project in one line: its name, title, folder, and how much it names."""
    fields = sum(1 for _ in leaves(project.rules))
    inputs = len(project.definition.model.inputs)
    return (
        f"{project.name} ({project.definition.title}) in {project.folder}: {fields} fields, {inputs} model inputs, "
        f"{len(dimensions(project))} dimensions"
    )
