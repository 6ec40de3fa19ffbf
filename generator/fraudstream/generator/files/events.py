"""Records of a file as events of a project: which column is which field, and how it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import orjson

from fraudstream.core.contract.exact_json import Object, as_written
from fraudstream.core.contract.field_rules import FieldRule, leaves
from fraudstream.core.contract.times import EPOCH_START, ISO, UNITS, TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project
from fraudstream.generator.files.cells import (
    Converter,
    Reading,
    boolean_text,
    json_string,
    json_value,
    members,
    number_text,
)
from fraudstream.generator.files.names import field_name

_MICROSECOND = timedelta(microseconds=1)
# Shorter numbers are read at once; longer ones have more digits than a moment.
_MOST_DIGITS = 16
_SHOWN = 40
_MOST_LABELS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file as an event.

    ``number`` is its place in the file, from 0. ``id`` is empty where the row has none that the contract takes, and
    ``label`` None where it has none that can be read. ``key`` is the partition key's text; ``time`` is UTC, of a row
    without a time that of the row before. ``value`` is the event as JSON, without its label.
    """

    number: int
    id: int | str
    key: bytes
    time: datetime
    value: bytes
    label: int | None
    labelled_value: bytes = field(repr=False, default=b"")

    def labelled(self) -> bytes:
        """The event as JSON with its label, where it has one."""
        return self.labelled_value or self.value


class Roles:
    """What a project's fields are for, and how their values are read from a file."""

    def __init__(self, project: Project) -> None:
        self.event, self.source = project.definition.event, project.definition.source
        self.outer = {rule.path[0]: rule for rule in project.rules}
        known = {rule.name: rule for rule in leaves(project.rules)}
        self.id, self.time, self.label = (known[name] for name in (self.event.id, self.event.time, self.event.label))
        self.key = known[self.event.partition_key or self.event.id]
        self.form: TimeForm = cast("TimeForm", self.time.time)
        # The file's column → the field, where the definition says so.
        self.renamed = {column: name for name, column in self.source.columns.items()}
        # Members of all events that the file does not have.
        self.constants = [
            f"{json_string(name)}:{orjson.dumps(value).decode()}" for name, value in self.source.constants.items()
        ]
        self._fraud_values = frozenset(_plain(value) for value in self.source.fraud_values)
        self._labels: dict[Any, int | None] = {}
        self._to_micros = UNITS[self.form.unit]
        self._origin = _micros(self.form.origin)

    def field_of(self, column: str, name: str, is_first: bool = True) -> str:
        """The field of a file's column, which is ``name`` unless the project says otherwise."""
        if (known := self.renamed.get(column) or self.renamed.get(name)) is not None:
            return known
        return column if is_first and column in self.outer else name

    def reading(self, has_decimal_comma: bool = False, is_labelled: bool = False) -> Reading:
        """How the fields are written, with or without the label."""
        label: Converter = self.label_text if is_labelled else lambda _: None
        identities = frozenset({self.event.id, *self.event.entities})
        return Reading(has_decimal_comma, identities, {self.label.name: label})

    def label_of(self, value: Any) -> int | None:
        """1 for a fraud, 0 for none; None for what is neither."""
        if value is None or isinstance(value, list):
            return None
        # There are few different ones.
        if value not in self._labels and len(self._labels) < _MOST_LABELS:
            self._labels[value] = self._read_label(value)
        return self._labels[value] if value in self._labels else self._read_label(value)

    def _read_label(self, value: Any) -> int | None:
        text = _plain(value)
        if self._fraud_values:
            return int(text in self._fraud_values)
        truth = boolean_text(text)
        return None if truth is None else int(truth == "true")

    def label_text(self, value: Any) -> str | None:
        """The label as JSON; one that cannot be read as it stands, which the contract rejects."""
        label = self.label_of(value)
        if label is None:
            return None if value is None else json_value(value)
        return ("false", "true")[label] if self.label.kind == "bool" else str(label)

    def micros(self, written: str | None, number: int) -> int | None:
        """The time of a row in microseconds since 1970, by its JSON; None for what is no time."""
        if (seconds := self.source.seconds_between_rows) is not None:
            return self._origin + int(number * seconds * 1_000_000)
        if written is None:
            return None
        if self.form.is_number and written.isdigit() and len(written) < _MOST_DIGITS:
            return int(written) * self._to_micros + self._origin
        try:
            return _micros(self._moment(written))
        except (ValueError, ArithmeticError):
            return None

    def _moment(self, written: str) -> datetime:
        if self.form.is_number:
            return self.form.parse(Decimal(written))
        if self.form.form == ISO:
            try:
                moment = datetime.fromisoformat(written[1:-1])
            except ValueError:
                pass
            else:
                return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return self.form.parse(orjson.loads(written))

    def row(self, number: int, micros: int, parts: list[str], named: tuple[str | None, str | None], label: Any) -> Row:
        """An event of its members, with what the file lacks; ``named`` are the id and the partition key as JSON."""
        id_text, key_text = named
        if self.source.id is not None:
            id_text = self._made_id(number, parts)
            key_text = id_text if self.key is self.id else key_text
            parts = [f"{json_string(self.id.name)}:{id_text}", *parts]
        moment = moment_of(micros)
        if self.source.seconds_between_rows is not None:
            written = orjson.dumps(self.form.write(moment)).decode()
            parts = [*parts, f"{json_string(self.time.name)}:{written}"]
        value = _object(parts + self.constants)
        labelled = b""
        if len(self.label.path) == 1 and (label_text := self.label_text(label)) is not None:
            labelled = _object([*parts, *self.constants, f"{json_string(self.label.name)}:{label_text}"])
        identity = "" if id_text is None else orjson.loads(str(id_text))
        is_named = isinstance(identity, int | str) and not isinstance(identity, bool) and identity != ""
        key = b"" if key_text is None else str(orjson.loads(str(key_text))).encode("utf-8", "replace")
        known_label = self.label_of(label) if is_named else None
        return Row(number, identity if is_named else "", key, moment, value, known_label, labelled)

    def _made_id(self, number: int, parts: list[str]) -> str:
        if self.source.id == "row":
            return str(number + 1) if self.id.kind == "int" else f'"{number + 1}"'
        digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace"))
        if self.id.kind == "int":
            return str(int.from_bytes(digest.digest()[:8]) >> 1)
        return f'"{digest.hexdigest()[:32]}"'


def _object(parts: list[str]) -> bytes:
    return f"{{{','.join(parts)}}}".encode()


def _plain(value: Any) -> str:
    """A label's value so that ``1``, ``1.0`` and ``"1"`` are one, and ``True`` and ``true``."""
    text = str(value).strip().lower()
    number = number_text(text)
    return text if number is None else str(Decimal(number).normalize())


def _micros(moment: datetime) -> int:
    return (moment - EPOCH_START) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """The moment of microseconds since 1970, UTC."""
    return EPOCH_START + timedelta(microseconds=micros)


class Cells:
    """Makes events of rows of cells, whose columns are fields of these names."""

    def __init__(self, roles: Roles, columns: Sequence[str], names: Sequence[str], has_decimal_comma: bool) -> None:
        self._roles = roles
        self.names = tuple(
            roles.field_of(column, name, is_first=column not in columns[:place])
            for place, (column, name) in enumerate(zip(columns, names, strict=True))
        )
        self._plan = self._prefixes(roles.reading(has_decimal_comma))
        self._is_nested = len(roles.label.path) > 1
        self._whole_plan = self._prefixes(roles.reading(has_decimal_comma, is_labelled=True)) if self._is_nested else []
        self._label = self._place(roles.label)
        self._id = None if roles.source.id is not None else self._required_place(roles.id)
        self.time_place = None if roles.source.seconds_between_rows is not None else self._required_place(roles.time)
        self.is_plain_time = len(roles.time.path) == 1
        self._key = self._id if roles.key is roles.id else self._required_place(roles.key)

    def _prefixes(self, reading: Reading) -> list[tuple[str, Converter]]:
        outer = self._roles.outer
        return [(f"{json_string(name)}:", reading.converter(outer.get(name))) for name in self.names]

    def _place(self, rule: FieldRule) -> int | None:
        return self.names.index(rule.path[0]) if rule.path[0] in self.names else None

    def _required_place(self, rule: FieldRule) -> int | None:
        place = self._place(rule)
        if place is None and rule.name not in self._roles.source.constants:
            shown = ", ".join(self.names[:_SHOWN])
            raise ConfigurationError(
                f"The file has no column for {rule.name!r}, which the project names; it has {shown}. Name it in "
                f"fraudstream.toml, in the table [source.columns]: {rule.name} = the column's name."
            )
        return place

    def micros(self, cells: Sequence[Any], number: int) -> int | None:
        """The time of a row, of which ``cells`` has the cell at :attr:`time_place` alone."""
        if self.time_place is None:
            return self._roles.micros(None, number)
        return self._roles.micros(self._leaf(cells[0] if cells else None, self.time_place, self._roles.time), number)

    def _leaf(self, cell: Any, place: int | None, rule: FieldRule) -> str | None:
        """The JSON of a scalar in a column: of the column itself, or within its object."""
        if cell is None or place is None:
            return None
        if len(rule.path) == 1:
            return self._plan[place][1](cell)
        inner = value_in(cell, rule.path[1:])
        return None if inner is None else self._roles.reading().converter(rule)(inner)

    def row(self, number: int, cells: Sequence[Any], micros: int) -> Row:
        """A row as an event."""
        roles = self._roles
        label = cells[self._label] if self._label is not None and self._label < len(cells) else None
        if self._is_nested:
            label = value_in(label, roles.label.path[1:])
        parts = self._parts(self._plan, cells)
        id_text = self._leaf(self._cell(cells, self._id), self._id, roles.id)
        key_text = id_text if roles.key is roles.id else self._leaf(self._cell(cells, self._key), self._key, roles.key)
        row = roles.row(number, micros, parts, (id_text, key_text), label)
        if self._is_nested:
            labelled = roles.row(number, micros, self._parts(self._whole_plan, cells), (id_text, key_text), None)
            row = replace(row, labelled_value=labelled.value)
        return row

    @staticmethod
    def _cell(cells: Sequence[Any], place: int | None) -> Any:
        return cells[place] if place is not None and place < len(cells) else None

    def _parts(self, plan: list[tuple[str, Converter]], cells: Sequence[Any]) -> list[str]:
        parts = []
        for (prefix, convert), cell in zip(plan, cells, strict=False):
            if cell is not None and (text := convert(cell)) is not None:
                parts.append(prefix + text)
        further = enumerate(cells[len(plan) :], len(plan) + 1)
        parts.extend(f'"column_{place}":{json_value(cell)}' for place, cell in further if cell is not None)
        return parts


class Messages:
    """Makes events of JSON objects, whose fields may be nested."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._names: dict[str, str] = {}
        self._reading = roles.reading()
        self._converters = self._reading.converters(roles.outer.values())
        self._whole_converters = roles.reading(is_labelled=True).converters(roles.outer.values())

    def _read(self, text: str) -> Object | None:
        """A text's fields under the event's names; None for one that is no object."""
        try:
            pairs = as_written(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(pairs, Object):
            return None
        return Object((self._name(name), value) for name, value in pairs)

    def _name(self, name: str) -> str:
        if (known := self._names.get(name)) is None:
            known = self._names[name] = self._roles.field_of(name, field_name(name, 0))
        return known

    def micros(self, text: str, number: int) -> int | None:
        """The time of an object."""
        if self._roles.source.seconds_between_rows is not None:
            return self._roles.micros(None, number)
        fields = self._read(text)
        return None if fields is None else self._roles.micros(self._leaf(fields, self._roles.time), number)

    def _leaf(self, fields: Object, rule: FieldRule) -> str | None:
        value = value_in(fields, rule.path)
        return None if value is None else self._reading.converter(rule)(value)

    def row(self, number: int, text: str, micros: int) -> Row:
        """An object as an event; a text that is none as it stands, which the contract rejects."""
        fields = self._read(text)
        if fields is None:
            return Row(number, "", b"", moment_of(micros), text.encode("utf-8", "surrogatepass"), None)
        roles = self._roles
        label = value_in(fields, roles.label.path)
        id_text = None if roles.source.id is not None else self._leaf(fields, roles.id)
        named = (id_text, id_text if roles.key is roles.id else self._leaf(fields, roles.key))
        row = roles.row(number, micros, members(fields, self._converters), named, label)
        if len(roles.label.path) > 1:
            whole = members(fields, self._whole_converters)
            row = replace(row, labelled_value=roles.row(number, micros, whole, named, None).value)
        return row


def value_in(fields: Any, path: Sequence[str]) -> Any:
    """The value at a path of names; of a name that stands twice the last. None without one."""
    value = fields
    for name in path:
        if not isinstance(value, Object):
            return None
        value = next((inner for known, inner in reversed(value) if known == name), None)
    return value
