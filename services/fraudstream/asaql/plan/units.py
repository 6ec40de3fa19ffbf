"""Units of time: their spellings, and their lengths in ticks of 100 ns."""

from __future__ import annotations

MICROSECOND = 10
SECOND = 1_000_000 * MICROSECOND
DAY = 86_400 * SECOND
LONGEST = 7 * DAY

TICKS = {
    "microsecond": MICROSECOND,
    "millisecond": 1_000 * MICROSECOND,
    "second": SECOND,
    "minute": 60 * SECOND,
    "hour": 3_600 * SECOND,
    "day": DAY,
}
_SPELLINGS = {
    "microsecond": ("microsecond", "microseconds", "mcs"),
    "millisecond": ("millisecond", "milliseconds", "ms"),
    "second": ("second", "seconds", "ss", "s"),
    "minute": ("minute", "minutes", "mi", "n"),
    "hour": ("hour", "hours", "hh"),
    "day": ("day", "days", "dd", "d"),
    "week": ("week", "weeks", "wk", "ww"),
    "weekday": ("weekday", "weekdays", "dw", "w"),
    "dayofyear": ("dayofyear", "dy", "y"),
    "month": ("month", "months", "mm", "m"),
    "quarter": ("quarter", "quarters", "qq", "q"),
    "year": ("year", "years", "yy", "yyyy"),
}
_PARTS = {spelling: part for part, spellings in _SPELLINGS.items() for spelling in spellings}


def date_part(spelling: str) -> str | None:
    """The date part that a spelling in any case means (`mi` → `minute`), None if it means none."""
    return _PARTS.get(spelling.lower())


def unit(spelling: str) -> str | None:
    """The unit of windows and limits that a spelling means: a date part of fixed length, up to a day."""
    part = date_part(spelling)
    return part if part in TICKS else None


def told_ticks(ticks: int) -> str:
    """A length of time as people read it: `90000000 ticks` → `9 s`."""
    for name, short in (("day", "d"), ("hour", "h"), ("minute", "min"), ("second", "s"), ("millisecond", "ms")):
        if ticks and ticks % TICKS[name] == 0:
            return f"{ticks // TICKS[name]} {short}"
    return f"{ticks / MICROSECOND:g} µs" if ticks else "0 s"
