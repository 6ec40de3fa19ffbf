"""Messages to devices: queued, locked, completed, and told of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudstream.devices.errors import HubRefused
from fraudstream.devices.registry.database import Database
from fraudstream.devices.registry.mailbox import LOCK_SECONDS, MOST_BYTES, MOST_QUEUED, Mailbox


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    database = Database(tmp_path / "registry.sqlite3")
    yield Mailbox(database)
    database.close()


def test_messages_come_in_their_order_and_go_when_they_are_completed(mailbox: Mailbox) -> None:
    for text in (b"one", b"two"):
        mailbox.send("d", {"message-id": text.decode()}, text)
    first, second = mailbox.next("d"), mailbox.next("d")
    assert first is not None
    assert second is not None
    assert (first.body, second.body, mailbox.next("d")) == (b"one", b"two", None)
    mailbox.complete(first.lock, "g")
    mailbox.release(second.lock)
    again = mailbox.next("d")
    assert again is not None
    assert (again.body, mailbox.count("d")) == (b"two", 1)
    assert mailbox.feedback() is None


def test_an_unacknowledged_message_comes_again_after_a_minute(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.send("d", {}, b"x")
    assert mailbox.next("d") is not None
    assert mailbox.next("d") is None
    later = time.time() + LOCK_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert mailbox.waiting() == ["d"]
    assert mailbox.next("d") is not None


@pytest.mark.parametrize(
    ("ack", "outcomes"),
    [("none", []), ("positive", ["Success"]), ("negative", ["Expired"]), ("full", ["Success", "Expired"])],
)
def test_feedback_is_as_it_was_asked_for(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, ack: str, outcomes: list[str]
) -> None:
    mailbox.send("d", {"iothub-ack": ack, "message-id": "read"}, b"x")
    message = mailbox.next("d")
    assert message is not None
    mailbox.complete(message.lock, "g")
    mailbox.send("d", {"iothub-ack": ack, "message-id": "old"}, b"x", seconds=60)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert mailbox.next("d") is None
    batch = mailbox.feedback()
    assert [record["statusCode"] for record in (batch[1] if batch else [])] == outcomes
    if batch:
        mailbox.abandon_feedback(batch[0])
        again = mailbox.feedback()
        assert again is not None
        mailbox.complete_feedback(again[0])
        with pytest.raises(HubRefused, match="lock"):
            mailbox.complete_feedback(again[0])
    assert mailbox.feedback() is None


def test_a_queue_holds_fifty_messages_of_64_kilobytes(mailbox: Mailbox) -> None:
    for _ in range(MOST_QUEUED):
        mailbox.send("d", {}, b"x")
    with pytest.raises(HubRefused) as full:
        mailbox.send("d", {}, b"x")
    assert (full.value.code, full.value.name) == (403_004, "DeviceMaximumQueueDepthExceeded")
    mailbox.send("other", {}, b"x" * MOST_BYTES)
    with pytest.raises(HubRefused, match="larger"):
        mailbox.send("other", {}, b"x" * (MOST_BYTES + 1))
    assert mailbox.purge("d") == MOST_QUEUED


@pytest.mark.parametrize(("properties", "seconds"), [({"iothub-ack": "maybe"}, None), ({}, 0), ({}, -1)])
def test_what_cannot_be_meant_is_refused(mailbox: Mailbox, properties: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(HubRefused):
        mailbox.send("d", properties, b"x", seconds)
