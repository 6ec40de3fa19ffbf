"""The world that a seed decides: customers with homes and habits, their cards, and the terminals of merchants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudstream.generator.simulators.cards.places import (
    CATEGORIES,
    CITIES,
    COUNTRIES,
    DEGREE_KM,
    KINDS,
    distance_km,
)
from fraudstream.generator.simulators.cards.rows import Floats, Ints, drawn, generator

CUSTOMERS = 5_000
# Purchases of a customer a day: the median, and the deviation of the logarithm.
_DAILY_MEDIAN, _DAILY_DEVIATION = 1.5, 0.65
# A shop is counted as one where a terminal stands in it.
_TERMINALS_PER_CUSTOMER = 0.6
_ONLINE_SHARE = 0.3
_LEAST_IN_CITY, _LEAST_ONLINE = 3, 12
# Merchants differ in size and price: the deviation of the logarithm.
_SIZE_DEVIATION, _PRICE_DEVIATION = 1.0, 0.3
# Shops abroad that sell online: their countries and how many of them there are.
_ONLINE_COUNTRIES = {"BE": 30, "NL": 22, "FR": 10, "DE": 10, "IE": 9, "LU": 6, "US": 6, "GB": 4, "CY": 3}
# The place of the random numbers of each part.
_TERMINALS, _CUSTOMERS = 1, 2

# Kinds of people: their share, and how many purchases they make beside a worker's one.
SEGMENTS = ("worker", "family", "student", "retired", "night_worker")
_SEGMENT_SHARES = (0.44, 0.24, 0.12, 0.14, 0.06)
_SEGMENT_RATES = np.array([1.0, 1.25, 0.95, 0.7, 0.9])
_SEGMENT_PRICES = np.array([0.0, 0.15, -0.3, -0.05, -0.05])
# Added to the log-odds that a purchase is made online, and that one in a shop is contactless.
_SEGMENT_ONLINE = np.array([0.0, 0.0, 0.6, -1.0, 0.3])
# How evenly a customer's purchases are spread over the categories: the gamma distribution's shape for a mean share.
_EVENNESS = 22.0
_TRIPS_A_YEAR = 2.6
_CARD_COUNTS = (0.62, 0.32, 0.06)

HOME_CITIES = sum(1 for city in CITIES if city.homes)
# A group of terminals is of one city and category; those behind the cities are the shops online.
ONLINE_CITY = len(CITIES)
GROUPS = (ONLINE_CITY + 1) * KINDS


@dataclass(frozen=True, slots=True)
class Terminals:
    """Terminals in the order of their groups (city times :data:`KINDS` plus category); columns of one length.

    ``latitude`` and ``longitude`` are NaN for shops online. ``price`` is added to the logarithm of what is paid.
    ``edges`` are cumulative sizes, one more than there are terminals; group ``g`` has those from ``starts[g]`` up to
    ``starts[g + 1]``.
    """

    group: Ints
    category: Ints
    city: Ints
    country: Ints
    latitude: Floats
    longitude: Floats
    price: Floats
    edges: Floats
    starts: Ints

    def __len__(self) -> int:
        return len(self.group)

    def chosen(self, group: Ints, chance: Floats) -> Ints:
        """A terminal of each group, larger ones more often; ``chance`` is from 0 up to 1. A group must not be empty."""
        low, high = self.edges[self.starts[group]], self.edges[self.starts[group + 1]]
        place = np.searchsorted(self.edges, low + chance * (high - low), side="right") - 1
        # A product may be rounded up to the group's end.
        return np.minimum(np.maximum(place, self.starts[group]), self.starts[group + 1] - 1)


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers, one column each.

    ``rate`` is purchases a day. ``price`` is added to the logarithm of what is paid; ``online`` and ``contactless`` to
    log-odds. ``tastes`` are cumulative shares of the categories, shape (n, :data:`KINDS`). ``first_slot`` and
    ``slots`` say which cards are theirs, ``trips`` how many trips they make a day.
    """

    segment: Ints
    city: Ints
    work_city: Ints
    latitude: Floats
    longitude: Floats
    rate: Floats
    price: Floats
    online: Floats
    contactless: Floats
    tastes: Floats
    trips: Floats
    first_slot: Ints
    slots: Ints

    def __len__(self) -> int:
        return len(self.segment)


@dataclass(frozen=True, slots=True)
class World:
    """Whom and what there is; it does not change. ``daily`` is how many purchases are made on a mean day."""

    seed: int
    customers: Customers
    terminals: Terminals
    daily: float

    @property
    def slots(self) -> int:
        """How many cards are in use at a time."""
        return int(self.customers.slots.sum())


def build_world(seed: int, customers: int = CUSTOMERS) -> World:
    """The world of a seed with so many customers; their mean behaviour does not depend on how many they are."""
    people = _people(seed, customers)
    return World(seed, people, _terminals(seed, customers), float(people.rate.sum()))


def _terminals(seed: int, customers: int) -> Terminals:
    rng = generator(seed, _TERMINALS)
    group = np.repeat(np.arange(GROUPS), _group_sizes(customers))
    city, category = group // KINDS, group % KINDS
    count, is_online = len(group), city == ONLINE_CITY
    centre = np.minimum(city, ONLINE_CITY - 1)
    spread = np.array([place.spread for place in CITIES])[centre]
    latitude = np.array([place.latitude for place in CITIES])[centre] + spread * rng.normal(size=count) / DEGREE_KM
    east = spread * rng.normal(size=count) / DEGREE_KM
    longitude = np.array([place.longitude for place in CITIES])[centre] + east / np.cos(np.radians(latitude))
    here = np.array([COUNTRIES.index(place.country) for place in CITIES])[centre]
    sellers = np.array([COUNTRIES.index(country) for country in _ONLINE_COUNTRIES])
    abroad = sellers[drawn(_ONLINE_COUNTRIES.values(), count, rng)]
    size = np.exp(_SIZE_DEVIATION * rng.normal(size=count))
    return Terminals(
        group,
        category,
        city,
        np.where(is_online, abroad, here),
        np.where(is_online, np.nan, np.round(latitude, 5)),
        np.where(is_online, np.nan, np.round(longitude, 5)),
        _PRICE_DEVIATION * rng.normal(size=count),
        np.concatenate(([0.0], np.cumsum(size))),
        np.searchsorted(group, np.arange(GROUPS + 1)),
    )


def _group_sizes(customers: int) -> Ints:
    """How many terminals each group has; none where a category is sold only online, or never."""
    all_terminals = customers * _TERMINALS_PER_CUSTOMER
    # A place that people only visit has the shops of a small town.
    weight = np.array([max(city.homes, 0.4) for city in CITIES])
    share = np.array([category.share for category in CATEGORIES])
    online = np.array([category.online for category in CATEGORIES])
    # Many small purchases are made at few machines: the number of shops grows slower than their sales.
    in_shops = np.sqrt(share) * (1 - online)
    sizes = np.zeros((ONLINE_CITY + 1, KINDS))
    placed = all_terminals * (1 - _ONLINE_SHARE)
    sizes[:ONLINE_CITY] = np.maximum(placed * np.outer(weight / weight.sum(), in_shops / in_shops.sum()), 1)
    sizes[:ONLINE_CITY] = np.maximum(np.round(sizes[:ONLINE_CITY]), _LEAST_IN_CITY)
    sizes[:ONLINE_CITY, in_shops == 0] = 0
    sold = np.sqrt(share) * (online > 0)
    sizes[ONLINE_CITY] = np.maximum(np.round(all_terminals * _ONLINE_SHARE * sold / sold.sum()), _LEAST_ONLINE)
    sizes[ONLINE_CITY, online == 0] = 0
    return sizes.ravel().astype(np.int64)


def _people(seed: int, count: int) -> Customers:
    rng = generator(seed, _CUSTOMERS)
    segment = drawn(_SEGMENT_SHARES, count, rng)
    homes = CITIES[:HOME_CITIES]
    city = drawn((place.homes for place in homes), count, rng)
    centre_latitude = np.array([place.latitude for place in homes])
    centre_longitude = np.array([place.longitude for place in homes])
    spread = np.array([place.spread for place in homes])[city] * 1.2
    latitude = centre_latitude[city] + spread * rng.normal(size=count) / DEGREE_KM
    east = spread * rng.normal(size=count) / DEGREE_KM
    longitude = centre_longitude[city] + east / np.cos(np.radians(latitude))
    share = np.array([category.share for category in CATEGORIES])
    tastes = np.cumsum(rng.gamma(_EVENNESS * share, size=(count, KINDS)), axis=1)
    slots = drawn(_CARD_COUNTS, count, rng) + 1
    return Customers(
        segment,
        city,
        _work_cities(city, rng),
        latitude,
        longitude,
        _DAILY_MEDIAN * np.exp(_DAILY_DEVIATION * rng.normal(size=count)) * _SEGMENT_RATES[segment],
        0.4 * rng.normal(size=count) + _SEGMENT_PRICES[segment],
        0.8 * rng.normal(size=count) + _SEGMENT_ONLINE[segment],
        1.2 * rng.normal(size=count),
        tastes / tastes[:, -1:],
        rng.gamma(1.5, _TRIPS_A_YEAR / 1.5 / 365, size=count),
        np.concatenate(([0], np.cumsum(slots)[:-1])),
        slots,
    )


def _work_cities(city: Ints, rng: np.random.Generator) -> Ints:
    """Where each works: mostly at home, else in another city, near ones more often."""
    latitude = np.array([place.latitude for place in CITIES[:HOME_CITIES]])
    longitude = np.array([place.longitude for place in CITIES[:HOME_CITIES]])
    size = np.array([place.homes for place in CITIES[:HOME_CITIES]])
    apart = distance_km(latitude[:, None], longitude[:, None], latitude[None], longitude[None])
    pull = size[None] * np.exp(-apart / 40.0)
    np.fill_diagonal(pull, 0.0)
    edges = np.cumsum(pull, axis=1)
    other = (edges[city] < rng.random(len(city))[:, None] * edges[city, -1:]).sum(axis=1)
    return np.where(rng.random(len(city)) < 0.3, other, city)
