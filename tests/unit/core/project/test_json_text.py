"""JSON as editors leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.core.project.json_text import ProjectFileError, parse_json, read_json, read_text

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2,\n],}', {"a": [1, 2]}),
        ('{// a\n"a": /* one */ 1}', {"a": 1}),
        ('{"a": "http://x/*y*/", "b": "1,}"}', {"a": "http://x/*y*/", "b": "1,}"}),
        ('{"a": "\\"//", "b": 2}', {"a": '"//', "b": 2}),
        ('{"a": 1, // the last one\n}', {"a": 1}),
        ("[]", []),
    ],
)
def test_comments_and_trailing_commas_are_left_out(text: str, value: object) -> None:
    assert parse_json(text, "x.json") == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": }', "x.json:1:7"),
        ('// first\n{"a": 1\n"b": 2}', "x.json:3:1"),
        ('{"a": /* \n\n */ }', "x.json:3:5"),
        ("", "x.json:1:1"),
        ("[1,,2]", "x.json:1:4"),
    ],
)
def test_an_error_is_told_where_it_stands(text: str, place: str) -> None:
    with pytest.raises(ProjectFileError, match=f"^{place}: this is not JSON"):
        parse_json(text, "x.json")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": "\xc3\xa9"}\r\n',
        b'\xef\xbb\xbf{"a": "\xc3\xa9"}',
        '{"a": "é"}'.encode("utf-16"),
    ],
)
def test_marks_of_byte_order_and_line_ends_are_no_part_of_it(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(data)
    assert read_json(file) == {"a": "é"}


def test_other_bytes_are_told_by_their_line(tmp_path: Path) -> None:
    file = tmp_path / "q.asaql"
    file.write_bytes(b"SELECT 1\n-- \xff\n")
    with pytest.raises(ProjectFileError, match=r"q\.asaql:2: byte 13 is not UTF-8"):
        read_text(file)


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ProjectFileError, match=r"none\.json cannot be read \(No such file"):
        read_json(tmp_path / "none.json")


def test_deep_nesting_is_an_error_of_the_file() -> None:
    with pytest.raises(ProjectFileError, match="nested too deeply"):
        parse_json("[" * 100_000 + "]" * 100_000, "x.json")
