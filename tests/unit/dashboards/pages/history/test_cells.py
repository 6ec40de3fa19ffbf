"""Senders' texts become cells that no spreadsheet runs, in a time that grows only with their length."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fraudstream.dashboards.data import stored
from fraudstream.dashboards.pages.history.cells import LONGEST_CELL, distinct, harmless
from fraudstream.dashboards.pages.history.exports import encoded

pytestmark = pytest.mark.timeless

# A hundred times the usual time, and a tenth of the time of an expression whose cost grows faster than the text.
SECONDS = 5


@contextmanager
def quick() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        (' "=1+1', " \"'=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("a, \t@x", "a, \\t@x"),
        ("a,  @x", "a,  '@x"),
        ('a "=1', "a \"'=1"),
        ("''=1", "'''=1"),
        ("-2+3", "'-2+3"),
        ("-2.5e3", "-2.5e3"),
        ("-1,2+cmd|' /C calc'!A0", "'-1,2+cmd|' /C calc'!A0"),
        ("-1]+1", "'-1]+1"),
        ('-1"&x', "'-1\"&x"),
        ('"-1"&x', '"\'-1"&x'),
        ("x;-1,2+cmd", "x;'-1,2+cmd"),
        ('x;"-1"&y', 'x;"\'-1"&y'),
        ('{"a":"-1,2+cmd"}', '{"a":"\'-1,2+cmd"}'),
        ('{"a":-1,"b":[2,-3,-4]}', '{"a":-1,"b":[2,-3,-4]}'),
        ('["a","-5","-6"]', '["a","-5","-6"]'),
        ("-\u0661", "'-\u0661"),
        ("x;-2;-3", "x;-2;-3"),
        ("x;-2;-3a", "x;-2;'-3a"),
        ("\uff1d1", "'\uff1d1"),
        ("a =1", "a =1"),
        ("a-b", "a-b"),
        ("", ""),
    ],
)
def test_only_what_begins_a_formula_gets_a_quote_before_it(text: str, expected: str) -> None:
    assert harmless(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *('"' * LONGEST_CELL, '" ' * LONGEST_CELL, " " * LONGEST_CELL, '"' * (LONGEST_CELL - 1) + "a"),
        *(',="' * LONGEST_CELL, ",-1" * LONGEST_CELL, ";-1," * LONGEST_CELL, ", " * LONGEST_CELL, ";' " * LONGEST_CELL),
    ],
)
def test_a_cell_of_nothing_but_quotes_is_written_at_once(text: str) -> None:
    with quick():
        assert len(harmless(text)) <= LONGEST_CELL


@pytest.mark.parametrize("most", [15_996, 16_383, 31_998])
def test_a_cell_ends_where_a_spreadsheet_begins_the_next_one(most: int) -> None:
    """Excel counts in UTF-16, and what is beyond its limit stands in a cell of its own."""
    for begin in ("a", "ab"):
        text = begin + "😀" * most + "=1+1"
        cell_text = harmless(text)
        assert len(cell_text.encode("utf-16-le")) <= 2 * LONGEST_CELL
        assert cell_text == text if most < 16_000 else cell_text == f"{begin}{'😀' * (cell_text.count('😀'))}…"
        assert cell_text.count("😀") >= min(most, 15_998)
    assert harmless("é" * LONGEST_CELL) == "é" * LONGEST_CELL


def test_a_number_of_all_digits_that_is_none_in_the_end_is_written_at_once() -> None:
    with quick():
        assert harmless(f"-{'1' * 31_000}x").startswith("'-1")


def test_columns_whose_names_differ_in_case_alone_are_numbered() -> None:
    assert distinct(["Amount", "amount", "AMOUNT", "amount_2", " ", ""]) == [
        *("Amount", "amount_2", "AMOUNT_3", "amount_2_2", "unnamed", "unnamed_2")
    ]


def test_fields_that_are_shown_alike_are_all_there() -> None:
    begin = "x" * 300
    plain = stored.plain({f"{begin}{number}": number for number in range(3)} | {"… 2 more": "a sender's"})
    shown = f"{'x' * 199}…"
    assert plain == {shown: 0, f"{shown}′2": 1, f"{shown}′3": 2, "… 2 more": "a sender's"}


def test_a_field_that_reads_like_what_is_left_out_stays() -> None:
    assert stored.plain({"… 1 more": 1, "b": 2}, values=2) == {"… 1 more": 1, "… 1 more′2": "not shown"}


def test_a_document_of_names_that_begin_alike_is_exported_at_once() -> None:
    document = {f"{'x' * 200}{number}": number for number in range(6_000)}
    with quick():
        assert encoded([{"id": 1, "nested": document}], "csv")
        plain = stored.plain(document, values=10_000, characters=4_000_000)
    assert list(plain.values()) == list(range(6_000))
