"""A project whole: its definition and its event's rules, which have to fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import pairwise
from pathlib import Path

from fraudstream.core.contract.field_rules import FieldRule, leaves
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project import definition, places
from fraudstream.core.project.definition import Definition, EventRoles, read_definition
from fraudstream.core.project.event_schema import read_rules
from fraudstream.core.project.outputs import has_own_query, output_topics
from fraudstream.core.project.reserved import AMOUNT_BIN, COMPUTED_DIMENSIONS, RESERVED_FIELDS

# A document's `_id` is the event's: Cosmos DB keeps no longer one in its index (azure-databases-docs,
# cosmos-db/concepts-limits.md: maximum length of an id value, 1,023 bytes; 255 characters of four bytes fit into it).
MOST_ID_CHARACTERS = 255
# A column of the query, a field of `scored` and of documents, and an input of a model in MLflow.
_COMPUTED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Project:
    """What is particular to one stream of transactions; ``name`` is its folder's, ``outputs`` its query's topics.

    ``computed``: the model's inputs that are no fields of the event, but columns that the query computes.
    """

    name: str
    folder: Path
    definition: Definition
    rules: tuple[FieldRule, ...]
    outputs: tuple[str, ...] = ()
    computed: tuple[FieldRule, ...] = ()


@cache
def bundled(name: str) -> Project:
    """A project that the distribution brings. Raises :class:`ConfigurationError`."""
    if name not in places.bundled_names():
        raise ConfigurationError(f"There is no project {name!r}. There are: {', '.join(places.bundled_names())}.")
    return read_project(places.bundled_folder() / name)


@cache
def named(name_or_folder: str) -> Project:
    """The project that ``FRAUDSTREAM_PROJECT`` names: a bundled one's name, or a folder.

    Raises :class:`ConfigurationError`.
    """
    if name_or_folder in places.bundled_names():
        return bundled(name_or_folder)
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return read_project(folder.resolve())
    raise ConfigurationError(
        f"FRAUDSTREAM_PROJECT is {name_or_folder!r}, which is neither a folder nor one of "
        f"{', '.join(places.bundled_names())}. `fraudstream init NAME --from FILE` makes a folder."
    )


def read_project(folder: Path) -> Project:
    """The project in a folder. Raises :class:`ConfigurationError` for one that cannot be run, with what to correct."""
    defined = read_definition(folder)
    file = folder / definition.FILE_NAME
    form = _time_form(file, defined.event)
    rules = read_rules(folder, defined.event.time, form, RESERVED_FIELDS, defined.categories)
    computed = _computed(file, defined, rules) if has_own_query(folder) else ()
    _require_fit(file, defined, rules, computed)
    return Project(folder.name, folder, defined, rules, output_topics(folder), computed)


def _computed(file: Path, defined: Definition, rules: tuple[FieldRule, ...]) -> tuple[FieldRule, ...]:
    """The rules of the model's inputs that are no fields: numbers, of which any may be missing.

    Whether the query computes them is seen where it is compiled.
    """
    fields = {rule.name.casefold(): rule.name for rule in leaves(rules)}
    inputs = defined.model.inputs
    names = [(number, name) for number, name in enumerate(inputs) if name not in fields.values()]
    for number, name in names:
        place = f"{file}: model.inputs[{number}] is {name!r}"
        if (field := fields.get(name.casefold())) is not None:
            raise ConfigurationError(f"{place}, and event.schema.json has {field!r}. Write it as it stands there.")
        if _COMPUTED_NAME.fullmatch(name) is None:
            raise ConfigurationError(
                f"{place}, which event.schema.json has no property for. A column that the query computes is called by "
                "letters, digits and underscores."
            )
        if name.lower() in (*RESERVED_FIELDS, *COMPUTED_DIMENSIONS):
            raise ConfigurationError(f"{place}, a name that the system uses itself. Call the column otherwise.")
    folded = [name.casefold() for name in inputs]
    for number, name in names:
        if folded.index(name.casefold()) < number:
            raise ConfigurationError(f"{file}: model.inputs[{number}] is {name!r}, which stands before.")
    return tuple(FieldRule(name, "float", is_nullable=True) for _, name in names)


def _time_form(file: Path, roles: EventRoles) -> TimeForm:
    origin = roles.time_origin
    try:
        return TimeForm(
            roles.time_format, roles.time_unit, origin.replace(tzinfo=UTC) if origin.tzinfo is None else origin
        )
    except ValueError as problem:
        raise ConfigurationError(
            f"{file}: event.time_format is {roles.time_format!r}: {problem}. Give `iso8601`, `epoch`, or a form of "
            "strptime."
        ) from None


def _require_fit(
    file: Path, defined: Definition, rules: tuple[FieldRule, ...], computed: tuple[FieldRule, ...]
) -> None:
    known = {rule.name: rule for rule in leaves(rules)}
    inputs = {rule.name for rule in computed}
    for place, name in _uses(defined):
        if name not in known and not (name in inputs and place.startswith(_INPUTS_OR_DISPLAY)):
            raise ConfigurationError(f"{file}: {place} is {name!r}, which event.schema.json has no property for.")
    _require_roles(file, defined, known, rules)
    _require_inputs(file, defined, known)
    _require_dimensions(file, defined, known)
    _require_report(file, defined)


# What may name a column of the query as well.
_INPUTS_OR_DISPLAY = ("model.inputs[", "display.labels.", "display.units.", "display.decimals.")


def _uses(defined: Definition) -> Iterator[tuple[str, str]]:
    """Each place that names a field, with the name."""
    roles = defined.event
    yield from ((f"event.{role}", getattr(roles, role)) for role in ("id", "time", "amount", "label"))
    yield from ((f"event.entities[{number}]", name) for number, name in enumerate(roles.entities))
    if roles.partition_key is not None:
        yield "event.partition_key", roles.partition_key
    if roles.campaign is not None:
        yield "event.campaign", roles.campaign
    yield from ((f"model.inputs[{number}]", name) for number, name in enumerate(defined.model.inputs))
    yield from ((f"dimensions.fields[{number}]", name) for number, name in enumerate(defined.dimensions.fields))
    tables: dict[str, Mapping[str, object]] = {
        "categories": defined.categories,
        "dimensions.edges": defined.dimensions.edges,
        "display.labels": defined.display.labels,
        "display.units": defined.display.units,
        "display.decimals": defined.display.decimals,
        "display.values": defined.display.values,
        "source.columns": defined.source.columns,
        "source.constants": defined.source.constants,
    }
    yield from ((f"{table}.{name}", name) for table, names in tables.items() for name in names)


def _always_present(rules: tuple[FieldRule, ...]) -> Iterator[str]:
    """The names of the scalar fields that each event has a value of."""
    for rule in rules:
        if rule.required and not rule.is_nullable:
            if rule.kind == "object":
                yield from _always_present(rule.fields)
            elif rule.is_scalar:
                yield rule.name


def _require_roles(
    file: Path, defined: Definition, known: Mapping[str, FieldRule], rules: tuple[FieldRule, ...]
) -> None:
    roles = defined.event
    for role, kinds in {"id": ("int", "text"), "amount": ("int", "float"), "label": ("int", "bool")}.items():
        rule = known[getattr(roles, role)]
        if rule.kind not in kinds:
            raise ConfigurationError(f"{file}: event.{role} is {rule.name!r}, {rule.expectation} in event.schema.json.")
    present = frozenset(_always_present(rules))
    for role in ("id", "time", "amount"):
        if (name := getattr(roles, role)) not in present:
            raise ConfigurationError(
                f"{file}: event.{role} is {name!r}, which event.schema.json does not require, or lets be null, or an "
                "object that it is in."
            )
    id, label = known[roles.id], known[roles.label]
    if len(id.path) > 1:
        raise ConfigurationError(f"{file}: event.id is {id.name!r}, a field inside an object. Name an outer one.")
    if id.kind == "text" and (id.least_length < 1 or (id.most_length or MOST_ID_CHARACTERS + 1) > MOST_ID_CHARACTERS):
        raise ConfigurationError(
            f"{file}: event.id is {id.name!r}, a text whose minLength is {id.least_length} and maxLength "
            f"{id.most_length} in event.schema.json. An id has 1 to {MOST_ID_CHARACTERS} characters: give both."
        )
    if label.kind == "int" and label.range != (0, 1):
        raise ConfigurationError(f"{file}: event.label is {label.name!r}, {label.expectation}: it has to be 0 or 1.")
    if label.required:
        raise ConfigurationError(
            f"{file}: event.label is {label.name!r}, which event.schema.json requires: live traffic has no label."
        )
    if roles.campaign is not None and (known[roles.campaign].required or known[roles.campaign].kind != "text"):
        raise ConfigurationError(
            f"{file}: event.campaign is {roles.campaign!r}. It has to be a text that event.schema.json does not "
            "require: live traffic has no campaign."
        )
    for place, name in _uses(defined):
        if place == "event.partition_key" and name not in present:
            raise ConfigurationError(f"{file}: {place} is {name!r}, which event.schema.json does not require.")


def _require_inputs(file: Path, defined: Definition, known: Mapping[str, FieldRule]) -> None:
    roles = defined.event
    for number, name in enumerate(defined.model.inputs):
        if name not in known:
            continue
        place, rule = f"model.inputs[{number}]", known[name]
        if name in (roles.id, roles.label, roles.time, roles.campaign):
            raise ConfigurationError(f"{file}: {place} is {name!r}, which no model may be given.")
        if defined.model.inputs.index(name) < number:
            raise ConfigurationError(f"{file}: {place} is {name!r}, which stands before.")
        if rule.kind == "text" and not rule.known_values:
            raise ConfigurationError(
                f"{file}: {place} is {name!r}, a text without listed values. List them in `categories`, or as an "
                "`enum` in event.schema.json."
            )
    for name in defined.categories:
        if known[name].kind != "text":
            raise ConfigurationError(f"{file}: categories.{name} is {known[name].expectation}: only texts have them.")
        if known[name].choices:
            raise ConfigurationError(f"{file}: categories.{name} has an enum in event.schema.json already.")


def _require_dimensions(file: Path, defined: Definition, known: Mapping[str, FieldRule]) -> None:
    dimensions = defined.dimensions
    for number, name in enumerate(dimensions.fields):
        place, rule = f"dimensions.fields[{number}]", known[name]
        if dimensions.fields.index(name) < number:
            raise ConfigurationError(f"{file}: {place} is {name!r}, which stands before.")
        if name in COMPUTED_DIMENSIONS:
            raise ConfigurationError(f"{file}: {place} is {name!r}, which is the name of a computed dimension.")
        if rule.kind == "time" or name in (defined.event.id, defined.event.label):
            raise ConfigurationError(f"{file}: {place} is {name!r}, which each transaction has a value of its own for.")
        if rule.kind == "float" and name not in dimensions.edges:
            raise ConfigurationError(
                f"{file}: {place} is {name!r}, a number of many values: give dimensions.edges.{name} as well."
            )
    for name in dimensions.edges:
        if known[name].kind not in ("int", "float"):
            raise ConfigurationError(f"{file}: dimensions.edges.{name} is {known[name].expectation}, no number.")
    for place, edges in {"amount_edges": dimensions.amount_edges, **dimensions.edges}.items():
        if any(low >= high for low, high in pairwise(edges)):
            shown = place if place == "amount_edges" else f"edges.{place}"
            raise ConfigurationError(f"{file}: dimensions.{shown} are not ascending: {list(edges)}.")


def _require_report(file: Path, defined: Definition) -> None:
    counted = (*defined.dimensions.fields, *defined.dimensions.times, AMOUNT_BIN)
    for number, name in enumerate(defined.display.report):
        if name not in counted:
            raise ConfigurationError(
                f"{file}: display.report[{number}] is {name!r}, which is no dimension. There are: {', '.join(counted)}."
            )
