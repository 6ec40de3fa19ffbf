"""Expected and actual rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.testing.comparing import changed_fields, compare, read_expected, without
from fraudstream.core.project.json_text import ProjectFileError

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ({"a": 1, "b": [1, {"c": None}]}, {"b": [1, {"c": None}], "a": 1}),
        (8, 8.0),
        (0.1 + 0.2, 0.3),
        (-0.0, 0),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0000000Z"),
        ("2026-01-01T00:00:00.25Z", "2026-01-01T00:00:00.2500000Z"),
        (2**53 + 1, 2**53 + 1),
    ],
)
def test_equal_values(value: Any, other: Any) -> None:
    assert compare([value], [other]).is_none


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ({"a": None}, {}),
        ({"A": 1}, {"a": 1}),
        (1, "1"),
        (1, True),
        (0, False),
        (1.0, 1.00000001),
        ("a", "A"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ([1, 2], [2, 1]),
        (2**53, 2**53 + 1),
        (None, {}),
    ],
)
def test_different_values(value: Any, other: Any) -> None:
    assert not compare([value], [other]).is_none
    assert not compare([other], [value]).is_none


def test_rows_are_counted_and_their_order_is_not() -> None:
    difference = compare([{"a": 1}, {"a": 2}, {"a": 2}], [{"a": 2}, {"a": 1}, {"a": 1}])
    assert (difference.missing, difference.unexpected) == ([{"a": 2}], [{"a": 1}])


def test_a_missing_row_stands_beside_the_one_that_is_most_like_it() -> None:
    difference = compare(
        [{"k": "a", "t": 1, "n": 1}, {"k": "b", "t": 1, "n": 9}],
        [{"k": "b", "t": 1, "n": 8}, {"k": "c", "t": 7, "n": 5}],
    )
    assert list(difference.pairs()) == [
        ({"k": "a", "t": 1, "n": 1}, {"k": "b", "t": 1, "n": 8}),
        ({"k": "b", "t": 1, "n": 9}, None),
        (None, {"k": "c", "t": 7, "n": 5}),
    ]


def test_changed_fields_have_both_values() -> None:
    assert changed_fields({"a": 1, "b": 2, "c": 3}, {"a": 1.0, "b": 3, "d": 4}) == {
        "b": (2, 3),
        "c": (3, ...),
        "d": (..., 4),
    }
    assert changed_fields(None, {"a": 1}) == {}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("\n\n", []),
        ('\ufeff{"a":1}\r\n{"a":2}\r\n', [{"a": 1}, {"a": 2}]),
        ('[{"a":1},\n {"a":2},]', [{"a": 1}, {"a": 2}]),
        ('{\n "a": 1\n}\n{"a": 2}{"a": 3}', [{"a": 1}, {"a": 2}, {"a": 3}]),
    ],
)
def test_expected_rows_are_read_in_every_layout(tmp_path: Path, text: str, rows: list[Any]) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, "utf-8")
    assert read_expected(file) == rows


def test_what_is_no_json_is_told_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"a": 1}\n{"a": }\n', "utf-8")
    with pytest.raises(ProjectFileError, match=r"x\.json:2:7: this is not JSON"):
        read_expected(file)


def test_columns_can_be_left_out_of_a_comparison() -> None:
    rows = [{"id": 1, "Score": 0.5, "inner": {"score": 1}}, "no row"]
    assert without(rows, ["score", "absent"]) == [{"id": 1, "inner": {"score": 1}}, "no row"]
    assert without(rows, []) == rows
