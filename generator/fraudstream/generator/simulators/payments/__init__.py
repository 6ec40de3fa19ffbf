"""The simulator of the project `payments`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fraudstream.generator.simulators.payments.transactions import (
    FIELDS,
    generate,
    history_dates,
    last_midnight,
    live_dates,
)

__all__ = ["FIELDS", "SEED", "history", "live"]

# Live events are of the present: those of one run have nothing to do with another one's.
SEED = None


def history(count: int, first_id: int, seed: int, now: datetime) -> Iterator[bytes]:
    """``count`` labelled events, evenly spread over the year before ``now``'s day (UTC)."""
    return generate(count, first_id, seed, labelled=True, dates=history_dates(count, last_midnight(now)))


def live(count: int | None, first_id: int, seed: int) -> Iterator[bytes]:
    """``count`` events without labels (None: without end), of the moment at which each is asked for."""
    return generate(count, first_id, seed, labelled=False, dates=live_dates())
