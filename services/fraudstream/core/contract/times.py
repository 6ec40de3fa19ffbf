"""How an event's time is written: ISO 8601, a number since an origin, or a form of strptime; read as UTC.

The reader in Java (``Times.java``) is given :meth:`TimeForm.described` and reads the same texts and numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from functools import cached_property
from typing import Any

ISO = "iso8601"
EPOCH = "epoch"
EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)

# Microseconds of each unit in which a number since the origin may count.
UNITS: dict[str, int] = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# What strptime's directives match here: digits of a fixed width, so that no text can be read in two ways.
_TWO_DIGITS = frozenset("ymdHIMS")
_PARTS = {"Y": "[0-9]{4}", "f": "[0-9]{1,9}", "b": "[A-Za-z]{3}", "p": "[AaPp][Mm]"} | {
    "z": "Z|[+-][0-9]{2}:?[0-9]{2}",
    **dict.fromkeys(_TWO_DIGITS, "[0-9]{2}"),
}
DIRECTIVES = {name: f"(?P<{name}>{_PARTS[name]})" for name in "YymdHIMSfbpz"} | {"%": "%"}
_ISO_PATTERN = (
    "(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
    "(?:[Tt ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    " ?(?P<z>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# The years that datetimes, documents and Spark have in common.
_LEAST_MICROS = (datetime.min.replace(tzinfo=UTC) - EPOCH_START) // timedelta(microseconds=1)
_MOST_MICROS = (datetime.max.replace(tzinfo=UTC) - EPOCH_START) // timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeForm:
    """``form`` is :data:`ISO`, :data:`EPOCH` or a form of strptime; ``unit`` and ``origin`` are an epoch's.

    Raises ``ValueError`` for a form with a directive that is not supported, or without a year, month or day.
    """

    form: str
    unit: str = "s"
    origin: datetime = EPOCH_START

    def __post_init__(self) -> None:
        if self.form != EPOCH:
            groups = self._compiled.groupindex.keys()
            if not ({"m", "d"} <= groups or {"b", "d"} <= groups) or not {"Y", "y"} & groups:
                raise ValueError(f"{self.form!r} lacks a year, a month or a day")
            if "I" in groups and "p" not in groups:
                raise ValueError(f"{self.form!r} has hours of 12 without %p")

    @property
    def is_number(self) -> bool:
        """Whether the time is written as a number."""
        return self.form == EPOCH

    @cached_property
    def pattern(self) -> str:
        """The regular expression of the texts, with a group for each part, in the syntax that Java has as well."""
        if self.form == ISO:
            return _ISO_PATTERN
        parts, rest = [], self.form
        while rest:
            if rest[0] == "%":
                directive = rest[1:2]
                if directive not in DIRECTIVES:
                    known = " ".join(f"%{name}" for name in DIRECTIVES)
                    raise ValueError(f"%{directive} of {self.form!r} is none of {known}")
                parts.append(DIRECTIVES[directive])
                rest = rest[2:]
            else:
                parts.append(re.escape(rest[0]))
                rest = rest[1:]
        text = "".join(parts)
        for name in DIRECTIVES:
            if text.count(f"(?P<{name}>") > 1:
                raise ValueError(f"%{name} stands twice in {self.form!r}")
        return text

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def expectation(self) -> str:
        """The form in words, as it stands in a rejected event's reason."""
        if self.form == ISO:
            return "a time of ISO 8601"
        if self.form == EPOCH:
            since = "1970" if self.origin == EPOCH_START else self.origin.isoformat()
            return f"a time in {self.unit} since {since}"
        return f"a date {_in_letters(self.form)}"

    def parse(self, value: Any) -> datetime:
        """The moment, UTC. Raises ``ValueError`` for a value of another form, or a moment that does not exist."""
        if self.form == EPOCH:
            return EPOCH_START + timedelta(microseconds=self._micros(value))
        if not isinstance(value, str) or (match := self._compiled.fullmatch(value)) is None:
            raise ValueError(f"not {self.expectation}: {str(value)[:60]}")
        return _moment(match.groupdict())

    def _micros(self, value: Any) -> int:
        if isinstance(value, bool | str):
            raise ValueError(f"not {self.expectation}: {str(value)[:60]}")
        text, micros = str(value), None
        try:
            units = Decimal(text)
            if units.is_finite() and (not units or abs(units.adjusted()) < _MOST_DIGITS):
                # No digit may be lost before the floor.
                exact = Context(prec=len(text) + _MOST_DIGITS).multiply(units, Decimal(UNITS[self.unit]))
                micros = int(exact.to_integral_value(ROUND_FLOOR))
        except InvalidOperation:
            pass
        if micros is not None:
            micros += (self.origin - EPOCH_START) // timedelta(microseconds=1)
        if micros is None or not _LEAST_MICROS <= micros <= _MOST_MICROS:
            raise ValueError(f"not {self.expectation} from year 1 to 9999: {str(value)[:60]}")
        return micros

    def write(self, moment: datetime) -> str | int | float:
        """A moment (timezone-aware) in this form; what the form has no place for is cut off."""
        if self.form == ISO:
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if self.form == EPOCH:
            micros, unit = (moment - self.origin) // timedelta(microseconds=1), UNITS[self.unit]
            return micros // unit if micros % unit == 0 else micros / unit
        return moment.astimezone(UTC).strftime(self.form.replace("%z", "+0000"))

    def described(self) -> dict[str, Any]:
        """The form as the reader in Java takes it."""
        return {
            "pattern": None if self.is_number else self.pattern.replace("(?P<", "(?<"),
            "unit_micros": UNITS[self.unit],
            "origin_micros": (self.origin - EPOCH_START) // timedelta(microseconds=1),
            "is_day_first": self.form == "%d/%m/%Y %H:%M:%S",
        }


# More digits before or behind the point than any moment has.
_MOST_DIGITS = 40


def _in_letters(form: str) -> str:
    """``%d/%m/%Y`` as ``dd/mm/YYYY``."""
    letters = {"d": "dd", "m": "mm", "Y": "YYYY", "y": "YY", "H": "HH", "I": "hh", "M": "MM", "S": "SS", "f": "f"}
    return re.sub("%(.)", lambda match: letters.get(match[1], match[0] if match[1] != "%" else "%"), form)


def _moment(parts: dict[str, str | None]) -> datetime:
    def number(name: str, default: int = 0) -> int:
        text = parts.get(name)
        return default if text is None else int(text)

    year = number("Y") if parts.get("Y") is not None else _century(number("y"))
    month = number("m")
    if (name := parts.get("b")) is not None:
        if name.lower() not in _MONTHS:
            raise ValueError(f"{name} is no month")
        month = _MONTHS.index(name.lower()) + 1
    hour = number("H")
    if parts.get("I") is not None:
        if not 1 <= number("I") <= 12:  # a clock's hours
            raise ValueError(f"{parts['I']} is no hour of 12")
        hour = number("I") % 12 + (12 if (parts["p"] or "").lower() == "pm" else 0)
    micros = int(f"{parts.get('f') or ''}000000"[:6])
    moment = datetime(year, month, number("d"), hour, number("M"), number("S"), micros, _zone(parts.get("z")))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment before year 1 or behind 9999") from None


def _century(year: int) -> int:
    """POSIX's rule for years of two digits: 69 to 99 are of the 20th century."""
    return year + (1900 if year >= 69 else 2000)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:  # as datetime has them
        raise ValueError(f"{text} is no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
