"""The rule of one field of an event: what its value must be, and what is wrong with one that is not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from fraudstream.core.contract.exact_json import NotFinite, Object, is_kept_by_double

DATE_FORMAT = "%d/%m/%Y %H:%M:%S"
DATE_PATTERN = r"^[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}$"

# A reason that both readers give.
ROUNDED_DIGITS = "more digits than a double keeps"

_DATE = re.compile(DATE_PATTERN.strip("^$"))
_SEPARATORS = re.compile("[/ :]")


def parse_date(value: str) -> datetime:
    """``dd/mm/YYYY HH:MM:SS`` → UTC; raises ``ValueError`` for a day or hour that does not exist."""
    if _DATE.fullmatch(value) is None:
        raise ValueError(f"not a date dd/mm/YYYY HH:MM:SS: {value[:60]}")
    day, month, year, hour, minute, second = map(int, _SEPARATORS.split(value))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field's value must be; ``choices`` for text, ``minimum``/``maximum`` (inclusive) for numbers."""

    name: str
    kind: Literal["int", "float", "text", "date"]
    required: bool
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[str, ...] = ()

    @property
    def spark_type(self) -> str:
        return {"int": "BIGINT", "float": "DOUBLE", "text": "STRING", "date": "STRING"}[self.kind]

    @property
    def expectation(self) -> str:
        """The rule in words, as it stands in a rejected event's reason."""
        if self.kind == "date":
            return "a date dd/mm/YYYY HH:MM:SS"
        if self.kind == "text":
            return f"one of {', '.join(self.choices)}"
        noun = "an integer" if self.kind == "int" else "a finite number"
        if self.maximum is None or self.maximum == 2**63 - 1:
            return f"{noun} of {self.minimum} or more"
        return f"{noun} from {self.minimum} to {self.maximum}"

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest value of a number."""
        return (
            -math.inf if self.minimum is None else self.minimum,
            math.inf if self.maximum is None else self.maximum,
        )

    def problem(self, value: Any, written: str = "") -> str | None:
        """What is wrong with a value that is not null; ``written`` is it as JSON, where it is known."""
        if self.kind == "int":
            good = type(value) is int and self._is_inside(value)
        elif self.kind == "float":
            if type(value) is int:
                good = self._is_inside(value)
                if good and not is_kept_by_double(value):
                    return ROUNDED_DIGITS
            elif type(value) is float:
                good = self._is_inside(value)
            else:
                good = bool(written) and not isinstance(value, str | Object | list | NotFinite | bool)
                if good and self._is_inside(float(written)):
                    return ROUNDED_DIGITS
                good = False
        elif self.kind == "date":
            good = isinstance(value, str) and _is_date(value)
        else:
            good = isinstance(value, str) and value in self.choices
        return None if good else f"expected {self.expectation}"

    def _is_inside(self, value: float) -> bool:
        least, most = self.range
        return least <= value <= most


def _is_date(value: str) -> bool:
    try:
        parse_date(value)
    except ValueError:
        return False
    return True
