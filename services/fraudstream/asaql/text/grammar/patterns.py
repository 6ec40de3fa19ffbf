"""`MATCH_RECOGNIZE ( … ) AS name`."""

from __future__ import annotations

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text import tree
from fraudstream.asaql.text.grammar.expressions import expression, expressions
from fraudstream.asaql.text.grammar.spans import limit_duration
from fraudstream.asaql.text.tokens import Token
from fraudstream.asaql.text.words import Words, take_name

MOST_ROWS = 50
"""Variables of a pattern, each repetition that a count asks for counted."""


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
    words.expect_sign(")", "A pattern holds variables, `.`, `|`, parentheses, * + ? and counts such as {2,}.")
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
    else:
        if words.at_signs("{"):
            part = _counted(words, part)
    if words.at_signs(*_QUANTIFIERS, "{"):
        raise words.error("Two quantifiers follow one another. Put the first with its variable in parentheses.")
    return part


def _counted(words: Words, part: tree.Pattern) -> tree.Pattern:
    """``p{n}``, ``p{n,}`` or ``p{n,m}``: as many parts one after another, and what may follow them."""
    place = words.take().position
    least = most = _count(words)
    is_open = False
    if words.skip_sign(","):
        is_open = words.at_signs("}")
        most = least if is_open else _count(words)
    if most < max(least, 1) and not is_open:
        raise words.error(f"A pattern cannot be repeated from {least} to {most} times. Write {{least,most}}.")
    words.expect_sign("}")
    parts: list[tree.Pattern] = [part] * least
    if is_open:
        parts.append(tree.PatternRepeat(part, "*", place))
    elif most > least:
        rest: tree.Pattern = tree.PatternRepeat(part, "?", place)
        for _ in range(most - least - 1):
            rest = tree.PatternRepeat(tree.PatternSequence((part, rest), place), "?", place)
        parts.append(rest)
    repeated = parts[0] if len(parts) == 1 else tree.PatternSequence(tuple(parts), place)
    if _rows(repeated) > MOST_ROWS:
        raise QueryError(f"The pattern has more than {MOST_ROWS} variables once it is repeated.", *place, words.file)
    return repeated


def _count(words: Words) -> int:
    token = words.token
    if token.kind != "number" or not token.text.isdecimal() or int(token.text) > MOST_ROWS:
        raise words.unexpected(f"a count up to {MOST_ROWS}", "Write {n}, {n,} or {n,m}.")
    return int(words.take().text)


def _rows(pattern: tree.Pattern) -> int:
    if isinstance(pattern, tree.PatternRow):
        return 1
    if isinstance(pattern, tree.PatternRepeat):
        return _rows(pattern.part)
    parts = pattern.parts if isinstance(pattern, tree.PatternSequence) else pattern.options
    return sum(map(_rows, parts))


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
