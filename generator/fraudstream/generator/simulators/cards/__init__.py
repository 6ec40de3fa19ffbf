"""The simulator of the project ``cards``: customers, their cards, terminals in space, and campaigns of fraud.

History and live traffic are one line of time, which a seed decides: an event's id is its place on it. What the history
ends with goes on in the live events behind it, campaigns included.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.simulators import Outcome
from fraudstream.generator.simulators.cards import time_line
from fraudstream.generator.simulators.cards.events import FIELDS, Writer
from fraudstream.generator.simulators.cards.rows import CAMPAIGN_NAMES
from fraudstream.generator.simulators.cards.world import World, build_world

__all__ = ["FIELDS", "FIRST_ID", "SEED", "history", "live", "outcomes"]

# The id of the first event on the time line.
FIRST_ID = 1_000_000
# History and live traffic are of one world, where nothing else is asked for.
SEED = 7

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history(count: int, first_id: int, seed: int, now: datetime) -> Iterator[bytes]:  # noqa: ARG001 - a simulator's
    """``count`` labelled events of the time line from ``first_id`` on; the campaign of a fraud goes with its label."""
    return _events(count, first_id, seed, labelled=True)


def live(count: int | None, first_id: int, seed: int) -> Iterator[bytes]:
    """``count`` events without labels (None: without end) of the time line from ``first_id`` on."""
    return _events(count, first_id, seed, labelled=False)


def outcomes(first_id: int, seed: int) -> Iterator[Outcome]:
    """What becomes of the events from ``first_id`` on, without end."""
    for _, rows in time_line.rows(_world(seed), _place(first_id)):
        columns = zip(rows.moment.tolist(), rows.campaign.tolist(), strict=True)
        for number, (moment, campaign) in enumerate(columns, first_id):
            made_at = _EPOCH + timedelta(milliseconds=moment)
            yield Outcome(number, made_at, int(campaign > 0), CAMPAIGN_NAMES[campaign])
        first_id += len(rows)


def _events(count: int | None, first_id: int, seed: int, *, labelled: bool) -> Iterator[bytes]:
    place, whole = _place(first_id), _world(seed)
    writer = Writer(whole.terminals, labelled=labelled)
    for season, rows in time_line.rows(whole, place, count):
        yield from writer.events(season, rows, first_id)
        first_id += len(rows)


def _place(id_: int) -> int:
    """An event's place on the time line. Raises :class:`ConfigurationError` for an id before it."""
    if id_ < FIRST_ID:
        raise ConfigurationError(
            f"The time line of the simulator 'cards' begins with the id {FIRST_ID}, so that there is no event {id_}. "
            f"Give --first-id {FIRST_ID} or more."
        )
    return id_ - FIRST_ID


@lru_cache(maxsize=2)
def _world(seed: int) -> World:
    return build_world(seed)
