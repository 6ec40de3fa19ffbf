"""What others wrote, as text and nothing else: for terminals, pages, log lines and files.

A sender's text may hold characters that whoever shows it obeys: escape sequences of a terminal, line ends that forge
lines, marks that turn the direction of what follows. They become visible escapes here; other text stays as it is.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.redaction import redact

ELLIPSIS = "…"
# How much of an error is told: ours end with what to do, clients may repeat whole batches.
_LONGEST_OWN = 2_000
_LONGEST_OTHER = 200

# The categories Cc, Cf, Cs, Zl and Zp, and what is drawn as nothing at all (Default_Ignorable_Code_Point in Unicode's
# DerivedCoreProperties.txt) but for the two variation selectors that choose how an emoji is drawn.
_OBEYED = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_OBEYED_ANYWHERE = re.compile(f"[{_OBEYED}]")
_OBEYED_IN_LINES = re.compile(f"(?![\\t\\n])[{_OBEYED}]")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
# An emoji's colour of skin: part of the character before it.
_MODIFIERS = range(0x1F3FB, 0x1F400)


def printable(text: str, longest: int | None = None) -> str:
    """The text in one line, with ``\\x1b`` and the like for what is obeyed instead of shown.

    With ``longest`` the result has at most so many characters, the last of them an ellipsis where something was left
    out; neither an escape nor a character with its accents is cut in two.
    """
    if longest is None:
        return _OBEYED_ANYWHERE.sub(_escape, text)
    # No character becomes shorter, so that what lies beyond cannot be shown.
    if len(text) <= longest and not _OBEYED_ANYWHERE.search(text):
        return text
    begin = text[: longest + 1]
    pieces = list(begin)
    if _OBEYED_ANYWHERE.search(begin):
        pieces = [_OBEYED_ANYWHERE.sub(_escape, character) for character in begin]
    if len(text) <= longest and sum(map(len, pieces)) <= longest:
        return "".join(pieces)
    room, kept = longest - 1, 0
    while kept < len(pieces) and len(pieces[kept]) <= room:
        room -= len(pieces[kept])
        kept += 1
    while 0 < kept < len(pieces) and _belongs_to_the_one_before(pieces[kept]):
        kept -= 1
    return "".join(pieces[:kept]) + ELLIPSIS


def printable_lines(text: str) -> str:
    """The same for text of several lines: line feeds and tabs stay."""
    return _OBEYED_IN_LINES.sub(_escape, text)


def told_text(text: str, longest: int | None = None) -> str:
    """A client's text for whoever reads it: without our secrets, in one line, and then cut.

    In this order: of a secret that is cut, what is left is not found any more.
    """
    return printable(redact(text), longest)


def error_text(error: BaseException) -> str:
    """What an error says, for a page, an answer or a log line: an error of ours as it is, others with their name."""
    if isinstance(error, FraudstreamError):
        return told_text(str(error), _LONGEST_OWN)
    text = told_text(str(error), _LONGEST_OTHER)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def ascii_json(value: Any, each: Callable[[str], str] = str) -> str:
    """One line of JSON in which nothing but ASCII's printable characters stands: exact, and no terminal obeys it.

    Numbers that JSON does not have are null, as they are elsewhere here; moments are ISO 8601, dataclasses objects.
    ``each`` makes a text of each text.
    """
    text = json.dumps(_jsonable(value, each), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _NOT_ASCII.sub(_json_escape, text)


def _jsonable(value: Any, each: Callable[[str], str]) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return each(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(name): _jsonable(part, each) for name, part in value.items()}
        case list() | tuple():
            return [_jsonable(part, each) for part in value]
        case datetime():
            return value.isoformat()
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: _jsonable(getattr(value, field.name), each) for field in fields(value)}
        case _:
            return each(str(value))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _belongs_to_the_one_before(piece: str) -> bool:
    if len(piece) != 1:
        return False
    return unicodedata.category(piece).startswith("M") or ord(piece) in _MODIFIERS
