"""The bootstrap's share that needs no parts: what it still has to publish."""

from __future__ import annotations

import pytest
from kafka import TopicPartition

from fraudstream.core.settings import load_settings
from fraudstream.runtime import bootstrap


@pytest.mark.parametrize(
    ("on_topic", "stored", "missing"),
    [
        (0, 0, 100),
        (30, 0, 70),
        (100, 40, 0),  # published, and the store job is at it
        (0, 100, 0),  # stored, and the records have expired
        (30, -1, 70),  # the store does not answer
    ],
)
def test_history_is_published_once(monkeypatch: pytest.MonkeyPatch, on_topic: int, stored: int, missing: int) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(bootstrap, "end_offsets", lambda *_: {TopicPartition("labels", 0): on_topic})
    monkeypatch.setattr(bootstrap, "stored_history", lambda *_: stored)
    monkeypatch.setattr(bootstrap, "run_command", lambda *words: sent.append(words))
    assert bootstrap._publish_history(load_settings(), 100) == missing
    assert sent == ([("generate", "history", "--count", str(missing))] if missing else [])
