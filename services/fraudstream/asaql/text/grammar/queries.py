"""SELECT and UNION."""

from __future__ import annotations

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text import advice, tree
from fraudstream.asaql.text.grammar.aliases import alias_after_as, plain_alias
from fraudstream.asaql.text.grammar.expressions import expression, expression_or_star
from fraudstream.asaql.text.grammar.patterns import match_recognize
from fraudstream.asaql.text.grammar.sources import joins, output_name, source
from fraudstream.asaql.text.grammar.windows import group_items
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import Words, name_of


def query(words: Words) -> tree.Query:
    """A SELECT, or several with UNION between them, with or without parentheses. Raises QueryError."""
    words.deeper()
    place = words.token.position
    halves = [_half(words)]
    while words.skip("union"):
        words.skip("all")
        words.skip("distinct")
        halves.append(_half(words))
    words.higher()
    return halves[0] if len(halves) == 1 else tree.Union(tuple(halves), place)


def begins(words: Words) -> bool:
    """Whether a query begins here."""
    return words.at("select") or words.at_signs("(")


def _half(words: Words) -> tree.Query:
    if not words.skip_sign("("):
        return _select(words)
    inside = query(words)
    words.expect_sign(")")
    return inside


def _select(words: Words) -> tree.Select:
    if words.at("with"):
        raise words.error("WITH stands once, before the first SELECT of the file, not inside a query.")
    place = words.expect("select").position
    distinct = words.skip("distinct")
    _check_top(words)
    items = [_item(words)]
    while words.skip_sign(","):
        items.append(_item(words))
    into = output_name(words) if words.skip("into") else None
    if not words.at("from"):
        raise _no_from(words, into)
    words.take()
    first = source(words, query)
    joined = joins(words, query)
    match = match_recognize(words) if words.at("match_recognize") else None
    where = expression(words) if words.skip("where") else None
    group: tuple[tree.Expression | tree.Window, ...] = ()
    if words.skip("group"):
        words.expect("by")
        group = group_items(words)
    having = expression(words) if words.skip("having") else None
    return tree.Select(distinct, tuple(items), into, first, joined, match, where, group, having, place)


def _check_top(words: Words) -> None:
    follower = words.peek()
    if words.at("top") and (follower.kind == "number" or (follower.kind == "sign" and follower.text == "(")):
        raise words.error(
            "TOP is not in the language. Write CollectTop(n) OVER (ORDER BY …) with a window, and CROSS APPLY "
            "GetArrayElements to its result in the next step."
        )


def _item(words: Words) -> tree.Item:
    place = words.token.position
    if _is_assignment(words):
        alias = name_of(words.take())
        words.take()
        return tree.Item(expression(words), alias, place)
    read = expression_or_star(words)
    if isinstance(read, tree.Star):
        if words.at("as"):
            raise words.error("A star has no alias. Leave AS out, or name one column.")
        return tree.Item(read, None, place)
    named = alias_after_as(words) if words.skip("as") else plain_alias(words)
    return tree.Item(read, named, place)


def _is_assignment(words: Words) -> bool:
    follower = words.peek()
    named = words.token.kind in {"word", "[", '"', "'"}
    return named and follower.kind == "sign" and follower.text == "="


def _no_from(words: Words, into: tree.Name | None) -> QueryError:
    if into is not None:
        return words.unexpected("FROM", "Write FROM and the name of an input after the output's name.")
    if words.at("group", "where", "having", "order") or words.token.kind == "end" or words.at_signs(";", ")"):
        return words.unexpected("FROM", "A query always reads FROM an input or a step.")
    hint = advice.CLAUSES.get(words.token.lower, "") if words.at("within", "collate", "at") else ""
    return words.unexpected("a comma, INTO or FROM", hint)


def after_query(words: Words, first: Token) -> QueryError:
    """The error for what stands where a query should have ended; ``first`` is the query's first token."""
    hint = advice.CLAUSES.get(words.token.lower, "")
    if words.at("having"):
        hint = "HAVING stands once, after GROUP BY."
    if words.at_signs(")"):
        hint = "No parenthesis is open here. Leave it out."
    expected = f"the end of the query of line {first.position.line}, or its next clause,"
    return words.unexpected(expected, hint)
