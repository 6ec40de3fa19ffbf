"""A project whole: its definition and its event's rules, which have to fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from fraudstream.core.contract.field_rules import DATE_FORMAT, FieldRule
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project import definition, places
from fraudstream.core.project.definition import Definition, read_definition
from fraudstream.core.project.event_schema import read_rules


@dataclass(frozen=True, slots=True)
class Project:
    """What is particular to one stream of transactions; ``name`` is its folder's."""

    name: str
    folder: Path
    definition: Definition
    rules: tuple[FieldRule, ...]


@cache
def bundled(name: str) -> Project:
    """A project that the distribution brings. Raises :class:`ConfigurationError`."""
    if name not in places.bundled_names():
        raise ConfigurationError(f"There is no project {name!r}. There are: {', '.join(places.bundled_names())}.")
    return read_project(places.bundled_folder() / name)


def read_project(folder: Path) -> Project:
    """The project in a folder. Raises :class:`ConfigurationError` for one that cannot be run, with what to correct."""
    defined = read_definition(folder)
    rules = read_rules(folder, defined.event.time)
    _require_fit(folder / definition.FILE_NAME, defined, rules)
    return Project(folder.name, folder, defined, rules)


def _require_fit(file: Path, defined: Definition, rules: tuple[FieldRule, ...]) -> None:
    known = {rule.name: rule for rule in rules}
    roles = defined.event
    uses = {
        **{f"event.{role}": getattr(roles, role) for role in ("id", "time", "amount", "label")},
        **{f"model.inputs[{number}]": name for number, name in enumerate(defined.model.inputs)},
        **{f"dimensions.fields[{number}]": name for number, name in enumerate(defined.dimensions.fields)},
    }
    for place, name in uses.items():
        if name not in known:
            raise ConfigurationError(f"{file}: {place} is {name!r}, which event.schema.json has no property for.")
    for role, kinds in {"id": ("int",), "amount": ("int", "float"), "label": ("int",)}.items():
        rule = known[getattr(roles, role)]
        if rule.kind not in kinds:
            raise ConfigurationError(f"{file}: event.{role} is {rule.name!r}, {rule.expectation} in event.schema.json.")
    if roles.time_format != DATE_FORMAT:
        raise ConfigurationError(f"{file}: event.time_format is {roles.time_format!r}. Only {DATE_FORMAT!r} is read.")
    for place, name in uses.items():
        if place.startswith("model") and name in (roles.id, roles.label, roles.time):
            raise ConfigurationError(f"{file}: {place} is {name!r}, which no model may be given.")
    edges = defined.dimensions.amount_edges
    if any(low >= high for low, high in pairwise(edges)):
        raise ConfigurationError(f"{file}: dimensions.amount_edges are not ascending: {list(edges)}.")
