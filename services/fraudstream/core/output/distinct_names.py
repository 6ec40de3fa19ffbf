"""Names that differ: senders choose the fields of their events, and what is shown of two of them may be the same."""

from __future__ import annotations

from collections.abc import Callable


class DistinctNames:
    """Gives each name once: what is like an earlier one gets ``mark`` and a number behind it.

    ``alike`` makes the same text of names that must not both be given. However many names begin alike, each costs the
    same.
    """

    def __init__(self, mark: str, alike: Callable[[str], str] = str) -> None:
        self._mark = mark
        self._alike = alike
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def given(self, wanted: str) -> str:
        """The name, or one that is like none before."""
        name, known = wanted, self._alike(wanted)
        # What is taken stays taken, so that no number has to be tried twice.
        number = self._next.get(known, 2)
        while self._alike(name) in self._taken:
            name, number = f"{wanted}{self._mark}{number}", number + 1
        self._next[known] = number
        self._taken.add(self._alike(name))
        return name
