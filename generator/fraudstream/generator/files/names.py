"""What the columns of a file are called as fields of an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fraudstream.core.project.reserved import RESERVED_FIELDS

# How pandas calls a column without a name when it reads a file that it wrote with its index.
_UNNAMED = "Unnamed: "


def field_name(name: str, position: int) -> str:
    """The field of a column at a place (from 0): a name that an event and its document may have."""
    cleaned = name.replace("\0", "").strip().lstrip("$").replace(".", "_")
    if not cleaned or cleaned.startswith(_UNNAMED):
        return f"column_{position + 1}"
    return f"file_{cleaned}" if cleaned in RESERVED_FIELDS else cleaned


def field_names(columns: Sequence[str]) -> tuple[str, ...]:
    """The fields of all columns in their order, none twice.

    Stream Analytics and Spark do not tell names apart by their case: ``v1`` beside ``V1`` becomes ``v1_2``.
    """
    wanted = [field_name(column, position) for position, column in enumerate(columns)]
    taken = {name.lower() for name in wanted}
    used: set[str] = set()
    names = []
    for name in wanted:
        chosen, number = name, 1
        while chosen.lower() in used or (number > 1 and chosen.lower() in taken):
            number += 1
            chosen = f"{name}_{number}"
        used.add(chosen.lower())
        names.append(chosen)
    return tuple(names)


def is_unnamed(column: str) -> bool:
    """Whether a column has no name of its own: the numbers of the rows, as pandas and R write them."""
    return not column.strip() or column.strip().startswith(_UNNAMED)


def unused(wanted: str, names: Iterable[str]) -> str:
    """``wanted``, or with a number behind it where it is taken."""
    taken = {name.lower() for name in names}
    number, chosen = 1, wanted
    while chosen.lower() in taken:
        number += 1
        chosen = f"{wanted}_{number}"
    return chosen
