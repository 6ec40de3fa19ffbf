"""Devices in a rehearsal: the generator's terminals send over MQTT through the hub's limits, while faults happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from subprocess import Popen
from typing import Any

from kafka import TopicPartition

from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import SCORED, TRANSACTIONS
from fraudstream.runtime.accounting import Summary, end_offsets, summarise

EVENTS_PER_DEVICE = 30
_POLL_SECONDS = 0.05
_STORM_SECONDS = 2.0
_STORM_SHARE = 0.25


class Telemetry:
    """One run's events of devices, and what became of them."""

    def __init__(self, devices: int, endpoints: Endpoints, settings: Settings) -> None:
        self.devices = devices
        self.events = devices * EVENTS_PER_DEVICE
        self._hub, self._endpoints, self._settings = endpoints.hub, endpoints, settings
        self._cut = 0

    def words(self, seed: int) -> list[str]:
        """The command that sends them."""
        given = ("--rate", "0", "--count", str(self.events), "--seed", str(seed), "--json")
        return ["generate", "live", "--via", "mqtt", "--devices", str(self.devices), *given]

    def send(
        self,
        sending: AbstractContextManager[Popen[bytes]],
        finished: Callable[[Popen[bytes]], Any],
        settle: Callable[[], None],
    ) -> dict[str, Any]:
        """Send them; when the first ones are in, throttle the devices, and end their connections.

        ``finished`` waits for the sender and gives its report, ``settle`` until the jobs have done everything.
        """
        starts, scored_from = self._ends(), end_offsets(self._settings, SCORED)
        began = datetime.now(UTC)
        with sending as sender:
            while sender.poll() is None and not self._hub.figures.telemetry:
                time.sleep(_POLL_SECONDS)
            self._endpoints.storm_devices(_STORM_SECONDS, _STORM_SHARE)
            self._cut = self._endpoints.cut_devices()
            published = finished(sender)
        settle()
        ends = self._ends()
        ranges = {part.partition: (starts.get(part, 0), end) for part, end in ends.items()}
        return self._outcome(published, summarise(self._settings, ranges, scored_from, began))

    def _ends(self) -> Mapping[TopicPartition, int]:
        return end_offsets(self._settings, TRANSACTIONS)

    def _outcome(self, published: Mapping[str, Any], summary: Summary) -> dict[str, Any]:
        """The figures, JSON-ready; ``complete``: each event that was acknowledged is decided once, and stored."""
        figures = self._hub.figures
        decided = summary.scored + summary.rejected
        return {
            "devices": self.devices,
            "acknowledged": int(published["produced"]),
            "arrived": summary.produced,
            "decided": decided,
            "resent": summary.resent,
            "stored": summary.stored,
            "connections": figures.connections,
            "connections_cut": self._cut,
            "delayed": figures.delayed,
            "delayed_ms": round(figures.delayed_ms),
            "complete": decided == int(published["produced"]) and summary.complete,
        }
