"""A service's refusal: the broken rule, the service's code and its message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """``rule`` is an id of :mod:`fraudstream.cloud.rules.rule`; ``code`` and ``code_name`` are the service's own."""

    rule: str
    code: int
    code_name: str
    message: str
