"""The fault schedule: which fault happens at which share of the events, and its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Fault:
    """Happens once ``at_share`` (0 to 1) of the events are scored; ``happen`` causes it and returns its outcome."""

    name: str
    at_share: float
    happen: Callable[[], str]
    outcome: str = ""
    at_seconds: float | None = None


@dataclass(slots=True)
class Schedule:
    """Faults in the order of their shares; each happens once."""

    faults: list[Fault]
    _began: float = field(default_factory=time.monotonic)

    def advance(self, share: float) -> None:
        """Cause the faults that are due at this share (0 to 1) of the events."""
        for fault in self.faults:
            if fault.at_seconds is None and share >= fault.at_share:
                fault.at_seconds = time.monotonic() - self._began
                fault.outcome = fault.happen()
                log.info("fault", fault=fault.name, outcome=fault.outcome)

    @property
    def all_happened(self) -> bool:
        """Whether every fault has happened."""
        return all(fault.at_seconds is not None for fault in self.faults)

    def to_json(self) -> list[dict[str, object]]:
        """Each fault with its time (seconds after the first event) and its outcome, JSON-ready."""
        return [
            {
                "fault": fault.name,
                "at_seconds": None if fault.at_seconds is None else round(fault.at_seconds, 1),
                "outcome": fault.outcome,
            }
            for fault in self.faults
        ]
