"""The rule of one field of an event: what its value must be, and what is wrong with one that is not.

``EventReader.java`` has the same rules; both give the same reasons.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

from fraudstream.core.contract.exact_json import Object, beginning
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.times import TimeForm

Kind = Literal["int", "float", "bool", "text", "time", "object", "array"]

_SPARK_TYPES: Mapping[str, str] = {
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "text": "STRING",
    "time": "STRING",
}
_NOUNS = {"int": "an integer", "float": "a finite number", "bool": "true or false", "text": "a text"} | {
    "object": "an object",
    "array": "a list",
}
_SHOWN_CHOICES = 60


@dataclass(frozen=True)
class FieldRule:
    """What a field's value must be.

    ``name`` is the field's, and of one inside an object its path with dots; ``path`` has the names apart. ``choices``
    are the only values (an enum), ``categories`` values that are known, beside which others are taken.
    ``minimum``/``maximum`` bound numbers (inclusive, unless ``is_above_minimum``/``is_below_maximum``); the lengths are
    characters of a text, or items of a list. ``fields`` are an object's, ``items`` is the rule of a list's items.
    ``pattern`` is one of :mod:`fraudstream.core.contract.patterns`, and ``shown_pattern`` how the schema has it.
    """

    name: str
    kind: Kind
    required: bool = False
    is_nullable: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    is_above_minimum: bool = False
    is_below_maximum: bool = False
    choices: tuple[str | int | float | bool, ...] = ()
    categories: tuple[str, ...] = ()
    least_length: int = 0
    most_length: int | None = None
    pattern: str | None = None
    shown_pattern: str | None = None
    path: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    items: FieldRule | None = None
    time: TimeForm | None = None

    def __post_init__(self) -> None:
        if not self.path:
            object.__setattr__(self, "path", (self.name,))

    @property
    def spark_type(self) -> str:
        """Spark's type of a scalar; a time that is a number is one of 64 bits or a double in text."""
        return _SPARK_TYPES[self.kind]

    @property
    def time_form(self) -> TimeForm:
        """How a time is written. Raises ``TypeError`` for any other field."""
        if self.time is None:
            raise TypeError(f"{self.name} is no time")
        return self.time

    @property
    def is_scalar(self) -> bool:
        return self.kind not in ("object", "array")

    @cached_property
    def expectation(self) -> str:
        """The rule in words, as it stands in a rejected event's reason."""
        described = self._described()
        return f"{described} or null" if self.is_nullable and self.required else described

    def _described(self) -> str:
        if self.kind == "time":
            return self.time_form.expectation
        if self.choices:
            return _one_of(self.choices)
        noun = _NOUNS[self.kind]
        if self.kind in ("int", "float"):
            return noun + self._bounds()
        if self.kind == "text":
            return noun + self._lengths("characters") + (f" like {self.shown_pattern}" if self.shown_pattern else "")
        return noun + (self._lengths("items") if self.kind == "array" else "")

    def _bounds(self) -> str:
        least = None if self.kind == "int" and self.minimum == LEAST_INTEGER else self.minimum
        most = None if self.kind == "int" and self.maximum == MOST_INTEGER else self.maximum
        plain = not self.is_above_minimum and not self.is_below_maximum
        if least is not None and most is not None and plain:
            return f" from {least} to {most}"
        parts = []
        if least is not None:
            parts.append(f"above {least}" if self.is_above_minimum else f"of {least} or more")
        if most is not None:
            parts.append(f"below {most}" if self.is_below_maximum else f"of {most} or less")
        return f" {' and '.join(parts)}" if parts else ""

    def _lengths(self, unit: str) -> str:
        if self.most_length is not None:
            return f" of {self.least_length} to {self.most_length} {unit}"
        return f" of {self.least_length} {unit} or more" if self.least_length else ""

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest value of a number."""
        return (
            -math.inf if self.minimum is None else self.minimum,
            math.inf if self.maximum is None else self.maximum,
        )

    @property
    def known_values(self) -> tuple[str, ...]:
        """The listed values of a text: those that it must be one of, or those that are known."""
        return self.categories or tuple(choice for choice in self.choices if isinstance(choice, str))

    def problem(self, value: Any, written: str = "") -> str | None:
        """What is wrong with a value, or None.

        Objects are :class:`Object` or dictionaries, lists are lists; numbers are as
        :mod:`fraudstream.core.contract.exact_json` reads them. ``written`` is a number's digits, where they are known.
        """
        if value is None:
            return None if self.is_nullable else f"expected {self.expectation}"
        return None if self._is_good(value, written) else f"expected {self.expectation}"

    def _is_good(self, value: Any, written: str) -> bool:
        if self.kind == "text":
            return isinstance(value, str) and self._is_good_text(value)
        if self.kind == "int":
            is_whole = type(value) is int and LEAST_INTEGER <= value <= MOST_INTEGER
            return is_whole and self._is_inside(value) and (not self.choices or value in self.choices)
        if self.kind == "float":
            return (number := as_double(value, written)) is not None and self._is_good_number(number)
        if self.kind == "bool":
            return type(value) is bool and (not self.choices or value in self.choices)
        if self.kind == "time":
            return self._is_time(value, written)
        if self.kind == "array":
            most = math.inf if self.most_length is None else self.most_length
            return isinstance(value, list) and not isinstance(value, Object) and self.least_length <= len(value) <= most
        return isinstance(value, Object | dict)

    def _is_good_text(self, value: str) -> bool:
        if self.choices:
            return value in self.choices
        # Half characters are refused elsewhere; JSON Schema counts code points.
        if len(value) < self.least_length or (self.most_length is not None and len(value) > self.most_length):
            return False
        return self.pattern is None or _compiled(self.pattern).search(value) is not None

    def _is_good_number(self, number: float) -> bool:
        return math.isfinite(number) and self._is_inside(number) and (not self.choices or number in self.choices)

    def _is_inside(self, value: float) -> bool:
        least, most = self.range
        if (self.is_above_minimum and value == least) or (self.is_below_maximum and value == most):
            return False
        return least <= value <= most

    def _is_time(self, value: Any, written: str) -> bool:
        form = self.time_form
        if isinstance(value, Object | dict | list | bool):
            return False
        digits = written or getattr(value, "text", "")
        try:
            form.parse(Decimal(digits) if digits and form.is_number and not isinstance(value, str) else value)
        except (ValueError, InvalidOperation):
            return False
        return True


def as_double(value: Any, written: str = "") -> float | None:
    """A JSON number as the nearest double, infinite where it overflows; None for anything else."""
    if type(value) is float:
        return value
    if isinstance(value, int) and not isinstance(value, bool):  # PyMongo's integers of 64 bits are a subclass
        return float(value)
    if (exact := getattr(value, "to_decimal", None)) is not None:  # a Decimal128; not every part has BSON installed
        return float(exact())
    # A number that no document keeps has its text alone.
    text = written or getattr(value, "text", "")
    return float(text) if text and text[0] in "-0123456789" and text[-1] in "0123456789" else None


class Problem(NamedTuple):
    """Which field breaks its rule, and how."""

    field: str
    explanation: str


# A field of an object: its name, its value and, where it is known, how that is written.
Given = tuple[str, Any, str]


def first_problem(rules: Sequence[FieldRule], given: Iterable[Given]) -> Problem | None:
    """The first rule, in their order, that the fields of an object break; fields without a rule are passed over.

    Of a name that stands twice each value has to keep the rule.
    """
    known = {rule.path[-1]: rule for rule in rules}
    present: set[str] = set()
    problems: dict[str, Problem] = {}
    for name, value, written in given:
        rule = known.get(name)
        if rule is None:
            continue
        problem = _problem(rule, value, written)
        if problem is not None:
            problems[name] = problem
        elif value is not None or rule.is_nullable:
            present.add(name)
    for rule in rules:
        name = rule.path[-1]
        if name in problems:
            return problems[name]
        if rule.required and name not in present:
            return Problem(rule.name, f"missing, expected {rule.expectation}")
    return None


def _problem(rule: FieldRule, value: Any, written: str) -> Problem | None:
    if value is None and rule.required and not rule.is_nullable:
        return None  # null counts as missing there
    if (explanation := rule.problem(value, written)) is not None:
        return Problem(rule.name, f"{explanation}, got {_shown(value, written)}")
    if value is None:
        return None
    if rule.kind == "object":
        pairs = value.items() if isinstance(value, dict) else value
        return first_problem(rule.fields, ((name, inner, "") for name, inner in pairs))
    if rule.kind == "array" and rule.items is not None:
        problems = (_problem_of_item(rule.items, item) for item in value)
        return next((problem for problem in problems if problem is not None), None)
    return None


def _problem_of_item(rule: FieldRule, item: Any) -> Problem | None:
    if item is None and not rule.is_nullable:
        return Problem(rule.name, f"expected {rule.expectation}, got null")
    return _problem(rule, item, "")


def _shown(value: Any, written: str) -> str:
    """A value as it was written, where that is known, else what it is."""
    if isinstance(value, str):
        return f'the text "{beginning(value)}"'
    if written:
        return beginning(written)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Object | dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a number"


def leaves(rules: Iterable[FieldRule]) -> Iterator[FieldRule]:
    """The scalar fields, those inside objects included, in the order of the schema; not those inside lists."""
    for rule in rules:
        if rule.kind == "object":
            yield from leaves(rule.fields)
        elif rule.is_scalar:
            yield rule


def optional_names(rules: Iterable[FieldRule], is_inside_optional: bool = False) -> Iterator[str]:
    """The names of the scalar fields that an event may lack: they or an object around them may be absent or null."""
    for rule in rules:
        is_optional = is_inside_optional or not rule.required or rule.is_nullable
        if rule.kind == "object":
            yield from optional_names(rule.fields, is_optional)
        elif is_optional and rule.is_scalar:
            yield rule.name


def value_at(fields: Mapping[str, Any], path: Iterable[str]) -> Any:
    """The value at a path of names; None where there is none."""
    value: Any = fields
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _one_of(choices: tuple[Any, ...]) -> str:
    listed = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices]
    shown = ", ".join(listed[:_SHOWN_CHOICES])
    return f"one of {shown}" + (", …" if len(listed) > _SHOWN_CHOICES else "")
