"""One thing that ``fraudstream doctor`` looks at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and what to do where it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
