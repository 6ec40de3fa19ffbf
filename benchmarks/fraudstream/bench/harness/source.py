"""The events that are measured: those of the project's simulator, or made from its rules where it has none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fraudstream.bench.harness.made_events import made_texts
from fraudstream.core.contract.event import FIRST_HISTORY_ID, FIRST_LIVE_ID, PROJECT
from fraudstream.generator.simulators import simulator_of


def history(count: int, seed: int) -> Iterator[bytes]:
    """Labelled events."""
    if PROJECT.definition.source.generator is None:
        return made_texts(PROJECT, count, FIRST_HISTORY_ID, seed, labelled=True)
    return simulator_of(PROJECT).history(count, FIRST_HISTORY_ID, seed, datetime.now(UTC))


def live(count: int, seed: int) -> Iterator[bytes]:
    """Events without labels."""
    if PROJECT.definition.source.generator is None:
        return made_texts(PROJECT, count, FIRST_LIVE_ID, seed)
    return simulator_of(PROJECT).live(count, FIRST_LIVE_ID, seed)
