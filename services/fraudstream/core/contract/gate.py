"""The gate: what an event must be so that all later parts can take it, read in Python.

The stream job's reader (``EventReader.java`` of ``services/jvm``) is the same in Java; both give the same verdict
with the same reason for every input. An event that passes is scored, and its document holds it as it was sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from fraudstream.core.contract import limits
from fraudstream.core.contract.exact_json import (
    Field,
    LostNumber,
    NotFinite,
    Object,
    beginning,
    depth,
    fields_of,
    has_each_name_once,
    is_deep,
)
from fraudstream.core.contract.field_rules import FieldRule, Problem, first_problem
from fraudstream.core.contract.plain_reader import DECISION_MARK, PlainReader, object_of
from fraudstream.core.errors import EventError

# A reason that both readers give.
LOST_DIGITS = f"a number with more digits than the {limits.MOST_DECIMAL_DIGITS} that a document keeps"
# The bytes of BSON values beside their content, and of an element beside its name.
_FRAME, _ELEMENT, _LENGTH, _INT32, _INT64, _DOUBLE, _DECIMAL128 = 5, 2, 5, 4, 8, 8, 16
_INT32_RANGE = range(-(2**31), 2**31)


class Gate:
    """Reads events by the rules of their known fields; ``reserved`` names are the decision's and the document's."""

    def __init__(self, rules: Sequence[FieldRule], reserved: Sequence[str], most_bytes: int) -> None:
        self._rules = tuple(rules)
        self._reserved = frozenset(reserved)
        self._most_bytes = most_bytes
        self._plain = PlainReader(rules, reserved, most_bytes)

    def read(self, value: bytes) -> dict[str, Any]:
        """The fields of an event, as its document has them.

        Raises :class:`EventError`, whose message starts with the offending field's name or `value`.
        """
        if len(value) > self._most_bytes:
            raise _refusal("value", f"{len(value)} bytes, more than the {self._most_bytes} an event may have")
        event = self._plain.read(value)
        return self._read(value, decided=False) if event is None else event

    def read_decided(self, value: bytes) -> dict[str, Any]:
        """The same of an event that carries its decision, which may be larger; the decision's fields come along.

        Raises as :meth:`read` does.
        """
        event = self._plain.read_decided(value)
        if event is not None:
            return event
        at = value.rfind(DECISION_MARK)
        decision = _decision(b"{" + value[at + 1 :]) if at >= 0 else None
        if decision is None or not decision.keys() <= self._reserved:
            return self._read(value, decided=True)
        return self._read(value[:at] + b"}", decided=True, others=decision.keys()) | decision

    def _read(self, value: bytes, decided: bool, others: Collection[str] = ()) -> dict[str, Any]:
        """The fields, whose names are none of ``others``, which stand behind them."""
        if not value:
            raise _refusal("value", "empty")
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            raise _refusal("value", "not UTF-8 text") from None
        if depth(value) > limits.MOST_NESTING:
            raise _refusal("value", f"nested more than {limits.MOST_NESTING} deep")
        try:
            fields = fields_of(text)
        except ValueError:
            raise _refusal("value", f"not one JSON object: {beginning(text)}") from None
        self._require_rules(fields)
        survey, aside = _Survey(), _Survey()
        ours = self._reserved if decided else frozenset()
        event = {field.name: (aside if field.name in ours else survey).add_field(field) for field in fields}
        if survey.not_finite:
            raise _refusal("value", "an unknown field holds what JSON does not have, such as NaN")
        if survey.half_character or aside.half_character:
            raise _refusal("value", "a text holds half a character, a surrogate without its other half")
        if survey.twice or len(event) < len(fields) or not event.keys().isdisjoint(others):
            raise _refusal("value", "a field stands twice")
        if not decided and (taken := sorted(self._reserved.intersection(event))):
            raise _refusal(taken[0], "a name reserved for the decision")
        survey.require_storable()
        return event

    def _require_rules(self, fields: Sequence[Field]) -> None:
        problem = first_problem(self._rules, fields)
        if problem is not None:
            raise _refusal(*problem)


class _Survey:
    """What the document of an event will hold: its size in BSON, its fields, and the first that cannot be kept."""

    def __init__(self) -> None:
        self.not_finite = self.half_character = self.twice = False
        self._bytes = _FRAME
        self._fields = 0
        self._problem: Problem | None = None
        self._top = ""

    def add_field(self, field: Field) -> Any:
        """Count a field of the event itself; returns its value as the document has it."""
        self._top = field.name
        self._add_name(field.name)
        return self._add(field.value)

    def require_storable(self) -> None:
        """Raises :class:`EventError` for what a store would not keep as it is."""
        if self._problem is not None:
            raise _refusal(*self._problem)
        if self._fields > limits.MOST_FIELDS:
            raise _refusal("value", f"{self._fields} fields, more than the {limits.MOST_FIELDS} a document may have")
        if self._bytes > limits.MOST_EVENT_DOCUMENT_BYTES:
            most = limits.MOST_EVENT_DOCUMENT_BYTES
            raise _refusal("value", f"a document of {self._bytes} bytes, more than the {most} that all stores take")

    def _add_name(self, name: str) -> None:
        self._fields += 1
        self._bytes += _ELEMENT + self._utf8(name)
        if (problem := limits.name_problem(name)) is not None:
            self._note(problem)

    def _note(self, problem: str) -> None:
        if self._problem is None:
            self._problem = Problem(beginning(self._top) or "value", problem)

    def _utf8(self, text: str) -> int:
        try:
            return len(text.encode())
        except UnicodeEncodeError:
            self.half_character = True
            return len(text)

    def _add(self, value: Any) -> Any:
        if isinstance(value, str):
            self._bytes += _LENGTH + self._utf8(value)
        elif isinstance(value, bool):
            self._bytes += 1
        elif isinstance(value, int):
            self._bytes += _INT32 if value in _INT32_RANGE else _INT64
        elif isinstance(value, float):
            self._bytes += _DOUBLE
        elif isinstance(value, Object):
            return self._add_object(value)
        elif isinstance(value, list):
            return self._add_list(value)
        elif isinstance(value, NotFinite):
            self.not_finite = True
        elif isinstance(value, LostNumber):
            self._note(f"{LOST_DIGITS}, got {beginning(value.text)}")
            self._bytes += _DOUBLE
        elif value is not None:
            self._bytes += _DECIMAL128
        return value

    def _add_object(self, fields: Object) -> dict[str, Any]:
        self._bytes += _FRAME
        members = {}
        for name, value in fields:
            self._add_name(name)
            self.twice |= name in members
            members[name] = self._add(value)
        return members

    def _add_list(self, items: list[Any]) -> list[Any]:
        self._bytes += _FRAME
        elements = []
        for position, item in enumerate(items):
            self._bytes += _ELEMENT + len(str(position))
            elements.append(self._add(item))
        return elements


def _decision(text: bytes) -> dict[str, Any] | None:
    """A decision's fields: their numbers are the stream job's, and need no more than doubles."""
    decision = None if is_deep(text) else object_of(text)
    return decision if decision is not None and has_each_name_once(text, decision) else None


def _refusal(field: str, explanation: str) -> EventError:
    return EventError(f"{field}: {explanation}", field)
