"""Units of time."""

from __future__ import annotations

import pytest

from fraudstream.asaql.plan.units import TICKS, date_part, told_ticks, unit

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("spellings", "part"),
    [
        ("year yy yyyy YEARS", "year"),
        ("quarter qq q", "quarter"),
        ("month mm m", "month"),
        ("dayofyear dy y", "dayofyear"),
        ("day dd d days", "day"),
        ("week wk ww", "week"),
        ("weekday dw w", "weekday"),
        ("hour hh Hours", "hour"),
        ("minute mi n", "minute"),
        ("second ss s", "second"),
        ("millisecond ms", "millisecond"),
        ("microsecond mcs", "microsecond"),
    ],
)
def test_each_part_has_its_spellings(spellings: str, part: str) -> None:
    assert {date_part(spelling) for spelling in spellings.split()} == {part}


def test_windows_have_units_of_fixed_length() -> None:
    assert [unit(name) for name in ("d", "HH", "month", "week", "nonsense")] == ["day", "hour", None, None, None]
    assert TICKS["second"] == 10_000_000
    assert TICKS["day"] == 86_400 * TICKS["second"]


@pytest.mark.parametrize(
    ("ticks", "text"), [(0, "0 s"), (10, "1 µs"), (15, "1.5 µs"), (90_000_000, "9 s"), (36_000_000_000, "1 h")]
)
def test_lengths_read_well(ticks: int, text: str) -> None:
    assert told_ticks(ticks) == text
