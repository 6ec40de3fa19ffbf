"""The names of types in CAST and CREATE TABLE."""

from __future__ import annotations

from fraudstream.asaql.text import advice
from fraudstream.asaql.text.tokens import shortened
from fraudstream.asaql.text.tree import TypeName
from fraudstream.asaql.text.words import Words

TYPES = ("bigint", "float", "nvarchar(max)", "datetime", "bit", "record", "array")


def type_name(words: Words) -> TypeName:
    """One of the seven types. Raises QueryError with the type to write for another dialect's."""
    token = words.token
    if token.kind not in {"word", "["}:
        raise words.unexpected("a type", f"Write {_listed()}.")
    name = token.text.lower()
    words.take()
    if name == "nvarchar":
        _length(words)
    elif name not in TYPES:
        remedy = advice.TYPES.get(name, f"Write {_listed()}.")
        raise words.error(f"{token.text.upper()} is not a type of the language. {remedy}", token)
    return TypeName(name, token.position)


def _length(words: Words) -> None:
    if not words.skip_sign("("):
        return
    if not words.skip("max"):
        written = shortened(words.token.written)
        raise words.error(
            f"A text has no length: nvarchar({written}) is not a type of the language. Write nvarchar(max)."
        )
    words.expect_sign(")")


def _listed() -> str:
    return f"{', '.join(TYPES[:-1])} or {TYPES[-1]}"
