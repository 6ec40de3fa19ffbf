"""How a service says no: the rule that was broken, its code and its words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """``rule`` is an id of :mod:`fraudstream.cloud.rules.rule`; ``code`` and ``code_name`` are the service's own."""

    rule: str
    code: int
    code_name: str
    message: str
