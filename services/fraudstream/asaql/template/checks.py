"""The checks of an event's fields: conditions that tell which field breaks its rule.

They say what ``core.contract.gate`` says, as far as the language can: docs/reference/query-parity.md lists the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fraudstream.asaql.template.times import moment_text
from fraudstream.asaql.template.writing import is_finite, is_number_text, name, number, text
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.patterns import FORMATS, portable

_TYPES = {
    "int": "!= 'bigint'",
    "float": "NOT IN ('bigint', 'float')",
    "bool": "!= 'bit'",
    "text": "!= 'nvarchar(max)'",
    "array": "!= 'array'",
    "object": "!= 'record'",
}


class Check(NamedTuple):
    """A condition under which an event is rejected, and the field that its reason names."""

    condition: str
    field: str


def checks(rules: Sequence[FieldRule], above: str) -> Iterator[Check]:
    """The checks of fields of the record ``above``, in the order of the schema.

    Of a field the type comes first, in a check of its own: what follows may fail on values of another one.
    """
    yield from _checks(rules, above, is_optional=False)


def _checks(rules: Sequence[FieldRule], above: str, is_optional: bool) -> Iterator[Check]:
    for rule in rules:
        column = f"{above}.{name(rule.path[-1])}"
        wrong_type = f"GetType({column}) {_type(rule)}"
        if rule.required and not rule.is_nullable:
            missing = f"{column} IS NULL OR {wrong_type}"
            yield Check(f"{above} IS NOT NULL AND ({missing})" if is_optional else missing, rule.name)
        else:
            yield Check(f"{column} IS NOT NULL AND {wrong_type}", rule.name)
        is_certain = rule.required and not rule.is_nullable and not is_optional
        for fault in _faults(rule, column, is_certain):
            yield Check(fault, rule.name)
        if rule.kind == "object":
            inside = is_optional or not rule.required or rule.is_nullable
            yield from _checks(rule.fields, column, inside)


def _type(rule: FieldRule) -> str:
    if rule.kind == "time":
        return _TYPES["float" if rule.time_form.is_number else "text"]
    return _TYPES[rule.kind]


def _faults(rule: FieldRule, column: str, is_certain: bool) -> Iterator[str]:
    """What is wrong with values of the right type; of NULL none is true, which ``is_certain`` not to be there."""
    if rule.kind == "time":
        yield from moment_text(rule.time_form, column).faults
    elif rule.kind in ("int", "float"):
        if problems := [*_bounds(rule, column), *_not_listed(rule, column)]:
            yield " OR ".join(problems)
    elif rule.kind == "bool":
        if len(rule.choices) == 1:
            yield f"{column} != {int(bool(rule.choices[0]))}"
    elif rule.kind == "text":
        yield from _text_faults(rule, column, is_certain)
    elif rule.kind == "array" and (rule.least_length or rule.most_length is not None):
        yield _length(f"GetArrayLength(TRY_CAST({column} AS array))", rule.least_length, rule.most_length)


def _bounds(rule: FieldRule, column: str) -> Iterator[str]:
    least, most = rule.minimum, rule.maximum
    is_whole = rule.kind == "int"
    if least is not None and is_finite(least) and not (is_whole and least <= LEAST_INTEGER):
        yield f"{column} {'<=' if rule.is_above_minimum else '<'} {number(least)}"
    if most is not None and is_finite(most) and not (is_whole and most >= MOST_INTEGER):
        yield f"{column} {'>=' if rule.is_below_maximum else '>'} {number(most)}"


def _not_listed(rule: FieldRule, column: str) -> Iterator[str]:
    if rule.choices:
        yield f"{column} NOT IN ({', '.join(number(choice) for choice in rule.choices if not isinstance(choice, str))})"


def _text_faults(rule: FieldRule, column: str, is_certain: bool) -> Iterator[str]:
    if rule.choices:
        listed = [str(choice) for choice in rule.choices]
        # A text that looks like a number is compared as one where the column's type is not known.
        subject = f"TRY_CAST({column} AS nvarchar(max))" if any(map(is_number_text, listed)) else column
        yield f"{subject} NOT IN ({', '.join(map(text, listed))})"
    if rule.least_length or rule.most_length is not None:
        # LEN does not count blanks at the end, and CONCAT takes NULL for an empty text.
        most = None if rule.most_length is None else rule.most_length + 1
        fault = _length(f"LEN(CONCAT({column}, '.'))", rule.least_length + 1, most)
        yield fault if is_certain else f"{column} IS NOT NULL AND {fault}"
    if rule.pattern is not None:
        yield f"REGEXMATCH({column}, {text(_pattern(rule))}) = 0"


def _length(length: str, least: int, most: int | None) -> str:
    if most is None:
        return f"{length} < {least}"
    return f"{length} NOT BETWEEN {least} AND {most}" if least else f"{length} > {most}"


def _pattern(rule: FieldRule) -> str:
    """The pattern in ECMAScript's syntax, as the schema has it."""
    shown = rule.shown_pattern or ""
    is_format = shown in FORMATS and rule.pattern == portable(FORMATS[shown])
    return FORMATS[shown] if is_format else shown
