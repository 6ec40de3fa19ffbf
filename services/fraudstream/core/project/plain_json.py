"""JSON as people and editors leave it, with comments and trailing commas, as plain JSON."""

from __future__ import annotations

import re

_TEXT = r'"(?:[^"\\\n]|\\.)*"?'
# Texts come first, so that `//` in an address is no comment.
_COMMENTS = re.compile(rf"{_TEXT}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_TEXT}|,(?=\s*[}}\]])")
_NOT_LINE_END = re.compile(r"[^\n]")


def plain_json(text: str) -> str:
    """The text with blanks in the place of comments and trailing commas: what is wrong is still where it stands."""
    return _LAST_COMMA.sub(_blanks, _COMMENTS.sub(_blanks, text))


def _blanks(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else _NOT_LINE_END.sub(" ", match[0])
