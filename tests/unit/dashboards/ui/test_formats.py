from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fraudstream.dashboards.ui.address import Address
from fraudstream.dashboards.ui.formats import NBSP, NOTHING, formats, preferred

MOMENT = datetime(2026, 11, 24, 15, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "count", "money", "percent", "date"),
    [
        ("en-US", "1,234,567", "1,234.50", "12.3%", "11/24/2026"),
        ("en-GB", "1,234,567", "1,234.50", "12.3%", "24/11/2026"),
        ("de-DE", "1.234.567", "1.234,50", f"12,3{NBSP}%", "24.11.2026"),
        ("fr", "1\u202f234\u202f567", "1\u202f234,50", "12,3\u202f%", "24/11/2026"),
        ("tr", "1.234.567", "1.234,50", "%12,3", "24.11.2026"),
        ("sv", f"1{NBSP}234{NBSP}567", f"1{NBSP}234,50", f"12,3{NBSP}%", "2026-11-24"),
    ],
)
def test_numbers_and_dates_follow_the_locale(locale: str, count: str, money: str, percent: str, date: str) -> None:
    forms = formats(locale)
    assert forms.count(1_234_567) == count
    assert forms.money(1234.5) == money
    # Locales differ in which narrow space they put before the sign.
    assert forms.percent(0.123).replace("\u202f", NBSP) == percent.replace("\u202f", NBSP)
    assert forms.date(MOMENT) == date


def test_times_are_utc_in_the_locales_own_hours() -> None:
    assert formats("de").clock(MOMENT) == "15:04:05 UTC"
    assert formats("en-US").clock(MOMENT) == "3:04:05\u202fPM UTC"
    assert formats("en-US").minute(MOMENT.replace(hour=0)) == "12:04\u202fAM"
    assert formats("de").moment(MOMENT) == "24.11.2026 15:04:05,678 UTC"


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de_CH"),
        ("fr;q=0.5", "fr"),
        ("en;q=0.5,de;q=0.9", "de"),
        ("xx,fr;q=0.3", "fr"),
        ("fr;q=0,es", "es"),
        ("", "en"),
        ("*", "en"),
        ("xx-YY", "en"),
        ("../../etc/passwd", "en"),
        ("x" * 5_000, "en"),
    ],
)
def test_the_browser_says_which_locale(header: str, locale: str) -> None:
    assert preferred(header).locale == locale


def test_durations_and_differences_carry_their_unit() -> None:
    forms = formats("en")
    assert forms.milliseconds(842.4) == f"842{NBSP}ms"
    assert forms.milliseconds(12_340) == f"12.34{NBSP}s"
    assert forms.points(-0.0123) == f"−1.23{NBSP}pp"
    assert forms.points(0.01) == f"+1.00{NBSP}pp"
    assert {forms.milliseconds(None), forms.percent(None), forms.money(None), forms.points(None)} == {NOTHING}


def test_an_address_holds_only_what_is_offered() -> None:
    address = Address("?range=1h&month=1,99,3&id=%3Cscript%3E&long=" + "x" * 9_000)
    assert address.one("range", ("5m", "1h"), "5m") == "1h"
    assert address.one("range", ("5m",), "5m") == "5m"
    assert address.many("month", ("1", "3")) == ["1", "3"]
    assert address.many("nothing") == []
    assert address.text("id") == "<script>"
    assert len(address.text("long")) == 200
    assert Address(None).text("id") == ""
