"""JSON Schema's patterns as regular expressions that Python and Java read alike.

A pattern is ECMA-262's and matches anywhere in a text (JSON Schema Validation 2020-12, section 6.3.3). The dialects
differ in what ``.``, ``$``, ``\\d`` and ``\\s`` mean, so that these are spelt out; what has no spelling common to all
is refused.
"""

from __future__ import annotations

import re

# Formats that are patterns (JSON Schema Validation 2020-12, section 7.3).
FORMATS: dict[str, str] = {
    "uuid": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    "ipv4": r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$",
    "email": r"^[^\s@]+@[^\s@]+\.[^\s@]+$",
}

_LINE_ENDS = r"\n\r\u2028\u2029"
_CLASSES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r" \t\n\x0b\f\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
}
# What means something else in one of the dialects, or may.
_SPELT_OUT = {".": f"[^{_LINE_ENDS}]", "$": r"(?![\s\S])", "^": r"(?<![\s\S])"}
_REPETITION = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_ESCAPED = frozenset("^$\\.*+?()[]{}|/-nrtf")


def portable(pattern: str) -> str:
    """The pattern for both dialects. Raises ``ValueError`` for what they do not have in common."""
    written: list[str] = []
    at, in_class = 0, False
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            written.append(_escape(pattern, at, in_class))
            at += 2
        elif in_class:
            # Java has unions and intersections within a class.
            written.append("\\" + character if character in "[&~" else character)
            in_class = character != "]"
            at += 1
        elif character == "[":
            in_class = True
            opening = "[^" if pattern[at + 1 : at + 2] == "^" else "["
            written.append(opening)
            at += len(opening)
            if pattern[at : at + 1] == "]":
                raise ValueError("an empty class [] is not supported")
        else:
            written.append(_outside(pattern, at))
            at += 1
    text = "".join(written)
    try:
        re.compile(text, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"it is no regular expression: {error}") from None
    return text


def _outside(pattern: str, at: int) -> str:
    """A character that is neither escaped nor in a class."""
    character, following = pattern[at], pattern[at + 1 : at + 2]
    if character == "{" and _REPETITION.match(pattern, at) is None:
        raise ValueError("a brace is \\{, or a repetition such as {2,3}")
    if character == "(" and following == "?" and pattern[at + 2 : at + 3] not in (":", "=", "!"):
        raise ValueError(f"a group {pattern[at : at + 4]} is not supported")
    if character in "*+?}" and following == "+":
        raise ValueError("a possessive quantifier is not supported")
    return _SPELT_OUT.get(character, character)


def _bounds_a_range(pattern: str, at: int) -> bool:
    """Whether the escape within a class, such as ``\\d``, stands before or behind a dash that makes a range."""
    follows = pattern[at + 2 : at + 3] == "-" and pattern[at + 3 : at + 4] != "]"
    # A dash at the class's start means itself.
    precedes = pattern[at - 1] == "-" and pattern[at - 2] not in "[^" and pattern[at - 2 : at] != "\\-"
    return follows or precedes


def _escape(pattern: str, at: int, in_class: bool) -> str:
    letter = pattern[at + 1 : at + 2]
    if letter and letter.lower() in _CLASSES:
        members = _CLASSES[letter.lower()]
        if in_class and (letter.isupper() or _bounds_a_range(pattern, at)):
            raise ValueError(f"\\{letter} within a class, or as an end of a range, is not supported")
        return members if in_class else f"[{'^' if letter.isupper() else ''}{members}]"
    if not letter or letter not in _ESCAPED:
        raise ValueError(f"the escape \\{letter} is not supported")
    return f"\\{letter}" if letter != "/" else "/"
