"""Which column is the event's time, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice, pairwise
from typing import Any

import numpy as np

from fraudstream.core.contract.times import EPOCH, EPOCH_START, ISO, UNITS, TimeForm
from fraudstream.generator.files.cells import padded
from fraudstream.generator.onboarding.profile import Profile, word_set

_TIME_WORDS = word_set(
    "time date datetime timestamp ts dt unix epoch at when moment datum zeit step day hour second seconds sec "
    "elapsed created t"
)
_OWN_WORDS = word_set("transaction trans tx txn event payment received created purchase order")
# Times of something else than the transaction.
_OTHER_WORDS = word_set(
    "birth dob born birthday expiry exp expiration expires opened open since until settled settlement last "
    "previous updated end first signup registered join joined"
)
# Numbers that count from an unknown moment: what a word of their name says that they count.
_UNITS_BY_WORD = {"step": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "minute": "min", "ms": "ms"}
_RELATIVE_WORDS = word_set("step time dt seconds second sec elapsed t") | _UNITS_BY_WORD.keys()

_DATES = (
    *("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%b{0}%Y", "%b{0}%d{0}%Y"),
    *("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d", "%d{0}%b{0}%y"),
)
_SEPARATORS = "/-. "
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%H.%M.%S")
_ZONES = ("", "%z", " %z")
_COMPACT = ("%Y%m%d%H%M%S", "%Y%m%d", "%Y%m%d %H%M%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%b %d, %Y %H:%M:%S")
# Digits and what stands between them, or a month's name first; no sentence of a merchant's name.
_MAY_BE_DATE = re.compile(r"(?=(?:[^0-9]*[0-9]){4})(?:[0-9]|[A-Z][a-z]{2} )[0-9A-Za-z/.,: +-]{5,40}$").match
_MOST_PARSED = 4_000
_MOST_MISSING = 0.01
# Since 1973, until 2096, in seconds.
_EPOCHS = {"s": (1e8, 4e9), "ms": (1e11, 4e12), "us": (1e14, 4e15)}
# Days since 1899-12-30, with which Excel counts, of 1990 to 2050.
_EXCEL = (32_874, 54_789)
_EXCEL_ORIGIN = datetime(1899, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeGuess:
    """A column of times with its form; ``rank`` tells better from worse ones, and ``is_text`` how it is written."""

    profile: Profile
    form: TimeForm
    rank: float
    evidence: str

    @property
    def name(self) -> str:
        return self.profile.name


def time_guesses(profiles: Iterable[Profile], today: datetime) -> list[TimeGuess]:
    """The columns that may be the event's time, the best one first."""
    guesses = [guess for guess in (time_guess(profile, today) for profile in profiles) if guess is not None]
    return sorted(guesses, key=lambda guess: -guess.rank)


def time_guess(profile: Profile, today: datetime, is_named: bool = False) -> TimeGuess | None:
    """How a column writes times; None where it holds none. ``is_named``: somebody says that it does."""
    names = frozenset(profile.words)
    if not is_named and (profile.missing_share > _MOST_MISSING or names & _OTHER_WORDS):
        return None
    bonus = 20.0 * bool(names & _TIME_WORDS) + 15.0 * bool(names & _OWN_WORDS)
    if profile.type == "string" or _is_compact(profile):
        guess = _of_text(profile, bonus)
        if guess is not None or profile.type == "string":
            return guess
    if not profile.is_numeric or not (is_named or names & _TIME_WORDS):
        return None
    return _of_numbers(profile, bonus, today, is_named)


def _is_compact(profile: Profile) -> bool:
    """Whether whole numbers may be dates such as 20261130."""
    return (
        profile.type == "integer"
        and bool(_TIME_WORDS & frozenset(profile.words))
        and all(len(str(value)) in (8, 14) and str(value)[:2] in ("19", "20") for value in islice(profile.counts, 50))
    )


def _of_text(profile: Profile, bonus: float) -> TimeGuess | None:
    values = [str(value).strip() for value in _spread(list(profile.counts), _MOST_PARSED)]
    forms = [form for form in _forms(values[0]) if _parse_all(form, values)]
    if not forms:
        return None
    ranked = sorted(forms, key=lambda form: _steps_back(form, profile.column.values))
    form = ranked[0]
    # A form with a time of the day is worth more than a date alone.
    has_clock = any("H" in part or "I" in part for part in (form.form,)) or (form.form == ISO and len(values[0]) > 10)
    described = "ISO 8601" if form.form == ISO else form.form
    evidence = f"{len(values):,} different values read as {described}, such as {values[0]}"
    if len(forms) > 1:
        others = ", ".join(other.form for other in ranked[1:3])
        evidence += (
            f"; also as {others}, which put the rows less in order"
            if _differ(ranked, profile)
            else (f"; also as {others}: CHECK the order of day and month")
        )
    return TimeGuess(profile, form, (100 if has_clock else 50) + bonus, evidence)


def _differ(ranked: Sequence[TimeForm], profile: Profile) -> bool:
    first, second = (_steps_back(form, profile.column.values) for form in ranked[:2])
    return first < second


def _forms(value: str) -> Iterator[TimeForm]:
    """The forms in which a value can be read."""
    if _parses(TimeForm(ISO), value):
        yield TimeForm(ISO)
        return
    if _MAY_BE_DATE(value):
        yield from (form for form in map(_form, _written_forms(value)) if _parses(form, value))


@cache
def _form(written: str) -> TimeForm:
    """Its pattern is compiled once for all columns."""
    return TimeForm(written)


def _written_forms(value: str) -> Iterator[str]:
    yield from _COMPACT
    separators = [separator for separator in _SEPARATORS if separator in value]
    dates = dict.fromkeys(date.format(separator) for date in _DATES for separator in separators)
    for date in (*dates, "%b %d, %Y", "%d %b, %Y"):
        yield date
        if ":" not in value and not re.search(r"\d\.\d\d\.\d\d$", value):
            continue
        for clock in _CLOCKS:
            for between in (" ", "T", ", "):
                yield from (f"{date}{between}{clock}{zone}" for zone in _ZONES)


def _parses(form: TimeForm, value: str) -> bool:
    try:
        form.parse(value if form.form == ISO else padded(value))
    except ValueError:
        return False
    return True


def _parse_all(form: TimeForm, values: Iterable[str]) -> bool:
    return all(_parses(form, value) for value in values)


def _steps_back(form: TimeForm, values: Sequence[Any]) -> int:
    """How often a row is earlier than the row before it: of two forms the right one has less of that."""
    moments = [
        form.parse(value if form.form == ISO else padded(value))
        for value in (str(value).strip() for value in _spread(values, _MOST_PARSED) if value is not None)
        if _parses(form, value)
    ]
    return sum(after < before for before, after in pairwise(moments))


def _spread(values: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the values, evenly from all."""
    if len(values) <= most:
        return list(values)
    return [values[at * len(values) // most] for at in range(most)]


def _of_numbers(profile: Profile, bonus: float, today: datetime, is_named: bool) -> TimeGuess | None:
    numbers = profile.numbers[~np.isnan(profile.numbers)]
    middle = float(np.median(np.abs(numbers)))
    for unit, (least, most) in _EPOCHS.items():
        if least <= middle <= most:
            form = TimeForm(EPOCH, unit)
            moment = form.parse(Decimal(str(float(numbers[-1]))))
            evidence = f"numbers of the size of {unit} since 1970; the last one is {moment:%Y-%m-%d %H:%M}"
            return TimeGuess(profile, form, 75 + bonus, evidence)
    names = frozenset(profile.words)
    if "date" in names and _EXCEL[0] <= numbers.min() and numbers.max() <= _EXCEL[1]:
        form = TimeForm(EPOCH, "d", _EXCEL_ORIGIN)
        return TimeGuess(profile, form, 60 + bonus, "numbers of the size of Excel's days since 1899-12-30")
    if numbers.min() < 0 and (names & {"unix", "epoch", "timestamp"}):
        return TimeGuess(profile, TimeForm(EPOCH, "s"), 60 + bonus, "numbers around 1970 in seconds, some before it")
    if not (is_named or names & _RELATIVE_WORDS) or numbers.min() < 0:
        return None
    share_in_order = float(np.mean(np.diff(numbers) >= 0)) if len(numbers) > 1 else 1.0
    if share_in_order < 0.95 and not is_named:
        return None
    unit = next((_UNITS_BY_WORD[word] for word in profile.words if word in _UNITS_BY_WORD), "s")
    origin = _origin(float(numbers.max()), unit, today)
    evidence = (
        f"numbers from {numbers.min():g} to {numbers.max():g}, {share_in_order:.0%} of them not below the one before: "
        f"{unit} since an unknown moment, put so that the last row lies at the last midnight"
    )
    return TimeGuess(profile, TimeForm(EPOCH, unit, origin), 40 + bonus, evidence)


def _origin(most: float, unit: str, today: datetime) -> datetime:
    """From when a file counts whose last row is to lie at the last midnight, to the second."""
    last = last_midnight(today)
    return EPOCH_START + timedelta(seconds=int((last - EPOCH_START).total_seconds() - most * UNITS[unit] / 1e6))


def last_midnight(today: datetime) -> datetime:
    """The last midnight, UTC."""
    return today.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def is_in_order(profile: Profile) -> bool:
    """Whether a column of numbers never decreases and hardly repeats a value: it counts the rows, or their time."""
    numbers = profile.numbers
    return not np.isnan(numbers).any() and len(numbers) > 2 and bool((np.diff(numbers) >= 0).all())
