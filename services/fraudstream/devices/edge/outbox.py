"""What children have sent and the hub does not have yet, on disk and in order.

Messages that come together are committed together: a commit waits for the disk, and each message waits for its commit.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from fraudstream.devices.registry.database import Database

# As an IoT Edge hub keeps messages by default (storeAndForwardConfiguration.timeToLiveSecs).
KEPT_SECONDS = 7_200.0
_MOST_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to forward."""

    sequence: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Arrival:
    device_id: str
    topic: str
    body: bytes
    stored: asyncio.Future[None]


class Outbox:
    """The messages in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrivals: asyncio.Queue[_Arrival] = asyncio.Queue()

    async def add(self, device_id: str, topic: str, body: bytes) -> None:
        """Return once the message is on disk."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.put_nowait(_Arrival(device_id, topic, body, stored))
        await stored

    async def write(self) -> None:
        """Commit what arrives, until cancelled."""
        while True:
            batch = [await self._arrivals.get()]
            while not self._arrivals.empty() and len(batch) < _MOST_TOGETHER:
                batch.append(self._arrivals.get_nowait())
            expires = time.time() + KEPT_SECONDS
            with self._database.transaction():
                for arrival in batch:
                    self._database.insert(
                        "INSERT INTO outbox (device, topic, body, expires) VALUES (?, ?, ?, ?)",
                        *(arrival.device_id, arrival.topic, arrival.body, expires),
                    )
            for arrival in batch:
                if not arrival.stored.done():
                    arrival.stored.set_result(None)

    def next(self, device_id: str, after: int, most: int) -> list[Outgoing]:
        """The device's oldest messages behind a sequence number, at most so many."""
        rows = self._database.rows(
            "SELECT sequence, topic, body FROM outbox WHERE device = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            *(device_id, after, most),
        )
        return [Outgoing(*row) for row in rows]

    def remove(self, sequence: int) -> None:
        """The hub has the message."""
        self._database.change("DELETE FROM outbox WHERE sequence = ?", sequence)

    def devices(self) -> list[str]:
        """The devices with messages to forward."""
        return [str(row[0]) for row in self._database.rows("SELECT DISTINCT device FROM outbox")]

    def expire(self) -> int:
        """Give up messages that are too old; returns how many there were."""
        return self._database.change("DELETE FROM outbox WHERE expires <= ?", time.time())

    def count(self) -> int:
        """How many messages there are to forward."""
        row = self._database.row("SELECT count(*) FROM outbox")
        return int(row[0]) if row else 0
