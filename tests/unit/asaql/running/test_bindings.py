"""Which files hold an input's records."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.asaql.running.bindings import bound, given_bindings, parse_pairs
from fraudstream.core.errors import ConfigurationError

pytestmark = pytest.mark.timeless

PROJECT = QueryProject("q", Path(), Path("q.asaql"), "")


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("a.json", b'{"a": 1}', "json"),
        ("a.jsonl", b"", "json"),
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("a.csv", b'\xef\xbb\xbf[{"a": 1}]', "json"),
        ("a.csv.gz", gzip.compress(b"a;b\n"), "csv"),
        ("a.txt", b'  {"a": 1}', "json"),
        ("a.txt", b"a|b\n", "csv"),
        ("a", gzip.compress(b'[{"a": 1}]'), "json"),
        ("a.json", b"PAR1rest", "parquet"),
    ],
)
def test_the_format_is_seen_by_name_and_first_bytes(tmp_path: Path, name: str, data: bytes, format: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    assert bound("i", (file,), InputFile()).format == format


@pytest.mark.parametrize(("written", "delimiter"), [(";", ";"), ("tab", "\t"), ("", None)])
def test_a_described_delimiter_counts(tmp_path: Path, written: str, delimiter: str | None) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a\n")
    assert bound("i", (file,), InputFile.of({"Delimiter": written}, "x.json")).delimiter == delimiter


@pytest.mark.parametrize(
    ("name", "data", "described", "message"),
    [
        ("a.avro", b"Obj\x01", {}, "is Avro, which is not read here"),
        ("a.bin", b"x", {"Format": "CustomClr"}, "the format customclr is not read here"),
        ("a.csv", b"a", {"Delimiter": "ab"}, "the delimiter 'ab', and one character is wanted"),
        ("a.gz", b"\x1f\x8bbroken", {}, "a.gz cannot be read"),
    ],
)
def test_what_is_not_read_is_told(
    tmp_path: Path, name: str, data: bytes, described: dict[str, str], message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match=message):
        bound("i", (file,), InputFile.of(described, "x.json"))


def test_pairs_are_read_and_may_be_repeated(tmp_path: Path) -> None:
    odd = tmp_path / "day=1.json"
    odd.touch()
    pairs = parse_pairs(["A=x.json", "A=y=1.json", "z.json", str(odd)], "--input")
    assert pairs == {"A": ["x.json", "y=1.json"], "": ["z.json", str(odd)]}


@pytest.mark.parametrize("text", ["", "=x.json", "A="])
def test_half_a_pair_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME=PATH is wanted"):
        parse_pairs([text], "--input")


def test_names_match_in_any_case_and_one_input_needs_none(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.touch()
    for name in ("INPUT", ""):
        bindings = given_bindings({name: [str(file)]}, ("Input",), "--input", PROJECT)
        assert bindings["Input"].files == (file,)


def test_a_folder_and_a_pattern_give_their_files_in_order(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", ".hidden", "_SUCCESS"):
        (tmp_path / name).touch()
    expected = (tmp_path / "a.json", tmp_path / "b.json")
    for path in (tmp_path, tmp_path / "*.json"):
        assert given_bindings({"i": [str(path)]}, ("i",), "--input", PROJECT)["i"].files == expected


@pytest.mark.parametrize(
    ("pairs", "names", "message"),
    [
        ({"x": ["a.json"]}, ("i", "j"), "--input x: the query does not read it; it reads i, j"),
        ({"": ["a.json"]}, ("i", "j"), "which input is it"),
        ({"i": ["none.json"]}, ("i",), "--input i: there is no file none.json"),
    ],
)
def test_names_and_paths_that_are_not_there_are_told(
    pairs: dict[str, list[str]], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        given_bindings(pairs, names, "--input", PROJECT)
