"""Event Hubs' limits by tier (event-hubs-quotas, page of 02/2026 with the tier table of 01/2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tier = Literal["Basic", "Standard", "Premium", "Dedicated"]

# A request over this many bytes closes the connection (apache-kafka-configurations).
MOST_REQUEST_BYTES = 1_046_528
# Azure's load balancers drop connections that are idle for so long.
IDLE_SECONDS = 240.0
LEAST_REQUEST_TIMEOUT_MS = 20_000
SESSION_TIMEOUT_MS = (6_000, 300_000)
MOST_OFFSET_METADATA_BYTES = 1_024
MOST_GROUP_ID_CHARACTERS = 256
# One throughput unit, per second.
UNIT_INGRESS_BYTES = 1_000_000
UNIT_INGRESS_EVENTS = 1_000
UNIT_EGRESS_BYTES = 2_000_000
MOST_UNITS = 40


@dataclass(frozen=True, slots=True)
class TierLimits:
    """Limits of one tier; bytes, days, and numbers per hub or namespace."""

    kafka: bool
    publication_bytes: int
    consumer_groups: int
    connections: int
    retention_days: int
    partitions: int
    hubs: int
    compression: tuple[str, ...]


TIERS: dict[Tier, TierLimits] = {
    "Basic": TierLimits(False, 256 * 1024, 1, 100, 1, 32, 10, ()),
    "Standard": TierLimits(True, 1024 * 1024, 20, 5_000, 7, 32, 10, ()),
    "Premium": TierLimits(True, 1024 * 1024, 100, 10_000, 90, 100, 100, ("gzip",)),
    "Dedicated": TierLimits(True, 1024 * 1024, 1_000, 100_000, 90, 1_024, 1_000, ("gzip",)),
}
