"""The one line of time of a world: all transactions in their order, made block by block.

A block is a day, or an equal part of it in a large world. Each block has random numbers of its own and what is left of
the blocks before it, so that the transactions do not depend on how many are taken at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudstream.generator.simulators.cards.campaigns import Campaigns
from fraudstream.generator.simulators.cards.habits import Habits
from fraudstream.generator.simulators.cards.rows import DAY_MS, Rows, generator, no_rows
from fraudstream.generator.simulators.cards.seasons import BINS, WARM_UP_DAYS, Season
from fraudstream.generator.simulators.cards.travel import Trips
from fraudstream.generator.simulators.cards.world import World

# A block has about so many transactions at most, which bounds the memory that a large world takes.
_BLOCK_ROWS = 40_000
_PARTS_OF_DAY = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96)
_COMPROMISED = 8


def blocks(world: World) -> Iterator[tuple[Season, Rows]]:
    """The transactions of each block, ascending by time, without end; with the day that it is of."""
    trips = Trips(world)
    campaigns, habits = Campaigns(world, trips), Habits(world)
    cards = np.arange(world.slots)
    issued = world.slots
    parts = next((parts for parts in _PARTS_OF_DAY if world.daily / parts <= _BLOCK_ROWS), _PARTS_OF_DAY[-1])
    waiting = no_rows()
    day = -WARM_UP_DAYS
    while True:
        season = Season(day)
        trips.begin(season)
        renewed = campaigns.blocked(season.begin_ms)
        cards[renewed] = issued + np.arange(len(renewed))
        issued += len(renewed)
        waiting = Rows.joined([waiting, campaigns.begin(season, cards)])
        if day >= 0:
            waiting = Rows.joined([waiting, habits.subscriptions(season, cards)])
            for part in range(parts):
                bins = part * BINS // parts, (part + 1) * BINS // parts
                waiting = Rows.joined([waiting, habits.purchases(season, bins, trips, cards)])
                is_due = waiting.moment < season.begin_ms + bins[1] * DAY_MS // BINS
                block = waiting.at(is_due)
                block = block.at(np.argsort(block.moment, kind="stable"))
                yield season, campaigns.compromised(block, generator(world.seed, _COMPROMISED, season.place, part))
                waiting = waiting.at(~is_due)
        else:
            waiting = waiting.at(waiting.moment >= season.begin_ms + DAY_MS)
        day += 1


def rows(world: World, first: int = 0, count: int | None = None, most: int = 1 << 14) -> Iterator[tuple[Season, Rows]]:
    """The transactions from place ``first`` of the time line on, ``count`` of them, at most ``most`` at a time.

    What comes before is made and passed over.
    """
    place = 0
    end = None if count is None else first + count
    for season, block in blocks(world):
        begin, stop = max(first - place, 0), len(block) if end is None else min(end - place, len(block))
        for start in range(begin, stop, most):
            yield season, block.at(slice(start, min(start + most, stop)))
        place += len(block)
        if end is not None and place >= end:
            return
