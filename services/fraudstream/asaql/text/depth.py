"""How deep a tree goes. What reads it goes down once per level, so a limit keeps that from running out of stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text import tree

MOST_LEVELS = 150
"""Levels of a tree: those of parentheses and calls, and those of the left operands of `a + b + c`."""


def check_depth(job: tree.Job, file: str) -> None:
    """Raises QueryError at the first node more than ``MOST_LEVELS`` levels below its step or query."""
    level: list[Any] = [*job.steps, *job.queries]
    for _ in range(MOST_LEVELS):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    reason = (
        f"More than {MOST_LEVELS} operations hang on one another here. Write CONCAT for long sums of texts, IN for "
        "long lists, or take parts out into steps of WITH."
    )
    place: tree.Position = level[0].position
    raise QueryError(reason, *place, file)


def _children(node: Any) -> Iterator[Any]:
    for slot in node.__slots__:
        value = getattr(node, slot)
        if type(value) is tuple:
            yield from (child for child in value if hasattr(child, "position"))
        elif hasattr(value, "position"):
            yield value
