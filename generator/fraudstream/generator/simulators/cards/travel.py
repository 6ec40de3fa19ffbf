"""Who is away, and where: trips that begin on some days and last for some."""

from __future__ import annotations

import numpy as np

from fraudstream.generator.simulators.cards.places import CITIES
from fraudstream.generator.simulators.cards.rows import DAY_MS, HOUR_MS, Ints, drawn, generator
from fraudstream.generator.simulators.cards.seasons import Season
from fraudstream.generator.simulators.cards.world import World

LONGEST_DAYS = 16
_MEDIAN_DAYS, _DEVIATION = 4.0, 0.7
# The place of the random numbers of trips.
_TRIPS = 3


class Trips:
    """Where everybody is; it goes from day to day."""

    def __init__(self, world: World) -> None:
        self._world = world
        count = len(world.customers)
        self._city = world.customers.city.copy()
        self._leaves = np.zeros(count, dtype=np.int64)
        self._returns = np.zeros(count, dtype=np.int64)

    def begin(self, season: Season) -> None:
        """Let the trips of a day begin."""
        people = self._world.customers
        rng = generator(self._world.seed, _TRIPS, season.place)
        leaving = np.flatnonzero(rng.random(len(people)) < people.trips * season.travel)
        city = drawn((place.visits for place in CITIES), len(leaving), rng)
        days = np.minimum(_MEDIAN_DAYS * np.exp(_DEVIATION * rng.normal(size=len(leaving))), LONGEST_DAYS)
        leaves = season.begin_ms + rng.integers(5 * HOUR_MS, DAY_MS, len(leaving))
        is_home = self._returns[leaving] <= leaves
        leaving = leaving[is_home]
        self._city[leaving] = city[is_home]
        self._leaves[leaving] = leaves[is_home]
        self._returns[leaving] = (leaves + days * DAY_MS).astype(np.int64)[is_home]

    def cities(self, customer: Ints, moment: Ints) -> tuple[Ints, Ints]:
        """The city that each is in then (by its home where it is not away), and 1 for who is away."""
        away = (self._leaves[customer] <= moment) & (moment < self._returns[customer])
        return np.where(away, self._city[customer], self._world.customers.city[customer]), away.astype(np.int64)
