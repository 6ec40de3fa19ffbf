"""Numbers and dates as the browser's locale writes them; words stay English.

Babel knows each locale's signs. They are looked up once, because a page writes hundreds of numbers a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time, get_time_format
from babel.numbers import format_percent, get_decimal_symbol, get_group_symbol
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

NOTHING = "–"
# The text for a sum that a double cannot hold: amounts of 1e308 and more.
BEYOND = "beyond what can be summed"
# A number from here on is written with an exponent, because its digits would fill a line.
_MOST_DIGITS = 1e15
NBSP = "\u00a0"
_FALLBACK = "en"
_MOST_TAG = 12
_MOST_HEADER = 200


@dataclass(frozen=True, slots=True)
class Formats:
    """How one locale writes numbers and times. Times are written in UTC."""

    locale: str
    decimal: str = field(repr=False)
    group: str = field(repr=False)
    percent_before: str = field(repr=False)
    percent_after: str = field(repr=False)

    @property
    def separators(self) -> str:
        """Decimal and grouping sign, in the form of Plotly's ``layout.separators``."""
        return self.decimal + self.group

    def decimals(self, number: float, digits: int) -> str:
        """A number with this many decimals, from 10^15 on with an exponent; ``–`` for one that is not finite."""
        if not math.isfinite(number):
            return NOTHING
        text = f"{number:,.{digits}f}" if abs(number) < _MOST_DIGITS else f"{number:.3e}"
        if self.separators == ".,":
            return text
        return text.translate({ord(","): self.group, ord("."): self.decimal})

    def count(self, number: float) -> str:
        """A whole number."""
        return self.decimals(number, 0)

    def money(self, number: float | None) -> str:
        """An amount in the accounts' currency, two decimals."""
        return NOTHING if number is None else self.decimals(number, 2)

    def percent(self, rate: float | None, digits: int = 1) -> str:
        """A proportion (0–1) as a percentage."""
        if rate is None or not math.isfinite(rate):
            return NOTHING
        return f"{self.percent_before}{self.decimals(100 * rate, digits)}{self.percent_after}"

    def points(self, difference: float | None, digits: int = 2) -> str:
        """A difference of proportions in percentage points, signed."""
        if difference is None or not math.isfinite(difference):
            return NOTHING
        sign = "+" if difference >= 0 else "−"
        return f"{sign}{self.decimals(abs(100 * difference), digits)}{NBSP}pp"

    def milliseconds(self, number: float | None) -> str:
        """A duration with its unit: milliseconds below a second, else seconds."""
        if number is None or not math.isfinite(number):
            return NOTHING
        if number < 1000:
            return f"{self.count(number)}{NBSP}ms"
        return f"{self.decimals(number / 1000, 2)}{NBSP}s"

    def time(self, moment: datetime) -> str:
        """The time of day to the second, UTC, in the locale's own hours."""
        return _in_hours(moment.astimezone(UTC), "medium", self.locale)

    def clock(self, moment: datetime) -> str:
        """The time of day with its zone."""
        return f"{self.time(moment)} UTC"

    def minute(self, moment: datetime) -> str:
        """Hours and minutes, UTC."""
        return _in_hours(moment.astimezone(UTC), "short", self.locale)

    def date(self, moment: datetime) -> str:
        """Day, month and year in figures."""
        return format_skeleton("yMd", moment.astimezone(UTC), locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Date and time to the millisecond, with the zone."""
        utc = moment.astimezone(UTC)
        fraction = f"{self.decimal}{utc.microsecond // 1000:03d}"
        return f"{self.date(utc)} {utc:%H:%M:%S}{fraction} UTC"


def _in_hours(moment: datetime, length: Literal["short", "medium"], locale: str) -> str:
    # Babel takes some 50 µs for one time, and a table has a hundred: the common patterns are written without it.
    pattern = _hours_of(locale, length)
    if pattern in ("HH:mm:ss", "HH:mm"):
        return f"{moment:%H:%M:%S}" if length == "medium" else f"{moment:%H:%M}"
    if locale in ("en", "en_US"):
        half = "AM" if moment.hour < 12 else "PM"
        minutes = f"{moment:%M:%S}" if length == "medium" else f"{moment:%M}"
        return f"{moment.hour % 12 or 12}:{minutes}\u202f{half}"
    return format_time(moment, length, locale=locale)


@cache
def _hours_of(locale: str, length: Literal["short", "medium"]) -> str:
    return str(get_time_format(length, locale=locale).pattern)


@lru_cache(maxsize=256)
def formats(locale: str = _FALLBACK) -> Formats:
    """The formats of a locale such as ``de-CH``; English if Babel does not know it."""
    parsed = _locale(locale) or Locale.parse(_FALLBACK)
    before, _, after = format_percent(0.5, "#,##0%", locale=parsed).partition("50")
    own = format_percent(0.5, locale=parsed)
    # A locale without Latin digits has no "50" to split at: its signs come from the plain pattern above.
    if "50" in own:
        before, _, after = own.partition("50")
    return Formats(str(parsed), get_decimal_symbol(parsed), get_group_symbol(parsed), before, after)


def preferred(accept_language: str) -> Formats:
    """The formats of the language that a request's header ``Accept-Language`` prefers among those that Babel knows."""
    return _preferred(accept_language[:_MOST_HEADER])


# The header is cut by now: it comes from a stranger and is kept as a key. No real one is longer.
@lru_cache(maxsize=256)
def _preferred(header: str) -> Formats:
    languages = parse_accept_header(header, LanguageAccept)
    tags = (tag for tag, quality in languages if quality > 0 and len(tag) <= _MOST_TAG)
    return next((formats(tag) for tag in tags if _locale(tag) is not None), formats())


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
