"""Windows in all their forms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.asaql.plan.compiled import field, last_step, refused

pytestmark = pytest.mark.timeless

SECOND = 10_000_000
MINUTE = 60 * SECOND


def windows(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = last_step(f"SELECT COUNT(*) AS n FROM Input GROUP BY k, {text}")["windows"]
    return entries


@pytest.mark.parametrize(
    ("text", "size", "offset"),
    [
        ("TumblingWindow(minute, 5)", 5 * MINUTE, 0),
        ("Tumbling(mi, 5)", 5 * MINUTE, 0),
        ("Tumbling(Duration(n, 5))", 5 * MINUTE, 0),
        ("TUMBLINGWINDOW(second, 10, 2)", 10 * SECOND, 2 * SECOND),
        ("Tumbling(Duration(hour, 1), Offset(millisecond, -1))", 60 * MINUTE, -10_000),
        ("Tumbling(day, 7)", 7 * 24 * 60 * MINUTE, 0),
        ("Tumbling(mcs, 1)", 10, 0),
    ],
)
def test_tumbling(text: str, size: int, offset: int) -> None:
    assert windows(text) == [{"kind": "tumbling", "size": size, "offset": offset, "id": None}]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("HoppingWindow(second, 10, 5)", 0),
        ("Hopping(second, 10, 5, 1)", SECOND),
        ("Hopping(Duration(second, 10), Hop(second, 5), Offset(second, 1))", SECOND),
    ],
)
def test_hopping(text: str, offset: int) -> None:
    assert windows(text) == [{"kind": "hopping", "size": 10 * SECOND, "hop": 5 * SECOND, "offset": offset, "id": None}]


def test_sliding_and_session() -> None:
    assert windows("Sliding(Duration(second, 9))") == [{"kind": "sliding", "size": 9 * SECOND, "id": None}]
    session = {"kind": "session", "timeout": SECOND, "max": MINUTE, "partition": [], "id": None}
    assert windows("SessionWindow(second, 1, 60)") == [session]
    assert windows("Session(Timeout(second, 1), MaxDuration(minute, 1))") == [session]
    assert windows("Session(second, 1)") == [{**session, "max": None}]
    assert windows("Session(second, 1, 60) OVER (PARTITION BY k)") == [{**session, "partition": [field("k")]}]


def test_sets_with_and_without_labels() -> None:
    assert [window["id"] for window in windows("Windows(Window('a', Tumbling(s, 1)), Window('B', Sliding(s, 2)))")] == [
        "a", "B"
    ]  # fmt: skip
    assert [window["kind"] for window in windows("Windows(Tumbling(s, 1), System.Timestamp())")] == [
        "tumbling", "snapshot"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Tumbling(day, 8)", "is longer than 7 days"),
        ("Tumbling(second, 0)", "not positive"),
        ("Tumbling(second, -5)", "not positive"),
        ("Hopping(second, 10, 0)", "not positive"),
        ("Tumbling(week, 1)", "week is no unit of time here"),
        ("Windows(Window('a', Tumbling(s, 1)), Window('A', Sliding(s, 2)))", "Two windows are labelled 'A'"),
        ("Windows(Window('a', Tumbling(s, 1)), Sliding(s, 2))", "Either all members of Windows(…) have a label"),
    ],
)
def test_a_wrong_window_is_refused(text: str, message: str) -> None:
    assert message in refused(f"SELECT COUNT(*) AS n FROM Input GROUP BY k, {text}")
