"""What customers buy without any fraud: outings of one purchase or several, and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudstream.generator.simulators.cards.places import CASH, CATEGORIES, DIGITAL, HOUSEHOLD, KINDS, LEISURE, TRANSFER
from fraudstream.generator.simulators.cards.rows import (
    CASH_MACHINE,
    CHIP,
    CONTACTLESS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONLINE,
    Bools,
    Floats,
    Ints,
    Rows,
    generator,
    uniform_of,
)
from fraudstream.generator.simulators.cards.seasons import Season, moments, profiles
from fraudstream.generator.simulators.cards.travel import Trips
from fraudstream.generator.simulators.cards.world import HOME_CITIES, ONLINE_CITY, Customers, World

# The places of random numbers and of numbers that do not change.
_PURCHASES, _SUBSCRIPTIONS, _FAVOURITES = 4, 5, 6

# An outing goes on after each purchase with this probability. Some are sprees: of shopping, or within a game.
_GOES_ON, _SPREE, _GAME = 0.22, 0.004, 0.35
_SPREE_GOES_ON, _SPREE_LEAST = 0.7, 3
_MEAN_OUTING = 1 + (1 - _SPREE) * _GOES_ON / (1 - _GOES_ON) + _SPREE * (_SPREE_LEAST + 1 / (1 - _SPREE_GOES_ON))
_GAP_MINUTES, _GAP_DEVIATION, _SPREE_GAP, _GAME_GAP = 12.0, 0.9, 0.5, 0.12

# How often the first, second … of somebody's usual terminals of a category is chosen, and how often none of them.
_USUAL = (0.52, 0.27, 0.13, 0.08)
_NEW_AT_HOME, _NEW_AWAY, _NEW_ONLINE = 0.10, 0.40, 0.14
# In working hours, those who work elsewhere buy there; on any day some look around in another city.
_AT_WORK, _ELSEWHERE = 0.5, 0.03
_WORKING_HOURS = (8, 18)
_NIGHT_HOURS, _NIGHT_ONLINE = (6, 21), 0.7

# What a purchase costs at least and at most, cents; what a cash machine gives at least and at most.
_LEAST_CENTS, _MOST_CENTS = 20, 400_000
_NOTE_CENTS, _LEAST_NOTES, _MOST_NOTES = 1_000, 2, 60
# Above this a payment without contact needs a telephone, which confirms who holds it.
CONTACTLESS_CENTS = 5_000
_LARGE_CONTACTLESS, _PIN = 0.12, 0.97
_ROUND_TRANSFERS, _TRANSFER_STEP = 0.4, 500

_SUBSCRIPTIONS_MOST, _SUBSCRIBED, _LASTS_DAYS = 4, 0.5, 300
_SUBSCRIPTION_KINDS = np.array([DIGITAL, LEISURE, HOUSEHOLD, TRANSFER])
_SUBSCRIPTION_EDGES = np.array([0.62, 0.78, 0.92])
_BILLED_DAYS = 28

_MEDIANS = np.log([category.median for category in CATEGORIES])
_DEVIATIONS = np.array([category.deviation for category in CATEGORIES])


@dataclass(frozen=True, slots=True)
class Purchase:
    """Purchases on their way to being rows: who buys what kind of thing, where and when."""

    customer: Ints
    moment: Ints
    category: Ints
    terminal: Ints
    is_online: Bools


class Habits:
    """Makes the purchases of the customers of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._profiles = profiles()
        self._subscriptions = _Subscriptions(world)

    def purchases(self, season: Season, bins: tuple[int, int], trips: Trips, cards: Ints) -> Rows:
        """What is begun to be bought within these bins of a day, unordered; an outing may last beyond them.

        ``cards`` are the numbers of the cards, by their slots.
        """
        world, people = self._world, self._world.customers
        rng = generator(world.seed, _PURCHASES, season.place, bins[0])
        profile = self._profiles[int(season.is_weekend)]
        share = profile[:, bins[1] - 1] - (profile[:, bins[0] - 1] if bins[0] else 0.0)
        edges = np.cumsum(people.rate * share[people.segment])
        count = int(rng.poisson(edges[-1] * season.volume / _MEAN_OUTING))
        customer = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
        begin = moments(profile, people.segment[customer], season.begin_ms, rng.random(count), bins)
        outing, after, is_game = _outings(count, rng)
        customer = customer[outing]
        moment = (begin[outing] + after).astype(np.int64)
        bought = self._bought(season, customer, moment, trips, (outing, is_game), rng)
        cents = priced(world, season, bought, rng)
        cents[is_game] = np.maximum(cents[is_game] // 2, _LEAST_CENTS)
        return paid(world, season, bought, cents, cards, rng)

    def subscriptions(self, season: Season, cards: Ints) -> Rows:
        """What is charged on a day for subscriptions."""
        return self._subscriptions.charged(season, cards)

    def _bought(
        self,
        season: Season,
        customer: Ints,
        moment: Ints,
        trips: Trips,
        game: tuple[Ints, Bools],
        rng: np.random.Generator,
    ) -> Purchase:
        people, count = self._world.customers, len(customer)
        outing, is_game = game
        category = (people.tastes[customer] < rng.random((count, 1))).sum(axis=1)
        category[is_game] = DIGITAL
        hour = (moment - season.begin_ms) // HOUR_MS % 24
        at_night = (hour < _NIGHT_HOURS[0]) | (hour >= _NIGHT_HOURS[1])
        odds = season.online[category] + people.online[customer] + _NIGHT_ONLINE * at_night
        is_online = rng.random(count) < 1 / (1 + np.exp(-odds))
        city, is_away = trips.cities(customer, moment)
        # Nobody changes the city within an outing.
        chance = rng.random(int(outing[-1]) + 1 if count else 0)[outing]
        is_working = (hour >= _WORKING_HOURS[0]) & (hour < _WORKING_HOURS[1]) & (not season.is_weekend)
        stays = is_away == 0
        city = np.where(stays & is_working & (chance < _AT_WORK), people.work_city[customer], city)
        strays = stays & (chance > 1 - _ELSEWHERE)
        city[strays] = ((chance[strays] - 1 + _ELSEWHERE) / _ELSEWHERE * HOME_CITIES).astype(np.int64)
        group = np.where(is_online, ONLINE_CITY, city) * KINDS + category
        is_new = rng.random(count) < np.where(is_online, _NEW_ONLINE, np.where(stays, _NEW_AT_HOME, _NEW_AWAY))
        terminal = self._terminals(customer, group, is_new, rng)
        # All purchases within a game are of one shop.
        first = np.searchsorted(outing, outing[is_game])
        terminal[is_game] = terminal[first]
        return Purchase(customer, moment, category, terminal, is_online)

    def _terminals(self, customer: Ints, group: Ints, is_new: Bools, rng: np.random.Generator) -> Ints:
        """Where each buys: at a usual terminal, of two the one nearer to the home, or at any of the group."""
        people, terminals = self._world.customers, self._world.terminals
        rank = np.searchsorted(np.cumsum(_USUAL)[:-1], rng.random(len(group)))
        key = customer * np.int64(len(_USUAL)) + rank
        chance = np.where(is_new, rng.random(len(group)), uniform_of(_FAVOURITES, self._world.seed, key, group))
        terminal = terminals.chosen(group, chance)
        at_home = np.flatnonzero(~is_new & (group // KINDS == people.city[customer]))
        other = terminals.chosen(
            group[at_home], uniform_of(_FAVOURITES + 1, self._world.seed, key[at_home], group[at_home])
        )
        who = customer[at_home]
        nearer = _apart(self._world, who, other) < _apart(self._world, who, terminal[at_home])
        terminal[at_home] = np.where(nearer, other, terminal[at_home])
        return terminal


def _apart(world: World, customer: Ints, terminal: Ints) -> Floats:
    """The square of the way from the home to the terminal in degrees of latitude: enough to compare two of them."""
    people, terminals = world.customers, world.terminals
    north = terminals.latitude[terminal] - people.latitude[customer]
    # At 51 degrees of latitude, where the customers live.
    east = 0.63 * (terminals.longitude[terminal] - people.longitude[customer])
    apart: Floats = north * north + east * east
    return apart


def _outings(count: int, rng: np.random.Generator) -> tuple[Ints, Floats, Bools]:
    """Of each purchase: which outing it belongs to, how many ms after its begin it is made, and if within a game."""
    is_spree = rng.random(count) < _SPREE
    sprees = int(is_spree.sum())
    more = rng.geometric(1 - _GOES_ON, count) - 1
    more[is_spree] = _SPREE_LEAST + rng.geometric(1 - _SPREE_GOES_ON, sprees)
    is_game = np.zeros(count, dtype=np.bool_)
    is_game[is_spree] = rng.random(sprees) < _GAME
    outing = np.repeat(np.arange(count), more + 1)
    first = np.cumsum(more + 1) - more - 1
    pace = np.where(is_game, _GAME_GAP, np.where(is_spree, _SPREE_GAP, 1.0)) * _GAP_MINUTES * MINUTE_MS
    gap = np.exp(_GAP_DEVIATION * rng.standard_normal(len(outing))) * pace[outing]
    gap[first] = 0.0
    passed = np.cumsum(gap)
    return outing, passed - passed[first][outing], is_game[outing]


def priced(world: World, season: Season, bought: Purchase, rng: np.random.Generator) -> Ints:
    """What each purchase costs, cents."""
    category = bought.category
    logarithm = (
        (_MEDIANS + season.prices)[category]
        + _DEVIATIONS[category] * rng.standard_normal(len(category))
        + world.customers.price[bought.customer]
        + world.terminals.price[bought.terminal]
    )
    cents: Ints = np.clip(np.rint(np.exp(logarithm) * 100), _LEAST_CENTS, _MOST_CENTS).astype(np.int64)
    rounds = np.flatnonzero(category == TRANSFER)
    rounds = rounds[rng.random(len(rounds)) < _ROUND_TRANSFERS]
    cents[rounds] = np.maximum(np.rint(cents[rounds] / _TRANSFER_STEP), 1).astype(np.int64) * _TRANSFER_STEP
    notes = np.flatnonzero(category == CASH)
    cents[notes] = in_notes(cents[notes])
    return cents


def in_notes(cents: Ints) -> Ints:
    """What a cash machine gives to who asks for so much."""
    notes: Ints = np.clip(np.rint(cents / _NOTE_CENTS).astype(np.int64), _LEAST_NOTES, _MOST_NOTES)
    return notes * _NOTE_CENTS


def paid(world: World, season: Season, bought: Purchase, cents: Ints, cards: Ints, rng: np.random.Generator) -> Rows:
    """The purchases as rows: with which card and how each is paid."""
    people, count = world.customers, len(cents)
    chance = rng.random(count)
    odds = season.contactless + people.contactless[bought.customer]
    is_small = cents <= CONTACTLESS_CENTS
    without = chance < np.where(is_small, 1 / (1 + np.exp(-odds)), _LARGE_CONTACTLESS)
    channel = np.where(without, CONTACTLESS, CHIP)
    channel[bought.category == CASH] = CASH_MACHINE
    channel[bought.is_online] = ONLINE
    confirmed = np.where(without, np.where(is_small, 0.0, 1.0), _PIN)
    confirmed = np.where(bought.is_online, confirmed_online(cents), confirmed)
    confirmed[channel == CASH_MACHINE] = 1.0
    slot = slots_of(people, bought.customer, bought.is_online, rng)
    none = np.zeros(count, dtype=np.int64)
    return Rows(
        bought.moment,
        bought.customer,
        slot,
        cards[slot],
        bought.terminal,
        cents,
        channel,
        np.zeros(count, dtype=np.bool_),
        rng.random(count) < confirmed,
        none,
        none,
    )


def confirmed_online(cents: Ints) -> Floats:
    """How probable it is that a payment online is confirmed by the customer: larger ones more often."""
    return np.clip(0.2 + 0.13 * np.log(cents / 100 + 0.1), 0.05, 0.95)


def slots_of(people: Customers, customer: Ints, is_online: Bools, rng: np.random.Generator) -> Ints:
    """The card that each pays with: mostly the first one, and online more often another one."""
    count = len(customer)
    others = np.maximum(people.slots[customer] - 1, 1)
    is_first = (people.slots[customer] == 1) | (rng.random(count) < np.where(is_online, 0.55, 0.8))
    other = 1 + (rng.random(count) * others).astype(np.int64)
    return people.first_slot[customer] + np.where(is_first, 0, other)


class _Subscriptions:
    """What customers pay for each month: always on the same day and the same amount, until they change the merchant."""

    def __init__(self, world: World) -> None:
        self._world = world
        everybody = np.arange(len(world.customers))
        customer = np.repeat(everybody, _SUBSCRIPTIONS_MOST)
        number = np.tile(np.arange(_SUBSCRIPTIONS_MOST), len(everybody))
        subscribed = self._chance(customer, number, 1) < _SUBSCRIBED
        customer, number = customer[subscribed], number[subscribed]
        day = 1 + (self._chance(customer, number, 2) * _BILLED_DAYS).astype(np.int64)
        order = np.argsort(day, kind="stable")
        self._customer, self._number = customer[order], number[order]
        self._starts = np.searchsorted(day[order], np.arange(1, _BILLED_DAYS + 2))

    def _chance(self, customer: Ints, number: Ints, what: int) -> Floats:
        return uniform_of(_SUBSCRIPTIONS, self._world.seed, what, customer * _SUBSCRIPTIONS_MOST + number)

    def charged(self, season: Season, cards: Ints) -> Rows:
        """What is charged on a day; most of it early in the morning."""
        day = season.day_of_month
        places = slice(0, 0) if day > _BILLED_DAYS else slice(self._starts[day - 1], self._starts[day])
        customer, number = self._customer[places], self._number[places]
        count = len(customer)
        phase = self._chance(customer, number, 3) * _LASTS_DAYS
        kind = np.searchsorted(_SUBSCRIPTION_EDGES, self._chance(customer, number, 4), side="right")
        category = _SUBSCRIPTION_KINDS[kind]
        # Another merchant and another price each time that a subscription has ended.
        contract = (season.place + phase).astype(np.int64) // _LASTS_DAYS * 16 + number
        chance = uniform_of(_SUBSCRIPTIONS + 1, self._world.seed, customer, contract)
        terminal = self._world.terminals.chosen(ONLINE_CITY * KINDS + category, chance)
        spread = uniform_of(_SUBSCRIPTIONS + 2, self._world.seed, customer, contract) - 0.5
        euros = np.exp(_MEDIANS[category] + 0.25 + 2.2 * _DEVIATIONS[category] * spread)
        cents = np.maximum(np.floor(euros).astype(np.int64), 1) * 100 + 99
        rng = generator(self._world.seed, _SUBSCRIPTIONS, season.place)
        hours = np.where(rng.random(count) < 0.7, rng.normal(4.0, 1.2, count), 24 * rng.random(count))
        moment = season.begin_ms + np.clip(hours * HOUR_MS, 0, DAY_MS - 1).astype(np.int64)
        slot = self._world.customers.first_slot[customer]
        none = np.zeros(count, dtype=np.int64)
        flags = np.zeros(count, dtype=np.bool_)
        return Rows(
            moment,
            customer,
            slot,
            cards[slot],
            terminal,
            cents,
            np.full(count, ONLINE),
            ~flags,
            flags,
            none,
            none,
        )
