"""Where the panels of a project's dimensions stand on a page, and what their components are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from fraudstream.dashboards.data.fields import OPEN, VALUES
from fraudstream.dashboards.ui.figures import MOST_BARS, MOST_ORDERED
from fraudstream.dashboards.ui.words import is_ordered

COLUMNS = 12
_A_ROW = 3
_PLAIN = re.compile(r"[A-Za-z0-9_]+")

Item = TypeVar("Item")


def component(prefix: str, dimension: str) -> str:
    """The id of a dimension's component. Dash refuses dots in ids, and fields may have any other sign."""
    if _PLAIN.fullmatch(dimension):
        return f"{prefix}-{dimension}"
    # No plain name has a hyphen.
    return f"{prefix}-dimension-{list(VALUES).index(dimension)}"


def bars(dimension: str) -> int:
    """How many bars a dimension has at most."""
    most = MOST_ORDERED if is_ordered(dimension) else MOST_BARS
    return most if dimension in OPEN else min(len(VALUES[dimension]), most)


def in_rows(items: Sequence[Item], a_row: int = _A_ROW) -> list[list[Item]]:
    """The items in rows of at most ``a_row``, no row more than one longer than another."""
    if not items:
        return []
    rows = -(-len(items) // a_row)
    length, longer = divmod(len(items), rows)
    ends = [length * row + min(row, longer) for row in range(rows + 1)]
    return [list(items[begin:end]) for begin, end in pairwise(ends)]


def widths(weights: Sequence[int], least: int) -> list[int]:
    """A row's columns shared out: to each at least ``least``, and the rest by weight."""
    spare = COLUMNS - least * len(weights)
    total = sum(weights) or 1
    shares = [spare * weight / total for weight in weights]
    shared = [int(share) for share in shares]
    by_rest = sorted(range(len(weights)), key=lambda place: shared[place] - shares[place])
    for place in by_rest[: spare - sum(shared)]:
        shared[place] += 1
    return [least + columns for columns in shared]
