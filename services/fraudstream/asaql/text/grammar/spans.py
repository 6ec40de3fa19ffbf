"""`unit, n`: the lengths of windows, offsets and limits."""

from __future__ import annotations

from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.tree import Name, Span
from fraudstream.asaql.text.words import Words, name_of


def unit_and_amount(words: Words) -> Span:
    """``unit, n``."""
    unit = unit_name(words)
    words.expect_sign(",")
    amount, _ = signed_number(words)
    return Span(unit, amount, unit.position)


def span(words: Words) -> Span:
    """``(unit, n)``, after the word that says what it is."""
    opening = words.expect_sign("(")
    read = unit_and_amount(words)
    words.expect_sign(")")
    return Span(read.unit, read.amount, opening.position)


def limit_duration(words: Words) -> Span:
    """``LIMIT DURATION(unit, n)``."""
    words.expect("limit")
    words.expect("duration", "Write LIMIT DURATION(unit, n).")
    return span(words)


def unit_name(words: Words) -> Name:
    """A unit of time as written; whether there is such a unit is not judged."""
    if words.token.kind in {"number", "end", "sign"}:
        raise words.unexpected("a unit of time", "The unit comes first: (minute, 5).")
    return name_of(words.take())


def signed_number(words: Words) -> tuple[int | float, Token]:
    """A number, perhaps with a sign, and its first token."""
    first = words.token
    sign = -1 if words.skip_sign("-") else 1
    if sign == 1:
        words.skip_sign("+")
    if words.token.kind != "number":
        raise words.unexpected("a number", "A length of time is written as a number.")
    return sign * number_value(words.take().text), first


def number_value(written: str) -> int | float:
    """The value of a number's text: an integer if it holds digits alone."""
    return int(written.lstrip("0") or "0") if written.isdigit() else float(written)
