"""Aliases of columns and of sources."""

from __future__ import annotations

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.words import RESERVED, Words, name_of

_FOLLOWED_BY = {
    "timestamp": ("by",),
    "partition": ("by",),
    "order": ("by",),
    "limit": ("duration",),
    "full": ("join", "outer"),
    "right": ("join", "outer"),
    "natural": ("join",),
    "within": ("group",),
    "at": ("time",),
}
"""Words that begin a clause with what follows them, and are aliases otherwise."""
_NO_ALIASES = frozenset(
    {
        *("inner", "left", "cross", "outer", "match_recognize", "with", "create", "go", "over", "using", "collate"),
        *("except", "intersect", "minus", "qualify", "pivot", "unpivot", "lateral", "fetch", "option"),
        *("desc", "asc", "escape", "declare", "set", "insert"),
    }
)


def alias_after_as(words: Words) -> tree.Name:
    """The name that AS gives: a word, or a name in any quotes. Raises QueryError."""
    token = words.token
    if token.kind not in {"word", "[", '"', "'"}:
        hint = "A name that starts with a digit stands in brackets." if token.kind == "number" else ""
        raise words.unexpected("a name", hint or "Other names stand in brackets: AS [odd name].")
    if token.lower in RESERVED and not _ends_an_item(words):
        raise words.unexpected("a name", f"A column of this name stands in brackets: AS [{token.text}].")
    words.take()
    _check_odd(words, token.text)
    return name_of(token)


def plain_alias(words: Words) -> tree.Name | None:
    """The name that stands without AS, if one does."""
    token = words.token
    if token.kind in {"[", '"', "'"}:
        return name_of(words.take())
    if token.kind != "word" or token.lower in RESERVED or token.lower in _NO_ALIASES:
        return None
    follower = words.peek()
    if follower.lower and follower.lower in _FOLLOWED_BY.get(token.lower, ()):
        return None
    if token.lower == "limit" and follower.kind == "number":
        return None
    words.take()
    _check_odd(words, token.text)
    return name_of(token)


def _ends_an_item(words: Words) -> bool:
    """Whether the reserved word that stands here can only be a name: `MAX(t) AS end, …`."""
    if words.at("from", "select", "into", "where"):
        return False
    follower = words.peek()
    return follower.lower in {"from", "into"} or (follower.kind == "sign" and follower.text in {",", ")"})


def _check_odd(words: Words, written: str) -> None:
    if words.at_signs(".", "-"):
        sign = words.token.text
        raise words.error(f"A name with `{sign}` stands in brackets: [{written}{sign}{words.peek().text}].")
