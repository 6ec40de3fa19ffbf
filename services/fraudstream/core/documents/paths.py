"""How fields of events are asked for: a dot in a query's name always leads into an object, never stands in a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def can_ask(path: Sequence[str]) -> bool:
    """Whether a store finds documents by the field at this path of names."""
    return not any("." in name for name in path)


def queried(path: Sequence[str]) -> str:
    """The path as a query has it."""
    return ".".join(path)


def projection(fixed: Iterable[str], paths: Iterable[Sequence[str]]) -> dict[str, int] | None:
    """What a query asks for: names of the document and paths of the event; None where it has to ask for all."""
    paths = tuple(paths)
    if not all(map(can_ask, paths)):
        return None
    return dict.fromkeys((*fixed, *map(queried, paths)), 1)
