"""An IoT hub's limits by tier (iot-hub-devguide-quotas-throttling, 08/2019; iot-hub-scaling for partitions)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Sku = Literal["F1", "B1", "B2", "B3", "S1", "S2", "S3"]

MOST_MESSAGE_BYTES = 256 * 1024
MOST_COMMAND_BYTES = 64 * 1024
MOST_COMMANDS_WAITING = 50
MOST_METHOD_BYTES = 128 * 1024
MOST_TWIN_BYTES = {"tags": 8 * 1024, "desired": 32 * 1024, "reported": 32 * 1024}
MOST_DEVICES = 1_000_000
# iot-edge-limits-and-restrictions; the number of children is the default of an edge hub.
MOST_CHILDREN = 100
MOST_EDGE_LAYERS = 5
# Of the built-in endpoint (iot-hub-devguide-messages-read-builtin).
RETENTION_DAYS = (1, 7)
LEAST_PARTITIONS = 2
# A direct method's payload counts in steps of so many bytes for its throttle, at every tier.
METHOD_METER_BYTES = 4 * 1024
# A device connects again when its token ends; Microsoft's clients renew theirs after an hour by default.
TOKEN_SECONDS = 3_600
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Throttle:
    """A rate per second for each unit, and the least that a hub has for all its units together."""

    per_unit: float
    least: float = 0.0

    def per_second(self, units: int) -> float:
        """The rate of a hub with so many units."""
        return max(self.least, self.per_unit * units)


@dataclass(frozen=True, slots=True)
class HubTier:
    """Limits of one tier.

    ``daily_messages``: for each unit, of ``meter_bytes`` each. ``methods``: bytes of payload. ``complete``: whether it
    has twins, methods, messages to devices and edge devices.
    """

    daily_messages: int
    meter_bytes: int
    most_units: int
    partitions: int
    complete: bool
    sends: Throttle
    connections: Throttle
    registry: Throttle
    commands: Throttle
    queries: Throttle
    twin_reads: Throttle
    twin_updates: Throttle
    methods: Throttle

    def messages(self, size: int) -> int:
        """As how many messages one of so many bytes counts."""
        return max(1, math.ceil(size / self.meter_bytes))


_MINUTE = 1 / 60
_SMALL = {
    "sends": Throttle(12, 100),
    "connections": Throttle(12, 100),
    "registry": Throttle(100 * _MINUTE),
    "commands": Throttle(100 * _MINUTE),
    "queries": Throttle(20 * _MINUTE),
    "twin_reads": Throttle(0, 100),
    "twin_updates": Throttle(0, 50),
    "methods": Throttle(160 * 1024),
}
_MIDDLE = _SMALL | {
    "sends": Throttle(120),
    "connections": Throttle(120),
    "twin_reads": Throttle(10, 100),
    "twin_updates": Throttle(5, 50),
    "methods": Throttle(480 * 1024),
}
_LARGE = {
    "sends": Throttle(6_000),
    "connections": Throttle(6_000),
    "registry": Throttle(5_000 * _MINUTE),
    "commands": Throttle(5_000 * _MINUTE),
    "queries": Throttle(1_000 * _MINUTE),
    "twin_reads": Throttle(500),
    "twin_updates": Throttle(250),
    "methods": Throttle(24 * 1024 * 1024),
}

HUB_TIERS: dict[Sku, HubTier] = {
    "F1": HubTier(8_000, 512, 1, 2, True, **_SMALL),
    "B1": HubTier(400_000, 4_096, 200, 8, False, **_SMALL),
    "B2": HubTier(6_000_000, 4_096, 200, 8, False, **_MIDDLE),
    "B3": HubTier(300_000_000, 4_096, 10, 8, False, **_LARGE),
    "S1": HubTier(400_000, 4_096, 200, 32, True, **_SMALL),
    "S2": HubTier(6_000_000, 4_096, 200, 32, True, **_MIDDLE),
    "S3": HubTier(300_000_000, 4_096, 10, 32, True, **_LARGE),
}


def deployed(tier: HubTier, units: int, retention_days: int, partitions: int) -> Iterator[tuple[str, int, int, int]]:
    """What a deployment of a hub asks for, by its parameter, with the least and the most that the tier has."""
    yield "iotHubUnits", units, 1, tier.most_units
    yield "iotHubRetentionDays", retention_days, *RETENTION_DAYS
    yield "iotHubPartitions", partitions, LEAST_PARTITIONS, tier.partitions
