"""JSON objects read without losing anything: every field in its order, also a second one, and every digit.

Numbers become an ``int`` of 64 bits, a ``float`` where it reads back as the same digits, a ``Decimal128`` where that
has room for them, else a :class:`LostNumber`. Zero with a sign is a ``float``: integers have no such zero.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal, DecimalException
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from fraudstream.core.contract import limits

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]+))?")
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
# Numbers whose digits a double might not keep, and zero with a sign, which as an integer would lose it. They stand
# behind these marks; a look at the digits alone, which texts have as well, spares most texts the search.
_UNUSUAL_NUMBER = re.compile(rb"[:,\[]\s*(?:-?[0-9.]{16}|-?[0-9.]+[eE]|-0[^.])")
_AS_DIGITS = bytes.maketrans(b"123456789.E", b"0000000000e")
_MANY_DIGITS = b"0" * 16
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)

# Fewer digits than these, at exponents no larger than these, are always kept by a double.
_SAFE_DIGITS, _SAFE_EXPONENT = 15, 290
_DOUBLE_DIGITS, _DOUBLE_EXPONENT = 17, 330
_LONG_EXPONENT_DIGITS, _FAR = 12, 10**12
_LONG_DIGITS = 20
_SHOWN_CHARACTERS = 60


class LostNumber(NamedTuple):
    """A number with more digits than a document keeps, or too large or small a one; ``text`` as it was written."""

    text: str


class NotFinite(NamedTuple):
    """NaN or an infinity, which JSON does not have."""

    text: str


class Object(list[tuple[str, Any]]):
    """The fields of an object in their order; a name may stand twice."""


class Written(str):
    """A number as it was written."""


class Field(NamedTuple):
    """A field of the outermost object, with its value as it was written."""

    name: str
    value: Any
    written: str


def is_deep(text: bytes) -> bool:
    """Whether there are so many objects and lists that they might be nested too deep."""
    return text.count(b"[") + text.count(b"{") > limits.MOST_NESTING


def depth(text: bytes) -> int:
    """How many objects and lists are open at once at most, whether the text is JSON or not."""
    if not is_deep(text):
        return 0
    now = most = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        if bracket in (b"[", b"{"):
            now += 1
            most = max(most, now)
        elif bracket in (b"]", b"}"):
            now -= 1
    return most


def has_unusual_number(text: bytes) -> bool:
    """Whether there may be a number that a fast parser would not keep as it is written."""
    digits = text.translate(_AS_DIGITS)
    if _MANY_DIGITS not in digits and b"0e" not in digits and b"-0" not in text:
        return False
    return _UNUSUAL_NUMBER.search(text) is not None


def has_each_name_once(text: bytes, parsed: Any) -> bool:
    """Whether ``parsed``, by a parser that keeps the last of equal names, has all names and texts of ``text``."""
    strings = text.count(b'"') / 2 if b"\\" not in text else len(_STRING.findall(text))
    waiting = [parsed]
    for inner in waiting:
        named = type(inner) is dict
        strings -= len(inner) if named else 0
        for value in inner.values() if named else inner:
            if type(value) is str:
                strings -= 1
            elif type(value) in (dict, list):
                waiting.append(value)
    return strings == 0


def fields_of(text: str) -> list[Field]:
    """The fields of the one object that ``text`` is. Raises ``ValueError`` where it is none."""
    fields: list[Field] = []
    at = _after_space(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not an object")
    at = _after_space(text, at + 1)
    ended = text[at : at + 1] == "}"
    while not ended:
        if text[at : at + 1] != '"':
            raise ValueError("no name")
        name, at = scanstring(text, at + 1, True)
        at = _after_space(text, at)
        if text[at : at + 1] != ":":
            raise ValueError("no value")
        begins = _after_space(text, at + 1)
        try:
            value, at = _SCAN(text, begins)
        except StopIteration:
            raise ValueError("no value") from None
        fields.append(Field(name, value, text[begins:at]))
        at = _after_space(text, at)
        mark = text[at : at + 1]
        ended = mark == "}"
        if mark not in (",", "}"):
            raise ValueError("no end")
        if not ended:
            at = _after_space(text, at + 1)
    if _after_space(text, at + 1) != len(text):
        raise ValueError("more than an object")
    return fields


def as_written(text: str) -> Any:
    """Any JSON, its numbers as :class:`Written`. Raises ``ValueError``, and ``RecursionError`` where it is too deep."""
    return _WRITTEN.decode(text)


def number(text: str) -> Any:
    """A JSON number, kept with all its digits."""
    return _integer(text) if text.lstrip("-").isdigit() else _fraction(text)


def _integer(text: str) -> Any:
    digits = text.lstrip("-")
    if text == "-0":
        return -0.0
    if len(digits) < _LONG_DIGITS and limits.LEAST_INTEGER <= (whole := int(text)) <= limits.MOST_INTEGER:
        return whole
    return _decimal(text, *_significant(text))


def _fraction(text: str) -> Any:
    significant, exponent = _significant(text)
    if not significant:
        return -0.0 if text[0] == "-" else 0.0
    if len(significant) <= _DOUBLE_DIGITS and abs(exponent) <= _DOUBLE_EXPONENT:
        written = _written(text, significant, exponent)
        double = float(written)
        if len(significant) <= _SAFE_DIGITS and abs(exponent) <= _SAFE_EXPONENT:
            return double
        if math.isfinite(double) and double and Decimal(repr(double)) == Decimal(written):
            return double
    return _decimal(text, significant, exponent)


def _decimal(text: str, significant: str, exponent: int) -> Any:
    from bson.decimal128 import Decimal128

    least, most = limits.DECIMAL_EXPONENTS
    if len(significant) > limits.MOST_DECIMAL_DIGITS or not least <= exponent <= most:
        return LostNumber(text)
    try:
        # As it was written, with its last zeros, where there is room for them.
        return Decimal128(text)
    except (DecimalException, ValueError):
        return Decimal128(_written(text, significant, exponent))


def _significant(text: str) -> tuple[str, int]:
    """The digits from the first to the last that is not zero, and the first one's power of ten."""
    parts = _NUMBER.fullmatch(text)
    if parts is None:
        raise ValueError(f"not a number: {text[:60]}")
    _, whole, fraction, sign, power = parts.groups()
    digits = whole + (fraction or "")
    from_first = digits.lstrip("0")
    exponent = 0
    if power:
        exponent = _FAR if len(power) > _LONG_EXPONENT_DIGITS else min(_FAR, int(power))
    exponent = -exponent if sign == "-" else exponent
    return from_first.rstrip("0"), len(whole) - 1 - (len(digits) - len(from_first)) + exponent


def _written(text: str, significant: str, exponent: int) -> str:
    return f"{'-' if text[0] == '-' else ''}{significant}E{exponent - len(significant) + 1}"


def _after_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=number, parse_float=number, parse_constant=NotFinite
).scan_once  # type: ignore[attr-defined]
_WRITTEN = json.JSONDecoder(object_pairs_hook=Object, parse_int=Written, parse_float=Written, parse_constant=NotFinite)


def beginning(text: str, characters: int = _SHOWN_CHARACTERS) -> str:
    """The first characters of a text, half ones replaced."""
    return text[:characters].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
