"""One value of a file as JSON, by the rule of its field.

A value that does not fit its rule is written as it stands, as a text: the contract then rejects the event and says
why. A value that is missing has no JSON: its field is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from fraudstream.core.contract.exact_json import NotFinite, Object, Written
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.times import ISO

# The JSON of a value; None where it is missing.
Converter = Callable[[Any], str | None]

# Cells that say that there is no value, whatever their column holds …
MISSING = frozenset({"", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A", "<NA>"})
# … and where a number or a boolean is expected; a text may be one of these.
_MISSING_NUMBERS = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "nil", "-", "?", "."})

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}").fullmatch
# A sign and a currency's sign may stand before a number, a thousand's mark within it.
_DRESSED = re.compile(r"(?P<sign>[+-]?)[$€£¥]? ?(?P<inner>[+-]?)(?P<rest>[0-9.,][0-9.,eE+-]*) ?[$€£¥]?").fullmatch
_POINT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?").fullmatch
_COMMA = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+").fullmatch
# A hundred digits are more than any number of a document has.
_MOST_DIGITS = 100


def number_text(text: str, has_decimal_comma: bool = False) -> str | None:
    """A number's text as JSON has it, its digits unchanged; None for what is no number.

    A leading ``+``, a sign of a currency and marks of thousands are left out, a bare point gets its zero.
    ``has_decimal_comma``: a comma stands before the decimals, as in files whose cells are separated by semicolons.
    """
    if _NUMBER(text):
        return text
    parts = _DRESSED(text.strip())
    if parts is None or (parts["sign"] and parts["inner"]):
        return None
    rest = parts["rest"]
    if has_decimal_comma and _COMMA(rest):
        rest = rest.replace(".", "").replace(",", ".")
    elif _POINT(rest):
        rest = rest.replace(",", "")
    rest = f"0{rest}" if rest.startswith(".") else rest
    rest = rest[:-1] if rest.endswith(".") else rest
    written = ("-" if "-" in (parts["sign"], parts["inner"]) else "") + rest
    return written if _NUMBER(written) else None


def whole_text(text: str, has_decimal_comma: bool = False, takes_exponent: bool = True) -> str | None:
    """An integer of 64 bits as JSON has it, also of ``12.0``; None for what is none.

    ``takes_exponent``: whether ``4.53E+15`` is one. Of an id or a card's number its last digits are lost.
    """
    if _WHOLE(text):
        return text
    written = number_text(text, has_decimal_comma)
    if written is None or len(written) > _MOST_DIGITS or (not takes_exponent and "e" in written.lower()):
        return None
    number = Decimal(written)
    if abs(number) > MOST_INTEGER + 1 or number != number.to_integral_value():
        return None
    return str(int(number)) if LEAST_INTEGER <= number <= MOST_INTEGER else None


def boolean_text(text: str) -> str | None:
    """``true`` or ``false``; None for what is neither."""
    lowered = text.strip().lower()
    return "true" if lowered in TRUE else "false" if lowered in FALSE else None


def json_string(text: str) -> str:
    """A text as JSON."""
    try:
        return orjson.dumps(text).decode()
    except TypeError:
        return json.dumps(str(text))  # a subclass of str, or half a character, which the contract rejects


def json_value(value: Any) -> str | None:
    """Any value as JSON; numbers that JSON does not have are missing (NaN), or texts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Written):
        return str(value) if _NUMBER(value) else json_string(str(value))
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, NotFinite):
        return None if value.text == "NaN" else json_string(value.text)
    if isinstance(value, Object):
        return object_json(value, {})
    if isinstance(value, list):
        return f"[{','.join(json_value(item) or 'null' for item in value)}]"
    return json.dumps(value)


def object_json(pairs: Iterable[tuple[str, Any]], converters: Mapping[str, Converter]) -> str:
    """An object as JSON, its known fields by their converters."""
    return f"{{{','.join(members(pairs, converters))}}}"


def members(pairs: Iterable[tuple[str, Any]], converters: Mapping[str, Converter]) -> list[str]:
    """The members of an object; a name that no store keeps loses its ``$`` and its NUL."""
    texts = []
    for name, value in pairs:
        if name.startswith("$") or "\0" in name:
            name = name.lstrip("$").replace("\0", "") or "unnamed"
        convert = converters.get(name)
        text = json_value(value) if convert is None else convert(value)
        if text is not None:
            texts.append(f"{json_string(name)}:{text}")
    return texts


@dataclass(frozen=True)
class Reading:
    """How values are read, whatever their field.

    ``has_decimal_comma``: see :func:`number_text`. Of the fields named by ``identities`` no digit may be lost. The
    fields of ``special`` have converters of their own, by their paths with dots.
    """

    has_decimal_comma: bool = False
    identities: frozenset[str] = frozenset()
    special: Mapping[str, Converter] = field(default_factory=dict)

    def converter(self, rule: FieldRule | None) -> Converter:
        """What makes a field's value into JSON by its rule."""
        if rule is None:
            return json_value
        if rule.name in self.special:
            return self.special[rule.name]
        if rule.kind == "object":
            return _object_converter(rule.is_nullable, self.converters(rule.fields))
        if rule.kind == "array":
            return _array_converter(rule, self.converter(rule.items))
        return _text_converter(rule) if rule.kind in ("text", "time") else _number_converter(rule, self._plain(rule))

    def converters(self, rules: Iterable[FieldRule]) -> dict[str, Converter]:
        """The converters of an object's fields by their names."""
        return {rule.path[-1]: self.converter(rule) for rule in rules}

    def _plain(self, rule: FieldRule) -> Callable[[str], str | None]:
        if rule.kind == "bool":
            return boolean_text
        has_comma, takes_exponent = self.has_decimal_comma, rule.name not in self.identities
        if rule.kind == "int":
            return lambda text: whole_text(text, has_comma, takes_exponent)
        return lambda text: number_text(text, has_comma)


def _absent(is_nullable: bool) -> str | None:
    """How a missing value is written: a field that may be null keeps it."""
    return "null" if is_nullable else None


def _number_converter(rule: FieldRule, plain: Callable[[str], str | None]) -> Converter:
    truths = {"int": ("1", "0"), "float": ("1", "0"), "bool": ("true", "false")}[rule.kind]

    def convert(value: Any) -> str | None:
        if isinstance(value, str):
            text = plain(value)
            if text is None and value.strip().lower() in _MISSING_NUMBERS:
                return _absent(rule.is_nullable)
            return json_value(value) if text is None else text
        if isinstance(value, bool):
            return truths[0] if value else truths[1]
        if value is None or (isinstance(value, NotFinite) and value.text == "NaN"):
            return _absent(rule.is_nullable)
        return json_value(value)

    return convert


def _text_converter(rule: FieldRule) -> Converter:
    form = rule.time
    is_number, is_dated = form is not None and form.is_number, form is not None and form.form != ISO

    def convert(value: Any) -> str | None:
        if value is None or (isinstance(value, NotFinite) and value.text == "NaN"):
            return _absent(rule.is_nullable)
        if isinstance(value, bool):
            return '"true"' if value else '"false"'
        if not isinstance(value, str):
            return json_value(value)
        if form is None:
            return json_string(str(value))
        if is_number:
            return number_text(value) or json_string(value)
        return json_string(padded(value.strip()) if is_dated else value.strip())

    return convert


def padded(date: str) -> str:
    """A date whose days, months and hours have two digits: ``1/5/2018 3:04`` as ``01/05/2018 03:04``."""
    return _ALONE.sub(r"0\1", date)


# A digit alone, and not the beginning of a fraction.
_ALONE = re.compile(r"(?<![0-9.,])([0-9])(?![0-9])")


def _object_converter(is_nullable: bool, fields: Mapping[str, Converter]) -> Converter:
    def convert(value: Any) -> str | None:
        if value is None:
            return _absent(is_nullable)
        return object_json(value, fields) if isinstance(value, Object) else json_value(value)

    return convert


def _array_converter(rule: FieldRule, convert_item: Converter) -> Converter:
    def convert(value: Any) -> str | None:
        if value is None:
            return _absent(rule.is_nullable)
        if not isinstance(value, list) or isinstance(value, Object):
            return json_value(value)
        return f"[{','.join(convert_item(item) or 'null' for item in value)}]"

    return convert
