"""Trees written as short texts, so that a test shows what belongs to what."""

from __future__ import annotations

from typing import Any

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.parser import parse


def select(text: str) -> tree.Select:
    """The only query of a text, which is a SELECT."""
    (query,) = parse(text).queries
    assert isinstance(query, tree.Select)
    return query


def expression(text: str) -> str:
    """An expression as written by :func:`written`."""
    return written(item(text).expression)


def item(text: str) -> tree.Item:
    """The only item of a SELECT list."""
    (only,) = select(" ".join(("SELECT", text, "FROM i"))).items
    return only


def condition(text: str) -> str:
    """The condition of a WHERE as written by :func:`written`."""
    return written(select(" ".join(("SELECT x FROM i WHERE", text))).where)


def group(text: str) -> str:
    """The only item of a GROUP BY as written by :func:`written`."""
    (only,) = select(" ".join(("SELECT a FROM i GROUP BY", text))).group
    return written(only)


def written(node: Any) -> str:
    """``(operator operand …)``; names bare, texts in quotes, other nodes by their class with their parts."""
    match node:
        case None | bool() | int() | float() | str():
            return repr(node)
        case tuple():
            return " ".join(written(part) for part in node)
        case tree.Name():
            return f"{node.quote}{node.text}"
        case tree.Path():
            return ".".join(written(part) for part in node.parts)
        case tree.Text() | tree.Number():
            return repr(node.value)
        case tree.Span():
            return f"{node.unit.text}:{node.amount}"
        case tree.Unary():
            return f"({node.operator} {written(node.operand)})"
        case tree.Binary():
            return f"({node.operator} {written(node.left)} {written(node.right)})"
        case tree.Logical():
            return f"({node.operator} {written(node.operands)})"
        case tree.TypeName():
            return node.name
        case _:
            parts = [(slot, getattr(node, slot)) for slot in node.__slots__ if slot != "position"]
            shown = [f"{slot}={written(value)}" for slot, value in parts if value not in (None, (), False)]
            return f"{type(node).__name__}({', '.join(shown)})"
