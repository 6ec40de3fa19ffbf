"""What operators stand between: names, literals, calls, CASE, CAST, parentheses, and `.field` after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fraudstream.asaql.text import advice, tree
from fraudstream.asaql.text.grammar.spans import limit_duration, number_value
from fraudstream.asaql.text.grammar.type_names import type_name
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import RESERVED, Words, name_of

Reader: TypeAlias = Callable[[Words], tree.Expression]


@dataclass(frozen=True, slots=True)
class Operands:
    """The grammar of operands, with the readers of the expressions inside them."""

    expression: Reader
    expression_or_star: Reader

    def operand(self, words: Words) -> tree.Expression:
        """One operand, with the fields after it. Raises QueryError."""
        token = words.token
        if token.kind == "'":
            words.take()
            return tree.Text(token.text, token.position)
        if token.kind == "number":
            words.take()
            return tree.Number(number_value(token.text), token.position)
        if words.at_signs("("):
            return self._fields(words, self._parenthesised(words))
        keyword = _KEYWORDS.get(token.lower)
        if keyword is not None and _begins(words):
            return self._fields(words, keyword(self, words))
        return self._named(words)

    def over(self, words: Words) -> tree.Over:
        """``OVER (…)``; its parts may stand in any order, each once."""
        place = words.expect("over").position
        words.expect_sign("(")
        partition: tuple[tree.Expression, ...] = ()
        order: tuple[tree.Order, ...] = ()
        limit: tree.Span | None = None
        when: tree.Expression | None = None
        while not words.at_signs(")"):
            if not partition and words.at_phrase("partition", "by"):
                partition = self._keys(words)
            elif not order and words.at_phrase("order", "by"):
                order = self._order(words)
            elif limit is None and words.at("limit"):
                limit = limit_duration(words)
            elif when is None and words.skip("when"):
                when = self.expression(words)
            else:
                expected = "PARTITION BY, ORDER BY, LIMIT DURATION(unit, n), WHEN or `)`"
                raise words.unexpected(expected, advice.WITHIN_OVER.get(words.token.lower, ""))
        words.take()
        return tree.Over(partition, order, limit, when, place)

    def _keys(self, words: Words) -> tuple[tree.Expression, ...]:
        words.take()
        words.take()
        keys = [self.expression(words)]
        while words.skip_sign(","):
            keys.append(self.expression(words))
        return tuple(keys)

    def _order(self, words: Words) -> tuple[tree.Order, ...]:
        words.take()
        words.take()
        order: list[tree.Order] = []
        while True:
            place = words.token.position
            by = self.expression(words)
            descending = words.skip("desc")
            if not descending:
                words.skip("asc")
            order.append(tree.Order(by, descending, place))
            if not words.skip_sign(","):
                return tuple(order)

    def _parenthesised(self, words: Words) -> tree.Expression:
        words.take()
        read = self.expression(words)
        words.expect_sign(")")
        return read

    def _null(self, words: Words) -> tree.Expression:
        return tree.Null(words.take().position)

    def _case(self, words: Words) -> tree.Expression:
        place = words.take().position
        operand = None if words.at("when") else self.expression(words)
        whens: list[tree.When] = []
        while words.at("when"):
            when = words.take()
            condition = self.expression(words)
            words.expect("then", "Write WHEN condition THEN result.")
            whens.append(tree.When(condition, self.expression(words), when.position))
        if not whens:
            raise words.unexpected("WHEN", "Write CASE WHEN condition THEN result ELSE other END.")
        otherwise = self.expression(words) if words.skip("else") else None
        if not words.at("end"):
            begun = f"The CASE of line {place.line}, column {place.column} closes with END."
            raise words.unexpected("END" if otherwise else "WHEN, ELSE or END", begun)
        words.take()
        return tree.Case(operand, tuple(whens), otherwise, place)

    def _cast(self, words: Words) -> tree.Expression:
        token = words.take()
        words.take()
        operand = self.expression(words)
        words.expect("as", f"Write {token.text.upper()}(x AS type).")
        to = type_name(words)
        words.expect_sign(")")
        return tree.Cast(operand, to, token.lower == "try_cast", token.position)

    def _named(self, words: Words) -> tree.Expression:
        """A path, a call, or one of the two system functions."""
        first = words.token
        _check_first(words)
        parts = [name_of(words.take())]
        while words.at_signs(".") and words.peek().kind in {"word", "[", '"'} and len(parts) < _LONGEST_PATH:
            words.take()
            parts.append(name_of(words.take()))
        if words.at_signs("("):
            return self._fields(words, self._call(words, tuple(parts), first))
        if len(parts) > 1 and first.lower == "system" and parts[1].text.lower() in _SYSTEM:
            return self._fields(words, _system(tuple(parts)))
        if len(parts) == 1 and first.kind == '"':
            return self._fields(words, tree.DoubleQuoted(first.text, first.position))
        _check_bare_call(words, parts, first)
        return self._fields(words, tree.Path(tuple(parts), first.position))

    def _fields(self, words: Words, of: tree.Expression) -> tree.Expression:
        """The fields, or the star, that follow an operand."""
        while words.at_signs("."):
            dot = words.take()
            if words.at_signs("*"):
                words.take()
                return tree.Star(of, dot.position)
            if words.token.kind not in {"word", "[", '"'}:
                raise words.unexpected("the name of a field", "Other names stand in brackets: a.[odd name].")
            if isinstance(of, tree.Path):
                raise words.error(f"A path has more than {_LONGEST_PATH} names here.")
            of = tree.Member(of, name_of(words.take()), dot.position)
        return of

    def _call(self, words: Words, name: tuple[tree.Name, ...], first: Token) -> tree.Expression:
        if len(name) > 2:
            raise words.error(f"`{name[0].text}.{name[1].text}.{name[2].text}(` is not a function's name.", first)
        if len(name) == 1 and first.lower in advice.FUNCTIONS:
            remedy = advice.FUNCTIONS[first.lower].format(name=first.lower)
            raise words.error(f"{first.text.upper()} is not in the language. {remedy}", first)
        words.take()
        if len(name) == 2 and first.lower == "system" and name[1].text.lower() in _SYSTEM:
            words.expect_sign(")", f"Write {name[0].text}.{name[1].text}().")
            return _system(name)
        quantifier = _QUANTIFIERS.get(words.token.lower)
        if quantifier is not None and not _is_sign(words.peek(), ")", ",", "."):
            words.take()
        else:
            quantifier = None
        arguments = self._arguments(words)
        if words.at_phrase("within", "group"):
            raise words.error(f"WITHIN GROUP is not in the language. {advice.CLAUSES['within']}")
        over = self.over(words) if words.at("over") and _is_sign(words.peek(), "(") else None
        return tree.Call(name, arguments, quantifier, over, first.position)

    def _arguments(self, words: Words) -> tuple[tree.Expression, ...]:
        arguments: list[tree.Expression] = []
        if not words.skip_sign(")"):
            while True:
                arguments.append(self.expression_or_star(words))
                if not words.skip_sign(","):
                    break
            words.expect_sign(")")
        return tuple(arguments)


_LONGEST_PATH = 100
_SYSTEM = frozenset({"timestamp", "window"})
_QUANTIFIERS: dict[str, tree.Quantifier] = {"distinct": "distinct", "all": "all"}
_KEYWORDS: dict[str, Callable[[Operands, Words], tree.Expression]] = {
    "null": Operands._null,
    "case": Operands._case,
    "cast": Operands._cast,
    "try_cast": Operands._cast,
}


def _begins(words: Words) -> bool:
    """Whether the keyword that stands here begins what it names, and is no column of the same name."""
    follower = words.peek()
    if words.at("cast", "try_cast"):
        return _is_sign(follower, "(")
    return not _is_sign(follower, ".")


def _is_sign(token: Token, *signs: str) -> bool:
    return token.kind == "sign" and token.text in signs


def _check_first(words: Words) -> None:
    token = words.token
    if token.kind not in {"word", "[", '"'}:
        raise words.unexpected("a value or a column")
    if words.at("select") and _is_sign(words.before, "("):
        raise words.error("A query cannot stand in an expression. Make it a step of WITH, and JOIN it.")
    if token.lower in RESERVED and not _is_sign(words.peek(), "."):
        hint = f"A column of this name stands in brackets: [{token.text}]."
        if _is_sign(words.before, ","):
            hint = "Leave the comma before it out."
        raise words.unexpected("a value or a column", hint)


def _check_bare_call(words: Words, parts: list[tree.Name], first: Token) -> None:
    """Mistakes that would otherwise pass as an alias, or as a column that no row has."""
    follower = words.token
    if follower.kind == "[" and follower.start == words.before.start + len(words.before.written):
        index = follower.text.strip("'\"")
        path = ".".join(part.text for part in parts)
        if index.lstrip("-").isdigit():
            raise words.error(f"An element is not reached by an index. Write GetArrayElement({path}, {index}).")
        if index != follower.text:
            raise words.error(f"A field is not reached by a quoted name. Write {path}.[{index}].")
    if len(parts) == 1 and first.lower in {"true", "false"}:
        bit = 1 if first.lower == "true" else 0
        raise words.error(
            f"{first.text.upper()} is not in the language. Write {bit}, or [{first.text}] for a column of this name.",
            first,
        )
    if len(parts) == 1 and first.lower == "current_timestamp":
        raise words.error(f"CURRENT_TIMESTAMP is not in the language. {advice.FUNCTIONS['current_timestamp']}", first)


def _system(parts: tuple[tree.Name, ...]) -> tree.Expression:
    timestamp = parts[1].text.lower() == "timestamp"
    place = parts[0].position
    system: tree.Expression = tree.SystemTimestamp(place) if timestamp else tree.SystemWindow(place)
    for part in parts[2:]:
        system = tree.Member(system, part, part.position)
    return system
