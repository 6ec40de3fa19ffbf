"""The project's bounds, each with the value of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bound:
    """A claim about a ratio: ``value`` has to be at most, or at least, ``limit``."""

    claim: str
    value: float
    limit: float
    at_most: bool

    @property
    def holds(self) -> bool:
        """Whether the run kept the bound."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        sign = "≤" if self.at_most else "≥"
        return {"claim": self.claim, "value": self.value, "limit": f"{sign} {self.limit:g}", "holds": self.holds}


def at_most(claim: str, value: float | None, limit: float) -> list[Bound]:
    """The bound, or none where the run has no value for it."""
    return [] if value is None else [Bound(claim, value, limit, True)]


def at_least(claim: str, value: float | None, limit: float) -> list[Bound]:
    """The bound, or none where the run has no value for it."""
    return [] if value is None else [Bound(claim, value, limit, False)]


def ratio(part: float | None, whole: float | None) -> float | None:
    """``part / whole``, None where one of them was not measured."""
    return None if part is None or not whole else part / whole


def to_json(bounds: Iterable[Bound]) -> list[dict[str, Any]]:
    """The bounds as JSON-ready objects."""
    return [bound.to_json() for bound in bounds]
