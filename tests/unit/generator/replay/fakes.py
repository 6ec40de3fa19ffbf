"""A clock and topics of which the tests hold the strings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Clock:
    time: float = 50.0
    waits: list[float] = field(default_factory=list)
    stop_at: float = float("inf")

    @property
    def stopped(self) -> bool:
        return self.time >= self.stop_at

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time = min(self.time + seconds, self.stop_at)


class Acknowledged:
    is_done = True

    def get(self, timeout: float | None = None) -> Any:
        return None


@dataclass
class Topics:
    """Takes each record: its topic, what it says, and the clock's time."""

    clock: Clock
    sent: list[tuple[str, str, float]] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)

    def send(self, topic: str, value: bytes, key: bytes | None) -> Acknowledged:
        self.sent.append((topic, orjson.loads(value)["id"], self.clock.time))
        self.values.append(value)
        return Acknowledged()

    def renew(self) -> None:
        raise AssertionError("nothing was refused")

    def named(self) -> list[str]:
        return [("" if topic == "transactions" else "label of ") + id for topic, id, _ in self.sent]
