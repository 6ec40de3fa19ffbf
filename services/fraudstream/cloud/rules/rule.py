"""The rules of the Azure services that this project can break: their demand, source and fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Service = Literal["event hubs", "iot hub", "cosmos db", "azure ml", "registry", "stream analytics", "project"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """``answer``: the service's code for a violation; empty where no service refuses it."""

    id: str
    service: Service
    demand: str
    fix: str
    source: str
    answer: str = ""
    severity: Severity = "error"


def numbering(prefix: str, service: Service) -> Callable[..., Rule]:
    """A maker of a service's rules from a number and the fields after ``service``: 7 of "CO" has the id CO007."""

    def rule(number: int, demand: str, fix: str, source: str, answer: str = "", severity: Severity = "error") -> Rule:
        return Rule(f"{prefix}{number:03}", service, demand, fix, source, answer, severity)

    return rule


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the project or its settings break; ``where`` names the setting, file or command."""

    rule: Rule
    where: str
    problem: str

    def to_json(self) -> dict[str, str]:
        """As a JSON-ready object."""
        return {
            "rule": self.rule.id,
            "service": self.rule.service,
            "severity": self.rule.severity,
            "where": self.where,
            "problem": self.problem,
            "demand": self.rule.demand,
            "fix": self.rule.fix,
            "source": self.rule.source,
        }
