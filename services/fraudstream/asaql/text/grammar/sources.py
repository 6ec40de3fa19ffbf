"""FROM: sources, joins and applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from fraudstream.asaql.text import advice, tree
from fraudstream.asaql.text.grammar.aliases import alias_after_as, plain_alias
from fraudstream.asaql.text.grammar.expressions import expression, expressions
from fraudstream.asaql.text.words import Words, take_name

QueryReader: TypeAlias = Callable[[Words], tree.Query]
_FUNCTIONS = {"getarrayelements", "getelements", "getrecordproperties"}


def source(words: Words, query: QueryReader) -> tree.Source:
    """An input or step with what follows its name, or a query in parentheses. Raises QueryError."""
    opening = words.token
    if words.skip_sign("("):
        inside = query(words)
        words.expect_sign(")")
        return tree.DerivedSource(inside, _alias(words), opening.position)
    return _named(words)


def joins(words: Words, query: QueryReader) -> tuple[tree.Join | tree.Apply, ...]:
    """The joins and applies that follow the first source, in their order."""
    read: list[tree.Join | tree.Apply] = []
    while True:
        first = words.token
        if words.at_phrase("cross", "apply") or words.at_phrase("outer", "apply"):
            outer = words.take().lower == "outer"
            words.take()
            read.append(_apply(words, outer, first.position))
            continue
        kind = _join_kind(words)
        if kind is None:
            return tuple(read)
        joined = source(words, query)
        read.append(tree.Join(kind, joined, _condition(words, kind), first.position))


def _join_kind(words: Words) -> tree.JoinKind | None:
    if words.skip("join"):
        return "inner"
    if words.at("inner", "left", "cross"):
        kind = words.take().lower
        if kind == "left":
            words.skip("outer")
        words.expect("join")
        return "inner" if kind == "inner" else "left" if kind == "left" else "cross"
    if words.at("full", "right") and words.peek().lower in {"join", "outer"}:
        raise words.error(
            f"{words.token.text.upper()} JOIN is not in the language. {advice.CLAUSES[words.token.lower]}"
        )
    if words.at_signs(","):
        raise words.error(
            "Sources have no comma between them. Write JOIN … ON with DATEDIFF, or CROSS APPLY for arrays."
        )
    return None


def _condition(words: Words, kind: tree.JoinKind) -> tree.Expression | None:
    if words.skip("on"):
        return expression(words)
    if kind == "cross":
        return None
    hint = "Write ON with DATEDIFF(unit, a, b) for two streams, or with equal keys for reference data."
    raise words.unexpected("ON", advice.CLAUSES["using"] if words.at("using") else hint)


def _apply(words: Words, outer: bool, place: tree.Position) -> tree.Apply:
    token = words.token
    name = token.text.lower() if token.kind in {"word", "["} else ""
    if name not in _FUNCTIONS:
        hint = "Make what it applies an array first, in a step of WITH."
        raise words.unexpected("GetArrayElements or GetRecordProperties", hint)
    words.take()
    words.expect_sign("(")
    argument = expression(words)
    words.expect_sign(")")
    alias = _alias(words)
    if alias is None:
        raise words.unexpected("AS and a name", f"What {token.text} gives has a name: {token.text}(…) AS element.")
    return tree.Apply(outer, "properties" if name == "getrecordproperties" else "elements", argument, alias, place)


def _alias(words: Words) -> tree.Name | None:
    return alias_after_as(words) if words.skip("as") else plain_alias(words)


class _Parts:
    """What follows a source's name, each part once, in any order."""

    def __init__(self) -> None:
        self.alias: tree.Name | None = None
        self.timestamp: tree.Expression | None = None
        self.over: tuple[tree.Expression, ...] = ()
        self.partition: tuple[tree.Expression, ...] = ()
        self.shards: int | None = None

    def read(self, words: Words) -> bool:
        """Read one part; whether there was one."""
        if self.timestamp is None and words.at_phrase("timestamp", "by"):
            words.take()
            words.take()
            self.timestamp = expression(words)
            if words.skip("over"):
                self.over = expressions(words)
            return True
        if not self.partition and words.at_phrase("partition", "by"):
            words.take()
            words.take()
            self.partition = expressions(words)
            self.shards = _shards(words)
            return True
        if self.alias is None:
            self.alias = _alias(words)
            return self.alias is not None
        return False


def _named(words: Words) -> tree.NamedSource:
    token = words.token
    name = take_name(words, "the name of an input or step")
    _check_hyphen(words, name)
    if words.at_signs("(") and words.peek().lower != "select":
        raise words.error(
            f"{token.text} is a function: FROM takes an input or a step. Write CROSS APPLY for arrays.", token
        )
    if words.at_signs("."):
        raise words.error("An input or step has one name. Put a name with dots in brackets: [a.b].")
    parts = _Parts()
    while parts.read(words):
        pass
    return tree.NamedSource(
        name, parts.alias, parts.timestamp, parts.over, parts.partition, parts.shards, token.position
    )


def _check_hyphen(words: Words, name: tree.Name) -> None:
    if not name.quote and words.at_signs("-"):
        follower = words.peek()
        written = f"{name.text}-{follower.written}" if follower.kind in {"word", "number"} else f"{name.text}-…"
        raise words.error(f"A name with `-` stands in brackets: [{written}].")


def _shards(words: Words) -> int | None:
    if not words.at("into") or words.peek().kind != "number":
        return None
    words.take()
    token = words.take()
    if not token.text.isdigit():
        raise words.error("The number of shards is an integer.", token)
    return int(token.text)


def output_name(words: Words) -> tree.Name:
    """The name after INTO. Raises QueryError."""
    name = take_name(words, "the name of an output")
    _check_hyphen(words, name)
    if words.at_signs("."):
        raise words.error("An output has one name. Put a name with dots in brackets: [a.b].")
    return name
