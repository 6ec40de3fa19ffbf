"""What one column of a sample holds: its type, its values, and how much is missing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from fraudstream.core.contract.exact_json import NotFinite, Object, Written
from fraudstream.core.contract.patterns import FORMATS, portable
from fraudstream.generator.files.cells import number_text
from fraudstream.generator.onboarding.sampling import Column, Texts

Type = Literal["integer", "number", "boolean", "string", "array", "empty", "mixed"]

# So many values tell that all are of a format.
_ENOUGH = 20
_TRUTHS = (
    frozenset({"true", "false"}),
    frozenset({"true"}),
    frozenset({"false"}),
    frozenset({"t", "f"}),
    frozenset({"y", "n"}),
    frozenset({"yes", "no"}),
)
_FORMATS = {name: re.compile(portable(pattern), re.ASCII) for name, pattern in FORMATS.items()}
# Where one word of a name ends and the next one begins with a capital letter.
_SEAM = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W\d_]+|[0-9]+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters: ``TransactionDT`` and ``transaction_dt`` have the same."""
    return tuple(word.lower() for word in _WORDS.findall(_SEAM.sub(" ", name)))


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for names to be compared with."""
    return frozenset(text.split())


def squeezed(name: str) -> str:
    """A name's letters and digits in small letters: ``Is Fraud?`` and ``is_fraud`` are one."""
    return "".join(character for character in name.lower() if character.isalnum())


@dataclass
class Profile:
    """A column and what it holds; ``evidence`` says why it has its type."""

    column: Column
    type: Type
    evidence: str
    has_exponents: bool = False
    has_decimal_comma: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    @cached_property
    def words(self) -> tuple[str, ...]:
        return words(self.column.column if self.column.column.strip() else self.name)

    @cached_property
    def counts(self) -> Counter[Any]:
        """How often each value stands there; missing ones left out."""
        if self.type in ("array", "mixed"):
            return Counter(value for value in self.column.values if _is_scalar(value))
        counts = Counter(self.column.values)
        counts.pop(None, None)
        return counts

    @cached_property
    def present(self) -> int:
        """How many values are not missing."""
        return len(self.column.values) - self.column.missing

    @property
    def missing_share(self) -> float:
        return 1 - self.present / len(self.column.values)

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return self.column.written.distinct if self.column.is_written else len(self.counts)

    @cached_property
    def is_measured(self) -> bool:
        """Whether nearly each row has a number of its own, by the first rows: a measure and no category."""
        first = self.column.values[:_FIRST]
        return self.type == "number" and len(set(first)) > _FIRST // 2

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same."""
        return (
            not self.is_measured
            and self.distinct <= 1
            and self.type != "array"
            and not (self.distinct and self.missing_share)
        )

    @property
    def is_numeric(self) -> bool:
        return self.type in ("integer", "number")

    @cached_property
    def numbers(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The values as doubles, NaN for what is missing; those of a boolean are 0 and 1."""
        if self.type == "boolean":
            truths = {value: float(str(value).lower() in ("true", "t", "y", "yes")) for value in self.counts}
            return np.array([truths.get(value, np.nan) for value in self.column.values])
        import pyarrow as pa

        try:
            doubles = self.column.written.values.cast(pa.float64())
        except pa.ArrowException:
            return np.array([self._double(value) for value in self.column.values])
        # Arrow's own conversion would import pandas.
        known = doubles.fill_null(float("nan"))
        return np.frombuffer(known.buffers()[1], dtype=np.float64, count=len(known))

    def _double(self, value: Any) -> float:
        if value is None:
            return float("nan")
        try:
            return float(value)
        except ValueError:
            text = number_text(value, self.has_decimal_comma)
            return float("nan") if text is None else float(text)

    @cached_property
    def format(self) -> str | None:
        """`uuid`, `email` or `ipv4`, where all values are of that form."""
        if self.type != "string" or self.present < _ENOUGH:
            return None
        return next((name for name, form in _FORMATS.items() if all(map(form.search, self.counts))), None)

    @cached_property
    def longest(self) -> int:
        """The characters of the longest value."""
        return self.column.written.longest if self.column.is_written else 0

    def examples(self, most: int = 3) -> str:
        """Some values as people read them."""
        shown = [
            str(value) if len(str(value)) <= 24 else f"{str(value)[:23]}…" for value, _ in self.counts.most_common(most)
        ]
        return ", ".join(shown)


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, list | NotFinite)


def profile(column: Column, has_decimal_comma: bool = False) -> Profile:
    """Look at a column."""
    kinds = column.kinds
    if NotFinite in kinds:
        column = replace(column, values=[None if isinstance(value, NotFinite) else value for value in column.values])
        kinds = column.kinds
    if not kinds:
        return Profile(column, "empty", "no value in any row looked at")
    if kinds <= {list}:
        return Profile(column, "array", "lists")
    if kinds & {list, Object}:
        return Profile(column, "mixed", "objects or lists beside other values")
    if kinds == {bool}:
        return Profile(column, "boolean", "true and false")
    if kinds == {str} and not column.is_plain_text:
        return _of_texts(column, "texts")
    if kinds == {Written} or kinds == {str}:
        return _of_written(column, has_decimal_comma)
    return Profile(column, "string", "values of several types")


def _of_texts(column: Column, evidence: str) -> Profile:
    text_profile = Profile(column, "string", evidence)
    if text_profile.format is not None:
        text_profile.evidence = f"all are {text_profile.format}"
    return text_profile


def _of_written(column: Column, has_decimal_comma: bool) -> Profile:
    """The type of values that are written as texts, numbers or not."""
    written = column.written
    few = set(column.values[:_LOOKED_AT]) - {None}
    if len(few) <= _FEW and written.distinct <= _FEW:
        values = set(column.values) - {None}
        if {value.lower() for value in values} in _TRUTHS:
            return Profile(column, "boolean", " and ".join(sorted(values)))
    if not written.all_match(_NUMBERS):
        return _of_texts_or_dressed(column, written, has_decimal_comma)
    if not all(map(_WHOLE, few)) or not written.all_match(_WHOLES):
        if all(map(_DIGITS, few)) and written.all_match(_DIGITS_ONLY):
            return _of_texts(column, "digits, more than an integer of 64 bits has")
        has_exponents = bool(written.matching(_EXPONENTS))
        return Profile(column, "number", "numbers, some with exponents" if has_exponents else "numbers", has_exponents)
    if written.all_match(_INTEGERS):
        return Profile(column, "integer", "whole numbers")
    # Integers become `1.0` where pandas had to hold missing ones beside them; without any they are numbers.
    if written.missing or written.matching(_INTEGERS):
        return Profile(column, "integer", "whole numbers, some written as 1.0")
    return Profile(column, "number", "numbers with a point")


def _of_texts_or_dressed(column: Column, written: Texts, has_decimal_comma: bool) -> Profile:
    """The type of values of which some are not written as JSON writes numbers."""
    zeros = written.matching(_LEADING_ZEROS) if column.is_plain_text else []
    if zeros:
        return _of_texts(column, f"digits with leading zeros, such as {min(zeros)}")
    others = written.not_matching(_NUMBERS)
    odd = next((value for value in others if number_text(value, has_decimal_comma) is None), None)
    if odd is None:
        evidence = f"numbers, some written as {min(others)[:24]}"
        return Profile(column, "number", evidence, False, has_decimal_comma)
    return _of_texts(column, f"not all are numbers: {odd[:30]}" if len(others) < len(written) else "texts")


# For Arrow, which looks at a hundred thousand values in the time of a few thousand in Python.
_LEADING_ZEROS = r"^[+-]?0[0-9]+$|^[+-]?0[0-9]+[^0-9.,]"
_INTEGERS = r"^-?(0|[1-9][0-9]{0,17})$"
_WHOLES = r"^-?(0|[1-9][0-9]{0,17})(\.0+)?$"
_NUMBERS = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_EXPONENTS = r"[eE]"
_DIGITS_ONLY = r"^-?[0-9]+$"
# In Python, for the first few values: most columns are told by them.
_WHOLE, _DIGITS = re.compile(_WHOLES).match, re.compile(_DIGITS_ONLY).match
_LOOKED_AT = 100
_FEW = 6
_FIRST = 1_000
