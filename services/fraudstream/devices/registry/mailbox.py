"""Messages from the cloud to devices: a queue for each device, and what became of the messages.

Source: "Understand cloud-to-device messaging from an IoT hub" of the service's documentation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from fraudstream.devices.errors import HubRefused, invalid, too_large
from fraudstream.devices.registry.database import Database, packed
from fraudstream.devices.registry.times import text_of

MOST_QUEUED = 50
MOST_BYTES = 64 * 1024
DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 2 * 24 * 3600
LOCK_SECONDS = 60
FEEDBACK_SECONDS = 3600
MOST_FEEDBACK = 64
ACKS = ("none", "positive", "negative", "full")


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way; ``properties`` are those that its sender set, by the hub's names, and ``iothub-ack``."""

    lock: str
    properties: dict[str, Any]
    body: bytes


class Mailbox:
    """The queues in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, device_id: str, properties: Mapping[str, Any], body: bytes, seconds: float | None = None) -> int:
        """Queue a message for so many seconds; returns its sequence number. Raises :class:`HubRefused`."""
        if properties.get("iothub-ack", "none") not in ACKS:
            raise invalid(f"iothub-ack is one of {', '.join(ACKS)}.")
        size = len(body) + sum(len(str(name)) + len(str(value)) for name, value in properties.items())
        if size > MOST_BYTES:
            raise too_large(f"The message is larger than {MOST_BYTES} bytes.")
        lives = DEFAULT_SECONDS if seconds is None else min(seconds, LONGEST_SECONDS)
        if lives <= 0:
            raise invalid("The message's expiry is over already.")
        with self._database.transaction():
            self._expire(device_id)
            if self.count(device_id) >= MOST_QUEUED:
                raise HubRefused(
                    f"{device_id!r} has {MOST_QUEUED} messages waiting, the most that a device may have.",
                    403_004,
                    "DeviceMaximumQueueDepthExceeded",
                )
            return self._database.insert(
                "INSERT INTO messages (device, expires, properties, body) VALUES (?, ?, ?, ?)",
                *(device_id, time.time() + lives, packed(dict(properties)), body),
            )

    def next(self, device_id: str) -> Message | None:
        """The oldest message that nobody works on, locked for a minute; None where there is none."""
        now, lock = time.time(), secrets.token_hex(8)
        with self._database.transaction():
            self._expire(device_id)
            row = self._database.row(
                "SELECT sequence, properties, body FROM messages WHERE device = ? AND locked_until <= ? "
                "ORDER BY sequence LIMIT 1",
                *(device_id, now),
            )
            if row is None:
                return None
            self._database.change(
                "UPDATE messages SET lock = ?, locked_until = ? WHERE sequence = ?", lock, now + LOCK_SECONDS, row[0]
            )
        return Message(lock, orjson.loads(row[1]), row[2])

    def release(self, lock: str) -> None:
        """Put a message back that could not be delivered."""
        self._database.change("UPDATE messages SET lock = NULL, locked_until = 0 WHERE lock = ?", lock)

    def release_all(self, device_id: str) -> None:
        """Put back what the device has not acknowledged: it is gone."""
        self._database.change("UPDATE messages SET lock = NULL, locked_until = 0 WHERE device = ?", device_id)

    def complete(self, lock: str, generation_id: str) -> None:
        """The device has the message; who asked for it is told."""
        with self._database.transaction():
            row = self._database.row("SELECT sequence, device, properties FROM messages WHERE lock = ?", lock)
            if row is not None:
                self._end(row[0], row[1], orjson.loads(row[2]), "Success", generation_id)

    def purge(self, device_id: str) -> int:
        """Remove all messages of the device; returns how many there were."""
        with self._database.transaction():
            rows = self._database.rows("SELECT sequence, properties FROM messages WHERE device = ?", device_id)
            for sequence, properties in rows:
                self._end(sequence, device_id, orjson.loads(properties), "Purged", "")
        return len(rows)

    def forget(self, device_id: str) -> None:
        """Remove a deleted device's messages and the feedback on them."""
        with self._database.transaction():
            self._database.change("DELETE FROM messages WHERE device = ?", device_id)
            self._database.change("DELETE FROM feedback WHERE device = ?", device_id)

    def count(self, device_id: str) -> int:
        """How many messages wait."""
        row = self._database.row("SELECT count(*) FROM messages WHERE device = ?", device_id)
        return int(row[0]) if row else 0

    def waiting(self) -> list[str]:
        """The devices with messages that nobody works on; messages whose time is over are ended."""
        with self._database.transaction():
            for (device_id,) in self._database.rows("SELECT DISTINCT device FROM messages"):
                self._expire(device_id)
        rows = self._database.rows("SELECT DISTINCT device FROM messages WHERE locked_until <= ?", time.time())
        return [str(row[0]) for row in rows]

    def feedback(self) -> tuple[str, list[dict[str, Any]]] | None:
        """A batch of what became of messages, and the lock to complete it with; None where there is none."""
        now, lock = time.time(), secrets.token_hex(16)
        with self._database.transaction():
            self._database.change("DELETE FROM feedback WHERE expires <= ?", now)
            rows = self._database.rows(
                "SELECT sequence, record FROM feedback WHERE locked_until <= ? ORDER BY sequence LIMIT ?",
                *(now, MOST_FEEDBACK),
            )
            for sequence, _ in rows:
                self._database.change(
                    "UPDATE feedback SET lock = ?, locked_until = ? WHERE sequence = ?",
                    *(lock, now + LOCK_SECONDS, sequence),
                )
        return (lock, [orjson.loads(record) for _, record in rows]) if rows else None

    def complete_feedback(self, lock: str) -> None:
        """The batch was read. Raises :class:`HubRefused` for a lock that is over."""
        if not self._database.change("DELETE FROM feedback WHERE lock = ? AND locked_until > ?", lock, time.time()):
            raise HubRefused("The lock on the feedback is over.", 412_002, "DeviceMessageLockLost")

    def abandon_feedback(self, lock: str) -> None:
        """The batch was not read: it comes again."""
        self._database.change("UPDATE feedback SET lock = NULL, locked_until = 0 WHERE lock = ?", lock)

    def _expire(self, device_id: str) -> None:
        over = self._database.rows(
            "SELECT sequence, properties FROM messages WHERE device = ? AND expires <= ?", device_id, time.time()
        )
        for sequence, properties in over:
            self._end(sequence, device_id, orjson.loads(properties), "Expired", "")

    def _end(self, sequence: int, device_id: str, properties: dict[str, Any], outcome: str, generation: str) -> None:
        self._database.change("DELETE FROM messages WHERE sequence = ?", sequence)
        wanted = ("positive", "full") if outcome == "Success" else ("negative", "full")
        if properties.get("iothub-ack") not in wanted:
            return
        record = {
            "originalMessageId": properties.get("message-id", ""),
            "enqueuedTimeUtc": text_of(time.time()),
            "statusCode": outcome,
            "description": outcome,
            "deviceId": device_id,
            "deviceGenerationId": generation,
        }
        self._database.insert(
            "INSERT INTO feedback (device, record, expires) VALUES (?, ?, ?)",
            *(device_id, packed(record), time.time() + FEEDBACK_SECONDS),
        )
