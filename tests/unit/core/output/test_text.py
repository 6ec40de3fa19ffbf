"""Text of others becomes printable: nothing of it is obeyed, nothing else of it is changed."""

from __future__ import annotations

import json
import random
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.output.text import ELLIPSIS, ascii_json, error_text, printable, printable_lines, told_text

OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")


def is_obeyed(character: str) -> bool:
    return unicodedata.category(character) in OBEYED


def test_every_character_that_is_obeyed_is_escaped_and_letters_stay() -> None:
    for code in range(0x110000):
        character = chr(code)
        shown = printable(character)
        if is_obeyed(character):
            assert shown.isascii(), hex(code)
            assert shown.startswith("\\"), hex(code)
        elif unicodedata.category(character)[0] in "LNPSZ" and not 0x1100 <= code <= 0xFFFF:
            assert shown == character, hex(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amount: 12,50 € – ok 🙂 né \u00a0", "amount: 12,50 € – ok 🙂 né \u00a0"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;https://x\x07link\x1b]8;;\x07", "\\x1b]8;;https://x\\x07link\\x1b]8;;\\x07"),
        ("\x9b2J\x85\x7f", "\\x9b2J\\x85\\x7f"),
        ("a\r\nfraudstream: all parts ready\tb", "a\\r\\nfraudstream: all parts ready\\tb"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("user\u202efdp.exe\u2066", "user\\u202efdp.exe\\u2066"),
        ("ad\u200bmin\ufeff\u00ad\u3164", "ad\\u200bmin\\ufeff\\xad\\u3164"),
        ("\ud800x\udfff", "\\ud800x\\udfff"),
        ("\U000e0041", "\\U000e0041"),
        ("", ""),
    ],
)
def test_what_a_terminal_obeys_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_keep_their_ends_and_tabs_and_nothing_else() -> None:
    assert printable_lines("a\tb\n\x1b[2J\rc\u2028d\n") == "a\tb\n\\x1b[2J\\rc\\u2028d\n"


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("abc\x1b", 6, "abc…"),
        ("abc\x1b", 7, "abc\\x1b"),
        ("\x1b\x1b", 4, "…"),
        # An e with its accent, a thumb with its colour: both or none.
        ("xe\u0301yz", 3, "x…"),
        ("xe\u0301yz", 4, "xe\u0301…"),
        ("x👍🏽yz", 3, "x…"),
        ("", 3, ""),
    ],
)
def test_text_is_cut_between_characters(text: str, longest: int, shown: str) -> None:
    assert printable(text, longest) == shown
    assert len(printable(text, longest)) <= longest


def test_any_text_is_cut_to_its_length_and_stays_printable() -> None:
    rng = random.Random(5)
    alphabet = [*map(chr, range(0x200)), "\u0301", "\u202e", "👍", "🏽", "\ud800", "\U000e0001"]
    for _ in range(2_000):
        text = "".join(rng.choices(alphabet, k=rng.randrange(40)))
        longest = rng.randrange(1, 40)
        shown = printable(text, longest)
        assert len(shown) <= longest
        assert not any(map(is_obeyed, shown))
        assert shown == printable(text) or (shown.endswith(ELLIPSIS) and printable(text).startswith(shown[:-1]))


def test_a_huge_text_is_cut_without_reading_it_all() -> None:
    assert printable("\x1b" * 50_000_000, 10) == "\\x1b\\x1b…"


@dataclass
class Point:
    x: float
    y: int


def test_json_is_exact_and_ascii() -> None:
    value = {
        "text": '\x1b[31m\x7f\x9b\u202eé🙂\ud800\u2028\n"\\',
        "number": 0.1,
        "large": 2**70,
        "none": [None, True, ()],
        "\x7f\x85": Point(1.5, 2),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    text = ascii_json(value)
    assert all(0x20 <= ord(character) < 0x7F for character in text)
    assert json.loads(text) == {
        **value,
        "none": [None, True, []],
        "\x7f\x85": {"x": 1.5, "y": 2},
        "at": "2026-01-02T00:00:00+00:00",
    }


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_lacks_are_null(number: float) -> None:
    assert ascii_json({"a": [number]}) == '{"a":[null]}'


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_a_secret_is_taken_out_before_the_text_is_cut(before: int) -> None:
    """Of a secret that is cut in two, less than what is looked for would be left."""
    load_settings(scoring_key="qX7pL9zRwN4v")
    shown = told_text("x" * before + "qX7pL9zRwN4v and more\n\x1b[2J", 30)
    assert "qX7" not in shown
    assert len(shown) <= 30
    assert "\x1b" not in shown


def test_an_error_is_told_with_its_name_and_one_of_ours_as_it_is() -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")
    assert error_text(ValueError("no\nqX7pL9zRwN4v")) == "ValueError: no\\n********"
    assert error_text(ValueError()) == "ValueError"
    assert len(error_text(ValueError("x" * 10_000))) == len("ValueError: ") + 200
    assert error_text(StoreUnavailable(f"It does not answer. {'x' * 900}")).startswith("It does not answer. xxx")
    assert len(error_text(StoreUnavailable("x" * 10_000))) == 2_000


def test_texts_of_json_can_be_changed_on_the_way() -> None:
    text = ascii_json({"a": ["b", 1, None], "c": {"d": True}}, str.upper)
    assert json.loads(text) == {"a": ["B", 1, None], "c": {"d": True}}
