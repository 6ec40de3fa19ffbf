"""Patterns that Python and Java read alike."""

from __future__ import annotations

import re

import pytest

from fraudstream.core.contract.patterns import FORMATS, portable


def matches(pattern: str, text: str) -> bool:
    return re.search(portable(pattern), text, re.ASCII) is not None


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", ["a"], ["a\n", "\na", "b\na", "aa"]),
        ("a", ["bab"], ["A", ""]),
        ("^.$", ["x", "\x85", "😀"], ["\n", "\r", "\u2028", "xy"]),
        (r"^\d+$", ["0189"], ["٣", "1a"]),
        (r"^\D$", ["a", "٣"], ["1"]),
        (r"^\w$", ["_"], ["é", "-"]),
        (r"^a\sb$", ["a b", "a\u00a0b", "a\ufeffb"], ["ab", "a\u200bb"]),
        (r"^[\d-]+$", ["1-2"], ["a"]),
        (r"^[-\w]+$", ["a-b"], ["a b"]),
        (r"^[^\s@]+$", ["a"], ["a b", "a@"]),
        ("^[[a]$", ["[", "a"], ["]"]),
        ("^[a&&b]$", ["a", "&", "b"], ["c"]),
        ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
        (r"^\{a\}$", ["{a}"], ["a"]),
        (r"^(?:ab|cd)+$", ["abcd"], ["abc"]),
        (r"^(?!x)\w+?/$", ["a/"], ["x/"]),
        ("^[^^]$", ["a"], ["^"]),
    ],
)
def test_a_pattern_means_what_it_does_in_a_schema(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not matches(pattern, text)] == []
    assert [text for text in bad if matches(pattern, text)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\p{L}", r"\bword", r"(a)\1", r"\u00e9", r"\x41", "a\\"),
        *("(?<=a)b", "(?<name>a)", "(?i)a", "(?"),
        *("a++", "a*+", "a?+", "a{2}+"),
        *("[]a]", "[^]", r"[\D]", r"[\s\S]", r"[\w-z]", r"[+-\d]"),
        *("a{", "a{,3}", "a{b}", "{2}"),
        *("(a", "a)", "[a", "[b-a]", "*"),
    ],
)
def test_what_is_not_common_to_both_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not supported|no regular expression|a brace"):
        portable(pattern)


@pytest.mark.parametrize(
    ("format", "good", "bad"),
    [
        ("uuid", ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"], ["2eb8aa08", ""]),
        (
            "ipv4",
            ["192.168.0.1", "255.255.255.255", "0.1.20.255"],
            ["256.0.0.1", "1.2.3", "1.2.3.4.", "01.2.3.4", "1.2.3.4\n"],
        ),
        ("email", ["a@b.example"], ["a b@c.d", "a@b", "@b.c"]),
    ],
)
def test_a_format_is_a_pattern(format: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not matches(FORMATS[format], text)] == []
    assert [text for text in bad if matches(FORMATS[format], text)] == []
