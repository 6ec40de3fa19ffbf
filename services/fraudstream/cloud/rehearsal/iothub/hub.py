"""The IoT hub of a rehearsal as it was deployed: its tier, its units, and what they let through."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fraudstream.cloud.rehearsal.net.rate import Rate
from fraudstream.cloud.rules.iothub_limits import HUB_TIERS, Sku, Throttle, deployed
from fraudstream.core.errors import ConfigurationError

# "The size of this queue is limited": no page says how. What would wait for longer is refused.
MOST_WAIT_SECONDS = 5.0
# Throttles hold "in minute ranges": what counts by the minute may come at once.
_MINUTE = 60.0


@dataclass(slots=True)
class HubFigures:
    """Counts of an emulated hub: ``refusals`` by rule, ``unread`` by kind, waits in milliseconds."""

    telemetry: int = 0
    messages: int = 0
    delayed: int = 0
    delayed_ms: float = 0.0
    connections: int = 0
    requests: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


class IotHub:
    """A hub of so many units: what one operation has to wait, or that it is refused."""

    def __init__(self, sku: Sku = "S1", units: int = 1) -> None:
        self.figures = HubFigures()
        self.deploy(sku, units)

    def deploy(self, sku: Sku, units: int, retention_days: int = 1, partitions: int = 4) -> None:
        """Set tier and units, as ARM does. Raises :class:`ConfigurationError` beyond what the tier has."""
        tier = HUB_TIERS[sku]
        for what, asked, least, most in deployed(tier, units, retention_days, partitions):
            if not least <= asked <= most:
                raise ConfigurationError(f"400: the deployment wants {what} {asked}, {sku} takes {least} to {most}.")
        self.tier = tier
        self.quota = tier.daily_messages * units

        def rate(throttle: Throttle, burst_seconds: float = 1.0) -> Rate:
            return Rate(throttle.per_second(units), burst_seconds)

        self.rates = {
            "IH002": rate(tier.sends),
            "IH003": rate(tier.connections),
            "IH005": rate(tier.registry, _MINUTE),
            "IH006": rate(tier.twin_reads),
            "IH007": rate(tier.twin_updates),
            "IH009": rate(tier.methods),
            "IH010": rate(tier.commands, _MINUTE),
        }

    def wait(self, rule: str, amount: float = 1.0) -> float | None:
        """The seconds that an operation waits by the throttle of this rule; None where it is refused."""
        seconds = self.rates[rule].admitted(amount, MOST_WAIT_SECONDS)
        if seconds is None:
            self.refuse(rule)
        elif seconds > 0.001:
            self.figures.delayed += 1
            self.figures.delayed_ms += seconds * 1000
        return seconds

    def charge(self, size: int) -> bool:
        """Count a message of so many bytes for the day; False where the quota is used up."""
        messages = self.tier.messages(size)
        if self.figures.messages + messages > self.quota:
            self.refuse("IH001")
            return False
        self.figures.messages += messages
        return True

    def refuse(self, rule: str) -> None:
        """Count a refusal."""
        self.figures.refusals[rule] += 1

    def storm(self, seconds: float, share: float) -> None:
        """Lower the rates of devices' messages and connections to this share for so many seconds."""
        for rule in ("IH002", "IH003"):
            self.rates[rule].storm(seconds, share)
