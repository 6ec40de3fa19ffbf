"""The grammar of expressions.

Operators bind as in T-SQL, the tightest first: ``~`` and signs; ``* / %``; ``+ - & ^ |``; comparisons, IS, LIKE, IN,
BETWEEN; NOT; AND; OR.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.grammar.operands import Operands
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import Words

_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _SIGN = range(1, 8)

_SIGNS: dict[str, tuple[int, tree.BinaryOperator]] = {
    "*": (_PRODUCT, "*"),
    "/": (_PRODUCT, "/"),
    "%": (_PRODUCT, "%"),
    "+": (_SUM, "+"),
    "-": (_SUM, "-"),
    "&": (_SUM, "&"),
    "|": (_SUM, "|"),
    "^": (_SUM, "^"),
    "=": (_PREDICATE, "="),
    "<>": (_PREDICATE, "<>"),
    "!=": (_PREDICATE, "<>"),
    "<": (_PREDICATE, "<"),
    "<=": (_PREDICATE, "<="),
    ">": (_PREDICATE, ">"),
    ">=": (_PREDICATE, ">="),
    "!<": (_PREDICATE, ">="),
    "!>": (_PREDICATE, "<="),
}
_WORDS = {
    "or": _OR,
    "and": _AND,
    "is": _PREDICATE,
    "like": _PREDICATE,
    "in": _PREDICATE,
    "between": _PREDICATE,
    "not": _PREDICATE,
}
_PREFIXES: dict[str, tree.UnaryOperator] = {"-": "-", "+": "+", "~": "~"}


def expression(words: Words) -> tree.Expression:
    """An expression that gives a value. Raises QueryError."""
    return _valued(words, expression_or_star(words))


def expression_or_star(words: Words) -> tree.Expression:
    """An expression, or ``*`` with or without a name before it: what a SELECT list and a call may hold."""
    words.deeper()
    if words.at_signs("*"):
        read: tree.Expression = tree.Star(None, words.take().position)
    else:
        read = _from(words, _OR)
    words.higher()
    return read


def expressions(words: Words) -> tuple[tree.Expression, ...]:
    """Expressions between commas, one or more."""
    read = [expression(words)]
    while words.skip_sign(","):
        read.append(expression(words))
    return tuple(read)


def _valued(words: Words, read: tree.Expression) -> tree.Expression:
    if isinstance(read, tree.Star):
        raise words.error("`*` stands for columns, not for a value. Write one column's name.", words.before)
    return read


def _from(words: Words, loosest: int) -> tree.Expression:
    """An expression of operators that bind as tightly as ``loosest``, or tighter."""
    left = _prefixed(words, loosest)
    compared = False
    while True:
        precedence = _precedence(words)
        if precedence < max(loosest, 1) or (precedence and isinstance(left, tree.Star)):
            return left
        if compared and precedence >= _PREDICATE:
            raise words.error(
                f"`{words.token.written}` follows a comparison. Join the two with AND, or put one in parentheses."
            )
        if precedence == _PREDICATE:
            compared = True
            left = _predicate(words, left)
        elif precedence in {_AND, _OR}:
            left = _chain(words, left, precedence)
        else:
            _, operator = _SIGNS[words.token.text]
            place = words.take().position
            left = tree.Binary(operator, left, _valued(words, _from(words, precedence + 1)), place)


def _precedence(words: Words) -> int:
    """How tightly the operator that stands here binds; 0 if none does."""
    token = words.token
    if token.kind == "sign":
        return _SIGNS.get(token.text, (0,))[0]
    if token.lower == "not" and words.peek().lower not in {"like", "in", "between"}:
        return 0
    return _WORDS.get(token.lower, 0)


def _chain(words: Words, first: tree.Expression, precedence: int) -> tree.Expression:
    operator: Literal["and", "or"] = "and" if precedence == _AND else "or"
    place = words.token.position
    operands = [first]
    while words.skip(operator):
        operands.append(_valued(words, _from(words, precedence + 1)))
    return tree.Logical(operator, tuple(operands), place)


def _prefixed(words: Words, loosest: int) -> tree.Expression:
    """An operand with the signs and NOTs before it."""
    before: list[tuple[tree.UnaryOperator, Token]] = []
    while words.token.kind == "sign" and words.token.text in _PREFIXES:
        before.append((_PREFIXES[words.token.text], words.take()))
    if words.at("not"):
        negation = words.take()
        words.deeper()
        operand: tree.Expression = tree.Unary(
            "not", _valued(words, _from(words, max(loosest, _NOT))), negation.position
        )
        words.higher()
    else:
        operand = _OPERANDS.operand(words)
    for operator, token in reversed(before):
        operand = tree.Unary(operator, _valued(words, operand), token.position)
    return operand


def _predicate(words: Words, left: tree.Expression) -> tree.Expression:
    token = words.token
    if token.kind == "sign":
        _, operator = _SIGNS[words.take().text]
        return tree.Binary(operator, left, _valued(words, _from(words, _SUM)), token.position)
    if words.skip("is"):
        negated = words.skip("not")
        words.expect("null", "Write = or <> to compare values.")
        return tree.IsNull(left, negated, token.position)
    negated = words.skip("not")
    return _PREDICATES[words.take().lower](words, left, negated, token.position)


def _like(words: Words, left: tree.Expression, negated: bool, place: tree.Position) -> tree.Expression:
    pattern = _valued(words, _from(words, _SUM))
    escape = _valued(words, _from(words, _SUM)) if words.skip("escape") else None
    return tree.Like(left, pattern, escape, negated, place)


def _in(words: Words, left: tree.Expression, negated: bool, place: tree.Position) -> tree.Expression:
    words.expect_sign("(", "Write the values in parentheses.")
    values = expressions(words)
    words.expect_sign(")")
    return tree.In(left, values, negated, place)


def _between(words: Words, left: tree.Expression, negated: bool, place: tree.Position) -> tree.Expression:
    low = _valued(words, _from(words, _SUM))
    words.expect("and", "Write BETWEEN low AND high.")
    return tree.Between(left, low, _valued(words, _from(words, _SUM)), negated, place)


_PREDICATES: dict[str, Callable[[Words, tree.Expression, bool, tree.Position], tree.Expression]] = {
    "like": _like,
    "in": _in,
    "between": _between,
}
_OPERANDS = Operands(expression, expression_or_star)
over = _OPERANDS.over
