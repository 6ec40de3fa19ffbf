"""The tokens of a query, read from left to right, and the error where one is not what the grammar wants."""

from __future__ import annotations

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text import advice
from fraudstream.asaql.text.tokens import Token, shortened, tokens_of
from fraudstream.asaql.text.tree import Name

DEEPEST = 100
"""How deep parentheses, calls and queries may stand in one another: what reads the tree goes down once per level."""

RESERVED = frozenset(
    {
        *("select", "from", "where", "group", "having", "union", "into", "join", "on", "as", "case", "when", "then"),
        *("else", "end", "and", "or", "not", "in", "is", "like", "between", "null", "distinct"),
    }
)
"""Words that are names only in quotes, or after a dot."""


class Words:
    """The place in a text that is being read."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._tokens = tokens_of(text, file)
        self._index = 0
        self._depth = 0
        self.token = self._tokens[0]

    def peek(self, ahead: int = 1) -> Token:
        """A token after the present one; the last for ever."""
        return self._tokens[min(self._index + ahead, len(self._tokens) - 1)]

    @property
    def before(self) -> Token:
        """The token before the present one, or the present one at the beginning."""
        return self._tokens[max(self._index - 1, 0)]

    def take(self) -> Token:
        """The present token; the next one becomes present."""
        taken = self.token
        self._index = min(self._index + 1, len(self._tokens) - 1)
        self.token = self._tokens[self._index]
        return taken

    def at(self, *words: str) -> bool:
        """Whether one of these unquoted words stands here."""
        return self.token.lower in words

    def at_signs(self, *signs: str) -> bool:
        """Whether one of these signs stands here."""
        return self.token.kind == "sign" and self.token.text in signs

    def at_phrase(self, *words: str) -> bool:
        """Whether these unquoted words stand here, one after another."""
        return all(self.peek(ahead).lower == word for ahead, word in enumerate(words))

    def skip(self, *words: str) -> bool:
        """Take one of these words if it stands here."""
        if not self.at(*words):
            return False
        self.take()
        return True

    def skip_sign(self, sign: str) -> bool:
        """Take this sign if it stands here."""
        if not self.at_signs(sign):
            return False
        self.take()
        return True

    def expect(self, word: str, hint: str = "") -> Token:
        """Take this word. Raises QueryError if another token stands here."""
        if not self.at(word):
            raise self.unexpected(word.upper(), hint)
        return self.take()

    def expect_sign(self, sign: str, hint: str = "") -> Token:
        """Take this sign. Raises QueryError if another token stands here."""
        if not self.at_signs(sign):
            raise self.unexpected(f"`{sign}`", hint)
        return self.take()

    def deeper(self) -> None:
        """One level down. Raises QueryError below :data:`DEEPEST`."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.error(
                f"Parentheses and calls stand more than {DEEPEST} deep here. Take parts out into steps of WITH."
            )

    def higher(self) -> None:
        """One level up again."""
        self._depth -= 1

    def error(self, reason: str, token: Token | None = None) -> QueryError:
        """The error at a token, the present one if none is given."""
        return QueryError(reason, *(token or self.token).position, self.file)

    def unexpected(self, expected: str, hint: str = "") -> QueryError:
        """The error that the present token is not what is expected. A sign that is a habit has its own advice."""
        token = self.token
        if token.kind == "end":
            reason = f"The text ends where {expected} is expected."
        else:
            reason = f"`{shortened(token.written)}` stands where {expected} is expected."
        remedy = self._advice(token) or hint
        return self.error(f"{reason} {remedy}".rstrip())

    def _advice(self, token: Token) -> str:
        if token.kind == "sign":
            return advice.SIGNS.get(token.text, "")
        if token.kind == "number" and token.text.startswith(".") and self.before.kind in {"word", "["}:
            return "A name that starts with a digit stands in brackets."
        return ""


def name_of(token: Token) -> Name:
    """A token that is a name, quoted or not, as the tree's name."""
    if token.kind == "[" or token.kind == '"' or token.kind == "'":
        return Name(token.text, token.position, token.kind)
    return Name(token.text, token.position)


def take_name(words: Words, what: str) -> Name:
    """A name where one must stand: a word that is not reserved, or a name in brackets or double quotes."""
    token = words.token
    if token.kind == "'":
        raise words.error(f"{shortened(token.written)} is a text where {what} is expected. Write [{token.text}].")
    if token.lower in RESERVED:
        hint = f"A column or source of this name stands in brackets: [{token.text}]."
        raise words.unexpected(what, hint)
    if token.kind not in {"word", "[", '"'}:
        raise words.unexpected(what)
    return name_of(words.take())
