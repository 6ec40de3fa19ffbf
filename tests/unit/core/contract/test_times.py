"""How an event's time is read: every form, its bounds, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fraudstream.core.contract.times import EPOCH, ISO, UNITS, TimeForm

DAY_FIRST = "%d/%m/%Y %H:%M:%S"


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        (ISO, "2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        (ISO, "2024-02-29T23:59", datetime(2024, 2, 29, 23, 59, tzinfo=UTC)),
        (ISO, "2024-02-29 23:59:58", datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)),
        (ISO, "2024-02-29T23:59:58.1234567Z", datetime(2024, 2, 29, 23, 59, 58, 123_456, tzinfo=UTC)),
        (ISO, "2024-02-29t23:59:58,5z", datetime(2024, 2, 29, 23, 59, 58, 500_000, tzinfo=UTC)),
        # An offset is what it says, on days on which clocks change as well.
        (ISO, "2026-03-29T02:30:00+01:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (ISO, "2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (ISO, "2026-01-01T00:00:00+0545", datetime(2025, 12, 31, 18, 15, tzinfo=UTC)),
        (ISO, "2025-12-31T23:30:00-01", datetime(2026, 1, 1, 0, 30, tzinfo=UTC)),
        (DAY_FIRST, "29/02/2024 00:00:00", datetime(2024, 2, 29, tzinfo=UTC)),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:05 am", datetime(2025, 12, 31, 0, 5, tzinfo=UTC)),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 12:05 PM", datetime(2025, 12, 31, 12, 5, tzinfo=UTC)),
        # POSIX: 69 to 99 are of the 20th century.
        ("%y%m%d%H%M%S", "690101000000", datetime(1969, 1, 1, tzinfo=UTC)),
        ("%y%m%d%H%M%S", "681231000000", datetime(2068, 12, 31, tzinfo=UTC)),
        ("%d-%b-%Y", "01-SEP-2025", datetime(2025, 9, 1, tzinfo=UTC)),
        ("%Y-%m-%d %H:%M:%S.%f%z", "2025-01-01 00:00:00.25-0330", datetime(2025, 1, 1, 3, 30, 0, 250_000, tzinfo=UTC)),
        ("%Y%m%d%%", "20250101%", datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_text_is_read_in_its_form(form: str, text: str, moment: datetime) -> None:
    assert TimeForm(form).parse(text) == moment


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (ISO, "2023-02-29"),
        (ISO, "2100-02-29"),
        (ISO, "2024-2-9"),
        (ISO, "0000-01-01"),
        (ISO, "2024-01-01T24:00:00"),
        (ISO, "2024-01-01T10:00:60"),
        (ISO, "2024-01-01T10"),
        (ISO, "2024-01-01T10:00+24:00"),
        (ISO, "2024-01-01\n"),
        (ISO, "٢٠٢٤-01-01"),
        (ISO, "0001-01-01T00:00:00+01:00"),
        (ISO, "9999-12-31T23:59:59-01:00"),
        (ISO, 1_700_000_000),
        (DAY_FIRST, "31/04/2026 10:00:00"),
        (DAY_FIRST, "1/4/2026 10:00:00"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 13:05 PM"),
        ("%m/%d/%Y %I:%M %p", "12/31/2025 00:05 AM"),
        ("%d-%b-%Y", "01-SPT-2025"),
        (EPOCH, "1700000000"),
        (EPOCH, True),
        (EPOCH, None),
        (EPOCH, 253_402_300_800),
        (EPOCH, -62_135_596_801),
        (EPOCH, 1e300),
        (EPOCH, float("nan")),
        (EPOCH, float("inf")),
    ],
)
def test_what_is_no_time_of_the_form_is_refused(form: str, text: Any) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        TimeForm(form).parse(text)


@pytest.mark.parametrize(
    ("unit", "number", "moment"),
    [
        ("s", 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("s", -1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("s", 253_402_300_799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("s", 1_700_000_000.5, datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
        ("ms", 1_700_000_000_123, datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)),
        ("us", 1_700_000_000_123_456, datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=UTC)),
        ("us", -0.5, datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("min", 1.5, datetime(1970, 1, 1, 0, 1, 30, tzinfo=UTC)),
        ("h", 743, datetime(1970, 1, 31, 23, tzinfo=UTC)),
        ("d", 19_782, datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_number_counts_units_since_the_origin(unit: str, number: float, moment: datetime) -> None:
    assert TimeForm(EPOCH, unit).parse(number) == moment
    moved = TimeForm(EPOCH, unit, datetime(1970, 1, 2, 1, tzinfo=timezone(timedelta(hours=1))))
    if moment.year < 9999:
        assert moved.parse(number) == moment + timedelta(days=1)


def test_no_digit_is_lost_before_the_floor() -> None:
    from decimal import Decimal

    just_below = Decimal("1.999999999999999999999999999999999")
    assert TimeForm(EPOCH, "us").parse(just_below) == datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)


@pytest.mark.parametrize(
    "form",
    [TimeForm(form) for form in (ISO, DAY_FIRST, "%y%m%d%H%M%S", "%d %b %Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S%z")]
    + [TimeForm(EPOCH, unit, datetime(2020, 1, 1, tzinfo=UTC)) for unit in UNITS],
    ids=lambda form: f"{form.form} {form.unit}",
)
def test_what_is_written_is_read_as_the_same_moment(form: TimeForm) -> None:
    moment = datetime(2024, 2, 29, 21, 4, 5, tzinfo=timezone(timedelta(hours=-3)))
    assert form.parse(form.write(moment)) == moment


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("%Y-%m", "lacks a year, a month or a day"),
        ("%H:%M:%S", "lacks a year"),
        ("%Y-%m-%d %I:%M", "without %p"),
        ("%Y-%m-%d %j", "%j of .* is none of"),
        ("%Y-%m-%d %", "% of .* is none of"),
        ("%Y-%m-%d %d", "%d stands twice"),
    ],
)
def test_a_form_that_names_no_day_is_refused(form: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        TimeForm(form)
