"""`MATCH_RECOGNIZE ( … ) AS name`."""

from __future__ import annotations

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.grammar.expressions import expression, expressions
from fraudstream.asaql.text.grammar.spans import limit_duration
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import Words, take_name


def match_recognize(words: Words) -> tree.Match:
    """The parts in the order of the reference; PARTITION BY may also stand first. Raises QueryError."""
    place = words.take().position
    words.expect_sign("(")
    partition = _partition(words)
    limit = limit_duration(words)
    partition = partition or _partition(words)
    words.expect("measures")
    measures = [_measure(words)]
    while words.skip_sign(","):
        measures.append(_measure(words))
    for word in ("after", "match", "skip", "to", "next", "row"):
        words.expect(word, "The only rule is AFTER MATCH SKIP TO NEXT ROW.")
    words.expect("pattern")
    words.expect_sign("(")
    pattern = _choice(words)
    words.expect_sign(")", "A pattern holds variables, `.`, `|`, parentheses and * + ?.")
    words.expect("define")
    definitions = [_definition(words)]
    while words.skip_sign(","):
        definitions.append(_definition(words))
    words.expect_sign(")")
    alias = _alias(words)
    return tree.Match(limit, partition, tuple(measures), pattern, tuple(definitions), alias, place)


def _partition(words: Words) -> tuple[tree.Expression, ...]:
    if not words.at_phrase("partition", "by"):
        return ()
    words.take()
    words.take()
    return expressions(words)


def _alias(words: Words) -> tree.Name | None:
    if words.skip("as"):
        return take_name(words, "the name of the matches")
    plain = words.token.kind == "word" and words.token.lower not in _AFTER
    return take_name(words, "the name of the matches") if plain or words.token.kind in {"[", '"'} else None


def _measure(words: Words) -> tree.Measure:
    place = words.token.position
    read = expression(words)
    words.expect("as", "Each measure has a name: expression AS name.")
    return tree.Measure(read, take_name(words, "the measure's name"), place)


def _definition(words: Words) -> tree.Definition:
    name = take_name(words, "a variable of the pattern")
    words.expect("as", "Write variable AS condition.")
    return tree.Definition(name, expression(words), name.position)


def _choice(words: Words) -> tree.Pattern:
    words.deeper()
    place = words.token.position
    options = [_sequence(words)]
    while words.skip_sign("|"):
        options.append(_sequence(words))
    words.higher()
    return options[0] if len(options) == 1 else tree.PatternChoice(tuple(options), place)


def _sequence(words: Words) -> tree.Pattern:
    place = words.token.position
    parts = [_repeated(words)]
    while _begins(words.token):
        parts.append(_repeated(words))
    return parts[0] if len(parts) == 1 else tree.PatternSequence(tuple(parts), place)


def _repeated(words: Words) -> tree.Pattern:
    part = _row(words)
    for quantifier in _QUANTIFIERS:
        if words.at_signs(quantifier):
            place = words.take().position
            part = tree.PatternRepeat(part, quantifier, place)
            break
    if words.at_signs(*_QUANTIFIERS):
        raise words.error("Two quantifiers follow one another. Put the first with its variable in parentheses.")
    return part


def _row(words: Words) -> tree.Pattern:
    token = words.token
    if words.skip_sign("("):
        inside = _choice(words)
        words.expect_sign(")")
        return inside
    if words.skip_sign("."):
        return tree.PatternRow(None, token.position)
    return tree.PatternRow(take_name(words, "a variable of the pattern, or `.`"), token.position)


def _begins(token: Token) -> bool:
    return token.kind in {"word", "["} or (token.kind == "sign" and token.text in {"(", "."})


_QUANTIFIERS: tuple[tree.RepeatQuantifier, ...] = ("*", "+", "?")
_AFTER = frozenset({"where", "group", "having", "select", "union", "with", "create", "go"})
