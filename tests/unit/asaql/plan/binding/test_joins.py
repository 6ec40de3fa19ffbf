"""Bounds of time of joins between streams."""

from __future__ import annotations

import pytest

from tests.unit.asaql.plan.compiled import last_step, refused

pytestmark = pytest.mark.timeless

SECOND = 10_000_000
MINUTE = 60 * SECOND


def bounds(on: str) -> tuple[int, int, int]:
    """Low, high and upper of a join of a and b, in seconds."""
    source = last_step(f"SELECT a.x FROM Input a JOIN Other b ON a.k = b.k AND {on}")["from"][1]
    assert source["other"] == 0
    return source["low"] // SECOND, source["high"] // SECOND, source["upper"] // SECOND


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("DATEDIFF(second, a, b) BETWEEN 0 AND 15", (-1, 16, 15)),
        ("DATEDIFF(minute, a, b) BETWEEN 0 AND 15", (-60, 16 * 60, 15 * 60)),
        ("DATEDIFF(second, a, b) BETWEEN -5 AND 15", (-6, 16, 15)),
        ("DATEDIFF(second, b, a) BETWEEN -5 AND 15", (-16, 6, 5)),
        ("DATEDIFF(second, a, b) = 0", (-1, 1, 0)),
        ("0 = DATEDIFF(second, a, b)", (-1, 1, 0)),
        ("DATEDIFF(second, a, b) > 0 AND DATEDIFF(second, a, b) < 10", (0, 10, 9)),
        ("DATEDIFF(second, a, b) >= 0 AND DATEDIFF(second, a, b) <= 10", (-1, 11, 10)),
        ("0 <= DATEDIFF(second, a, b) AND 10 > DATEDIFF(second, a, b)", (-1, 10, 9)),
        ("DATEDIFF(second, a, b) >= 0 AND DATEDIFF(minute, a, b) < 2", (-1, 120, 60)),
        ("DATEDIFF(second, a, b) BETWEEN 0 AND 5 * 60", (-1, 301, 300)),
        ("DATEDIFF(second, a, b) BETWEEN 0 AND 1.5", (-1, 2, 1)),
        ("DATEDIFF(second, a, b) IN (1, 3)", (0, 4, 3)),
        ("(DATEDIFF(second, a, b) BETWEEN 0 AND 2 OR DATEDIFF(second, a, b) = 9)", (-1, 10, 9)),
        ("ABS(DATEDIFF(second, a, b)) <= 3", (-4, 4, 3)),
        ("DATEDIFF(day, a, b) = 0", (-86400, 86400, 0)),
    ],
)
def test_each_form_gives_its_bounds(on: str, expected: tuple[int, int, int]) -> None:
    assert bounds(on) == expected


def test_a_third_source_may_be_bound_to_any_earlier_one() -> None:
    step = last_step(
        "SELECT a.x FROM Input a JOIN Other b ON DATEDIFF(s, a, b) BETWEEN 0 AND 9 "
        "LEFT JOIN Third c ON DATEDIFF(s, b, c) BETWEEN 0 AND 2 AND DATEDIFF(s, a, c) BETWEEN 0 AND 20"
    )
    assert [(source["other"], source["upper"] // SECOND) for source in step["from"][1:]] == [(0, 9), (1, 2)]
    assert step["from"][2]["join"] == "left"


def test_sources_may_be_named_in_any_case_and_in_double_quotes() -> None:
    assert bounds('DATEDIFF(second, A, "b") BETWEEN 0 AND 1') == (-1, 2, 1)


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("a.k = b.k", "The join with b has no bounds of time. Add DATEDIFF(unit, a, b) BETWEEN 0 AND n"),
        ("DATEDIFF(second, a.t, b.t) BETWEEN 0 AND 5", "has no bounds of time"),
        ("NOT DATEDIFF(second, a, b) BETWEEN 0 AND 5", "has no bounds of time"),
        ("DATEDIFF(second, a, b) > 0", "on one side only"),
        ("DATEDIFF(second, a, b) BETWEEN 0 AND 5 OR a.k = b.k", "has no bounds of time"),
        ("DATEDIFF(day, a, b) BETWEEN 0 AND 8", "7 days are the most"),
        ("DATEDIFF(month, a, b) = 0", "counted in days or shorter units, not in month"),
        ("DATEDIFF(second, a, b) > 9 AND DATEDIFF(second, a, b) < 3", "exclude each other"),
    ],
)
def test_a_join_without_usable_bounds_is_refused(on: str, message: str) -> None:
    assert message in refused(f"SELECT a.x FROM Input a JOIN Other b ON {on}")
