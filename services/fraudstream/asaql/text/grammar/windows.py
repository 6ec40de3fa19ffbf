"""The items of GROUP BY: windows in their forms, and expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.grammar.expressions import expression, over
from fraudstream.asaql.text.grammar.spans import signed_number, span, unit_and_amount
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import Words


def group_items(words: Words) -> tuple[tree.Expression | tree.Window, ...]:
    """What follows GROUP BY, one item or more. Raises QueryError."""
    items = [_group_item(words)]
    while words.skip_sign(","):
        items.append(_group_item(words))
    return tuple(items)


def _group_item(words: Words) -> tree.Expression | tree.Window:
    if words.at("windows") and _is_called(words):
        return _window_set(words)
    if words.at("window") and _is_called(words):
        place = words.token.position
        return tree.WindowSet((_member(words),), place)
    single = _WINDOWS.get(words.token.lower)
    if single is not None and _is_called(words):
        return single(words)
    return expression(words)


def _is_called(words: Words) -> bool:
    follower = words.peek()
    return follower.kind == "sign" and follower.text == "("


def _tumbling(words: Words) -> tree.TumblingWindow:
    name = _open(words)
    size, offset = _one_or_two(words, "duration", "offset")
    _close(words, name)
    return tree.TumblingWindow(size, offset, name.position)


def _hopping(words: Words) -> tree.HoppingWindow:
    name = _open(words)
    named = words.at("duration") and _is_called(words)
    size = _part(words, "duration") if named else unit_and_amount(words)
    words.expect_sign(",", _FORMS["hopping"])
    hop = _part(words, "hop") if named else _amount(words, size)
    offset = _second(words, "offset" if named else "", size)
    _close(words, name)
    return tree.HoppingWindow(size, hop, offset, name.position)


def _sliding(words: Words) -> tree.SlidingWindow:
    name = _open(words)
    size = _part(words, "duration") if words.at("duration") and _is_called(words) else unit_and_amount(words)
    _close(words, name)
    return tree.SlidingWindow(size, name.position)


def _session(words: Words) -> tree.SessionWindow:
    name = _open(words)
    timeout, maximum = _one_or_two(words, "timeout", "maxduration")
    _close(words, name)
    return tree.SessionWindow(timeout, maximum, _session_keys(words), name.position)


def _session_keys(words: Words) -> tuple[tree.Expression, ...]:
    if not (words.at("over") and _is_called(words)):
        return ()
    place = words.token
    read = over(words)
    if read.order or read.limit or read.when or not read.partition:
        raise words.error("A session's OVER holds PARTITION BY alone. Write OVER (PARTITION BY key).", place)
    return read.partition


def _window_set(words: Words) -> tree.WindowSet:
    place = words.take().position
    words.take()
    members = [_member(words)]
    while words.skip_sign(","):
        members.append(_member(words))
    words.expect_sign(")", "Windows(…) holds windows with commas between them.")
    return tree.WindowSet(tuple(members), place)


def _member(words: Words) -> tree.LabelledWindow:
    place = words.token.position
    if not (words.at("window") and _is_called(words)):
        return tree.LabelledWindow(None, _single(words), place)
    words.take()
    words.take()
    if words.token.kind not in {"'", '"'}:
        raise words.unexpected("the window's label, a text", "Write Window('label', TumblingWindow(unit, n)).")
    label = words.take().text
    words.expect_sign(",", "Write Window('label', TumblingWindow(unit, n)).")
    window = _single(words)
    words.expect_sign(")")
    return tree.LabelledWindow(label, window, place)


def _single(words: Words) -> tree.SingleWindow:
    single = _WINDOWS.get(words.token.lower)
    if single is not None and _is_called(words):
        return single(words)
    if words.at("system"):
        place = words.token.position
        if isinstance(expression(words), tree.SystemTimestamp):
            return tree.SnapshotWindow(place)
        raise words.error("A snapshot window is System.Timestamp() alone.", words.before)
    raise words.unexpected(
        "a window", "Write TumblingWindow, HoppingWindow, SlidingWindow, SessionWindow or System.Timestamp()."
    )


def _open(words: Words) -> Token:
    name = words.take()
    words.take()
    return name


def _close(words: Words, name: Token) -> None:
    words.expect_sign(")", _FORMS[name.lower.removesuffix("window")])


def _part(words: Words, word: str) -> tree.Span:
    words.expect(word)
    return span(words)


def _one_or_two(words: Words, first: str, second: str) -> tuple[tree.Span, tree.Span | None]:
    """``first(unit, n) [, second(unit, n)]``, or ``unit, n [, n]``."""
    if words.at(first) and _is_called(words):
        read = _part(words, first)
        return read, _second(words, second, read)
    read = unit_and_amount(words)
    return read, _second(words, "", read)


def _second(words: Words, word: str, first: tree.Span) -> tree.Span | None:
    """What may follow a comma: ``word(unit, n)``, or without a word ``n`` in the unit of the first."""
    if not words.skip_sign(","):
        return None
    return _part(words, word) if word else _amount(words, first)


def _amount(words: Words, size: tree.Span) -> tree.Span:
    amount, first = signed_number(words)
    return tree.Span(size.unit, amount, first.position)


_FORMS = {
    "tumbling": "Write TumblingWindow(unit, size [, offset]) or "
    "TumblingWindow(Duration(unit, size) [, Offset(unit, n)]).",
    "hopping": "Write HoppingWindow(unit, size, hop [, offset]) or "
    "HoppingWindow(Duration(unit, size), Hop(unit, hop) [, Offset(unit, n)]).",
    "sliding": "Write SlidingWindow(unit, size) or SlidingWindow(Duration(unit, size)).",
    "session": "Write SessionWindow(unit, timeout, maximum) or "
    "SessionWindow(Timeout(unit, n), MaxDuration(unit, n)), then OVER (PARTITION BY key) if need be.",
}
_TimeWindow: TypeAlias = tree.TumblingWindow | tree.HoppingWindow | tree.SlidingWindow | tree.SessionWindow
_READERS: dict[str, Callable[[Words], _TimeWindow]]
_READERS = {"tumbling": _tumbling, "hopping": _hopping, "sliding": _sliding, "session": _session}
_WINDOWS = _READERS | {f"{name}window": reader for name, reader in _READERS.items()}
