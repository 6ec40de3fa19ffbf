"""The outcome of a rehearsal: accounting, throttles, use of units, refusals by rule, cost, secrets in logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraudstream.cloud.rehearsal.costs import monthly_costs
from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.environment import Plan
from fraudstream.cloud.rehearsal.faults import Schedule
from fraudstream.cloud.rules.quotas import UNIT_INGRESS_BYTES, UNIT_INGRESS_EVENTS
from fraudstream.cloud.rules.rule import Rule
from fraudstream.cloud.rules.table import rules
from fraudstream.runtime.accounting import Summary

# Refusals that a rehearsal causes on purpose: services have to survive throttles, limits and new keys.
_SURVIVED = ("CO026", "ML003", "ML004", "ML002", "IH002", "IH003")


# No rehearsal runs a Stream Analytics job: these rules are the linter's alone.
NOT_REHEARSED = "stream analytics"


@dataclass(slots=True)
class Outcome:
    """Rates are per second, delays in milliseconds, costs in USD a month.

    ``unread``: what could not be read, by kind; ``devices``: what became of devices' events, empty without any.
    """

    events: int
    acknowledged: int
    refused_by_size: int
    scored: int
    rejected: int
    stored: int
    redelivered: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    live_seconds: float
    document_writes: int
    writes_throttled: int
    reads_throttled: int
    requests_delayed: int
    delayed_ms: float
    producer_delays: int
    producer_delayed_ms: float
    sent_in_seconds: float
    request_units: float
    most_request_units: float
    total_request_units: float
    throughput_units: int
    most_throughput_units: float
    scoring_requests: int
    scoring_statuses: dict[str, int]
    registry_requests: int
    connections: dict[str, int]
    refusals: dict[str, int]
    faults: list[dict[str, object]]
    costs: list[dict[str, Any]]
    measured_at: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)
    devices: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def throttled_share(self) -> float:
        """The share of the document writes that were refused because request units were used up."""
        return self.writes_throttled / self.document_writes if self.document_writes else 0.0

    @property
    def complete(self) -> bool:
        """Whether every event that was taken was scored or rejected, and every scored one stored."""
        return (
            self.events == self.acknowledged + self.refused_by_size
            and self.acknowledged == self.scored + self.rejected
            and self.scored == self.stored
            and self.devices.get("complete", True)
        )

    @property
    def broken_rules(self) -> list[str]:
        """Rules that the project's services broke: refusals other than those that a rehearsal causes."""
        return sorted(rule for rule in self.refusals if rule not in _SURVIVED)

    @property
    def passed(self) -> bool:
        """Whether no event was lost, no rule broken, no secret logged and no request unreadable."""
        return self.complete and not self.broken_rules and not self.leaks and not self.unread

    def checks(self) -> list[dict[str, str]]:
        """Each rule with its state: kept, survived (throttles), broken or not enforced."""
        checks = []
        for rule in rules().values():
            count = self.refusals.get(rule.id, 0)
            if not count and not self._enforces(rule):
                state = "not enforced"
            else:
                state = "kept" if not count else f"survived {count:,}" if rule.id in _SURVIVED else f"broken {count:,}"
            checks.append({"rule": rule.id, "demand": rule.demand, "state": state, "source": rule.source})
        return checks

    def _enforces(self, rule: Rule) -> bool:
        """Whether an endpoint of this run would have refused what breaks the rule."""
        is_there = rule.service != "iot hub" or bool(self.devices)
        return bool(rule.answer) and rule.service != NOT_REHEARSED and is_there

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        derived = {
            "throttled_share": round(self.throttled_share, 4),
            "complete": self.complete,
            "broken_rules": self.broken_rules,
            "passed": self.passed,
        }
        return asdict(self) | derived | {"rules": self.checks()}


def account_for(
    plan: Plan,
    summary: Summary,
    published: dict[str, Any],
    endpoints: Endpoints,
    schedule: Schedule,
    live_seconds: float,
) -> Outcome:
    """The outcome from the endpoints' figures and from the contents of topics and documents."""
    namespace, cosmos = endpoints.gateway.figures, endpoints.cosmos.figures
    online, registry, budget = endpoints.online.figures, endpoints.registry.figures, endpoints.cosmos.budget
    hub = endpoints.hub.figures
    refusals: Counter[str] = namespace.refusals + hub.refusals + cosmos.refusals + online.refusals + registry.refusals
    unread = namespace.unread + hub.unread + cosmos.unread + online.unread + registry.unread
    unread += endpoints.identity.unread
    units = max(
        namespace.most_events_per_second / UNIT_INGRESS_EVENTS, namespace.most_bytes_per_second / UNIT_INGRESS_BYTES
    )
    per_second = summary.produced / live_seconds if live_seconds else 0.0
    return Outcome(
        events=plan.events,
        acknowledged=summary.produced,
        refused_by_size=int(published["refused"]),
        scored=summary.scored,
        rejected=summary.rejected,
        stored=summary.stored,
        redelivered=summary.redelivered,
        latency_p50_ms=summary.latency_p50_ms,
        latency_p95_ms=summary.latency_p95_ms,
        live_seconds=round(live_seconds, 1),
        document_writes=cosmos.writes,
        writes_throttled=cosmos.writes_throttled,
        reads_throttled=cosmos.reads_throttled,
        requests_delayed=namespace.delayed_requests,
        delayed_ms=round(namespace.delayed_ms),
        producer_delays=namespace.producer_delays,
        producer_delayed_ms=round(namespace.producer_delayed_ms),
        sent_in_seconds=float(published["seconds"]),
        request_units=plan.request_units,
        most_request_units=round(budget.most_used),
        total_request_units=round(budget.total),
        throughput_units=plan.throughput_units,
        most_throughput_units=round(units, 2),
        scoring_requests=online.requests,
        scoring_statuses={str(status): count for status, count in sorted(online.statuses.items())},
        registry_requests=registry.requests,
        connections={"event hubs": namespace.connections, "cosmos db": cosmos.connections},
        refusals=dict(sorted(refusals.items())),
        faults=schedule.to_json(),
        costs=monthly_costs(plan, per_second),
        unread=dict(sorted(unread.items())),
    )


def leaks(folder: Path, secrets: list[str]) -> list[str]:
    """Names of the log files that hold a secret, without the secret itself."""
    names = []
    for file in sorted(folder.glob("**/*")):
        if file.is_file():
            text = file.read_text("utf-8", errors="replace")
            if any(secret in text for secret in secrets):
                names.append(file.name)
    return names
