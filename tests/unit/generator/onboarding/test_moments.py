"""Which column is the event's time, and how it is written, decided by the data."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fraudstream.core.contract.times import EPOCH_START
from fraudstream.generator.onboarding.moments import TimeGuess, time_guess, time_guesses
from fraudstream.generator.onboarding.profile import Profile, profile
from fraudstream.generator.onboarding.sampling import Column

TODAY = datetime(2026, 11, 30, 9, tzinfo=UTC)


def column(name: str, *cells: str) -> Profile:
    return profile(Column(name, (name,), name, list(cells), is_plain_text=True))


def guessed(name: str, *cells: str) -> TimeGuess:
    guess = time_guess(column(name, *cells), TODAY)
    assert guess is not None
    return guess


@pytest.mark.parametrize(
    ("name", "cells", "form"),
    [
        ("at", ("2026-01-05 08:00:00", "2026-01-05T08:00:00.5+01:00"), "iso8601"),
        ("date", ("2026-01-05", "2026-01-06"), "iso8601"),
        ("date", ("15/01/2026 13:45", "16/01/2026 09:00"), "%d/%m/%Y %H:%M"),
        ("date", ("01/15/2026 1:45 PM", "01/16/2026 12:00 AM"), "%m/%d/%Y %I:%M %p"),
        ("date", ("1/5/2026 3:04:05", "12/31/2026 13:04:05"), "%m/%d/%Y %H:%M:%S"),
        ("date", ("15.01.2026", "01.02.2026"), "%d.%m.%Y"),
        ("date", ("05-Jan-2026 10:00:00", "06-Feb-2026 10:00:00"), "%d-%b-%Y %H:%M:%S"),
        ("tx_date", ("20260105", "20260106"), "%Y%m%d"),
        ("timestamp", ("20260105103000", "20260106103000"), "%Y%m%d%H%M%S"),
    ],
)
def test_a_text_is_read_in_the_form_that_fits_all(name: str, cells: tuple[str, ...], form: str) -> None:
    assert guessed(name, *cells).form.form == form


def test_the_order_of_the_rows_tells_days_from_months() -> None:
    assert guessed("date", "01/02/2026", "02/02/2026", "01/03/2026").form.form == "%d/%m/%Y"
    assert guessed("date", "02/01/2026", "02/02/2026", "03/01/2026").form.form == "%m/%d/%Y"
    assert "CHECK" in guessed("date", "05/05/2026", "06/06/2026").evidence


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        (("1767602546", "1767602547.5"), "s"),
        (("1767602546000", "1767602547000"), "ms"),
        (("1767602546000000", "1767602547000000"), "us"),
        (("-86400", "3600"), "s"),
    ],
)
def test_the_size_of_numbers_tells_their_unit(cells: tuple[str, ...], unit: str) -> None:
    form = guessed("unix_time", *cells).form
    assert (form.unit, form.origin) == (unit, EPOCH_START)


@pytest.mark.parametrize(("name", "unit"), [("step", "h"), ("TransactionDT", "s"), ("Time", "s"), ("day", "d")])
def test_numbers_from_an_unknown_moment_end_at_the_last_midnight(name: str, unit: str) -> None:
    form = guessed(name, "1", "2", "2", "40").form
    assert form.unit == unit
    assert form.parse(40) == datetime(2026, 11, 30, tzinfo=UTC)


def test_what_is_no_time_of_the_transaction_is_not_taken() -> None:
    assert time_guess(column("dob", "1990-01-05", "1980-03-06"), TODAY) is None
    assert time_guess(column("cc_num", "1767602546", "1767602547"), TODAY) is None
    assert time_guess(column("amount", "1", "2", "3"), TODAY) is None
    assert time_guess(column("time", "5", "1", "4", "2"), TODAY) is None
    # A date with its time is better than a number, and both are better than a day.
    names = ("day_of_order", "2026-01-05"), ("unix_time", "1767602546"), ("made", "2026-01-05 08:00:00")
    ranked = time_guesses([column(name, cell) for name, cell in names], TODAY)
    assert ranked[0].name == "made"
