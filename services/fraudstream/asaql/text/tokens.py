"""A query's text cut into words, names, texts, numbers and signs. White space and comments go."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text.tree import Position

Kind = Literal["word", "[", '"', "'", "number", "sign", "end"]

LARGEST_INTEGER = 2**63
"""A literal may be one more than the largest bigint: its minus sign is an operator."""


class Token(NamedTuple):
    """One token: ``text`` without quotes, ``written`` as it stands, ``lower`` the key of unquoted words, else empty."""

    kind: Kind
    text: str
    lower: str
    position: Position
    written: str
    start: int


# Possessive quantifiers keep an unclosed quote linear.
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line>--[^\r\n]*)
    | (?P<comment>/\*)
    | (?P<text>[nN]?'(?:[^']++|'')*+')
    | (?P<bracketed>\[(?:[^\]]++|\]\])*+\])
    | (?P<quoted>"(?:[^"]++|"")*+")
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign><=>|[<>!=]=|<>|!<|!>|&&|\|\||//|[-+*/%&|^~=<>(),;.?])
    """,
    re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNCLOSED = {
    "'": "The text that starts here is not closed. Close it with ', and double each ' inside it.",
    "[": "The name that starts here is not closed. Close it with ].",
    '"': 'The name that starts here is not closed. Close it with ".',
}


class _Places:
    """The line and column of offsets that only grow."""

    def __init__(self, text: str) -> None:
        self._ends = _LINE_END.finditer(text)
        self._line = 1
        self._start = 0
        self._next = next(self._ends, None)

    def at(self, offset: int) -> Position:
        while self._next is not None and self._next.end() <= offset:
            self._line += 1
            self._start = self._next.end()
            self._next = next(self._ends, None)
        return Position(self._line, offset - self._start + 1)


def tokens_of(text: str, file: str) -> list[Token]:
    """The tokens of a text, the last of kind ``end``. Raises QueryError for what is not closed, and for odd numbers."""
    return list(_tokens(text, file))


def _tokens(text: str, file: str) -> Iterator[Token]:
    places = _Places(text)
    offset = 0
    while offset < len(text):
        lexeme = _TOKEN.match(text, offset)
        if lexeme is None:
            position = places.at(offset)
            offset += 1
            sign = text[offset - 1]
            if _is_invisible(sign):
                continue
            if sign in _UNCLOSED:
                raise QueryError(_UNCLOSED[sign], *position, file)
            yield Token("sign", sign, "", position, sign, offset - 1)
            continue
        group = lexeme.lastgroup
        if group == "comment":
            offset = _end_of_comment(text, offset, places.at(offset), file)
            continue
        if group != "space" and group != "line":
            yield _token(lexeme, places.at(offset), file)
        offset = lexeme.end()
    yield Token("end", "", "", places.at(offset), "", offset)


def _token(lexeme: re.Match[str], position: Position, file: str) -> Token:
    written = lexeme.group()
    start = lexeme.start()
    match lexeme.lastgroup:
        case "word":
            return Token("word", written, written.lower(), position, written, start)
        case "sign":
            return Token("sign", written, "", position, written, start)
        case "text":
            return Token("'", written[written.index("'") + 1 : -1].replace("''", "'"), "", position, written, start)
        case "bracketed":
            name = _filled(written[1:-1].replace("]]", "]"), position, file)
            return Token("[", name, "", position, written, start)
        case "quoted":
            return Token('"', written[1:-1].replace('""', '"'), "", position, written, start)
        case _:
            _check_number(lexeme, position, file)
            return Token("number", written, "", position, written, start)


def _filled(name: str, position: Position, file: str) -> str:
    if not name:
        raise QueryError("The brackets hold no name. Write one between [ and ].", *position, file)
    return name


def _check_number(lexeme: re.Match[str], position: Position, file: str) -> None:
    written = lexeme.group()
    after = lexeme.string[lexeme.end() : lexeme.end() + 1]
    if after == "_" or after.isalpha():
        raise QueryError(
            f"`{written}{after}` starts like a number. A name that starts with a digit stands in brackets: "
            f"[{written}{after}…].",
            *position,
            file,
        )
    # The length first: Python refuses to read thousands of digits.
    if written.isdigit() and (len(written.lstrip("0")) > 19 or int(written.lstrip("0") or "0") > LARGEST_INTEGER):
        raise QueryError(
            f"{shortened(written)} is beyond bigint, whose largest value is 9223372036854775807. "
            "Write a float, with a point.",
            *position,
            file,
        )
    if not math.isfinite(float(written)):
        raise QueryError(f"{shortened(written)} is beyond float, whose largest value is 1.8e308.", *position, file)


def _end_of_comment(text: str, start: int, position: Position, file: str) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise QueryError(
        "The comment that starts here is not closed. Close it with */, once for each /* inside it.", *position, file
    )


def _is_invisible(sign: str) -> bool:
    """Whether a sign shows nothing: copied from web pages, these stand for white space."""
    return unicodedata.category(sign) in {"Cc", "Cf", "Zs", "Zl", "Zp"} or sign == "\ufeff"


def shortened(written: str, longest: int = 40) -> str:
    """What stands in a text, on one line and short enough for a message."""
    line = " ".join(written.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
