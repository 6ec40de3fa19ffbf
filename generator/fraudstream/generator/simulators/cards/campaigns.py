"""Frauds come in campaigns: what each of the five kinds does, and how often it begins.

A campaign's transactions are decided when it begins, but for those at a compromised terminal: there, customers' own
purchases become fraud.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fraudstream.generator.simulators.cards import habits
from fraudstream.generator.simulators.cards.habits import Purchase
from fraudstream.generator.simulators.cards.places import (
    CASH,
    CATEGORIES,
    CLOTHING,
    DIGITAL,
    ELECTRONICS,
    GROCERIES,
    HOUSEHOLD,
    KINDS,
    LEISURE,
    TRANSFER,
    TRAVEL,
)
from fraudstream.generator.simulators.cards.rows import (
    CARD_NOT_PRESENT,
    CASH_MACHINE,
    COMPROMISED_TERMINAL,
    CONTACTLESS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    MULE_RING,
    ONLINE,
    SECOND_MS,
    SLOW_DRAIN,
    STOLEN_CARD,
    Floats,
    Ints,
    Rows,
    drawn,
    generator,
    no_rows,
)
from fraudstream.generator.simulators.cards.seasons import Season
from fraudstream.generator.simulators.cards.travel import Trips
from fraudstream.generator.simulators.cards.world import HOME_CITIES, ONLINE_CITY, World

# The share of frauds among all transactions, and of each kind of campaign among the frauds.
FRAUD_SHARE = 0.008
SHARES = {STOLEN_CARD: 0.17, COMPROMISED_TERMINAL: 0.45, CARD_NOT_PRESENT: 0.19, SLOW_DRAIN: 0.08, MULE_RING: 0.11}
# No campaign lasts longer.
LONGEST_DAYS = 45
_CAMPAIGNS = 7

# Stolen: how many times it is used, how long it takes until the next time, and how long until it is blocked.
_USES, _USE_MINUTES, _USE_DEVIATION = 6.0, 6.0, 0.9
# A careful thief knows the PIN and buys what anybody buys; another one stays below what needs a PIN.
_CAREFUL, _CAREFUL_A_YEAR = 0.45, 0.15
_SWAGS = np.array([ELECTRONICS, CLOTHING, GROCERIES, LEISURE, HOUSEHOLD])
_SWAG_SHARES = np.array([0.34, 0.24, 0.18, 0.14, 0.10])
_HERE, _BLOCKED_HOURS = 0.6, 12.0

# Compromised: the terminal's mean payments a day, for how many days, and which share of them becomes fraud.
_TRAFFIC = (0.5, 2.5)
_COMPROMISED_DAYS, _COMPROMISED_SHARE = (20.0, 42.0), (0.8, 1.0)

# Card not present: small payments within minutes try the card, then some large ones follow.
_TRIALS_LEAST, _TRIALS, _SPENT = 2, 4.0, 2.6
_TRIAL_SECONDS, _TRIAL_CENTS, _SPEND_MINUTES = 40.0, (60, 900), 35.0
_SPENT_ON = np.array([ELECTRONICS, CLOTHING, TRAVEL, LEISURE, TRANSFER])
_SPENT_SHARES = np.array([0.34, 0.24, 0.12, 0.14, 0.16])
_CONFIRMED = 0.06

# Drain: an operator charges stolen cards little, every few days, until each holder notices.
_VICTIMS_LEAST, _VICTIMS, _NOTICED_DAYS = 4, 4.0, 13.0
_EVERY_DAYS, _DRAIN_DAYS, _DRAIN_EUROS = (1.0, 4.0), (20.0, 40.0), (4.0, 15.0)
_LIKE_SUBSCRIPTIONS = 0.5
_DRAIN_KINDS = np.array([DIGITAL, LEISURE, HOUSEHOLD])

# Mules: cards of a ring are used together at a few terminals, in sessions some days apart.
_MULES_LEAST, _MULES, _SESSIONS_DAYS, _RING_DAYS = 4, 3.0, (1.0, 3.0), (3.0, 10.0)
_TAKES_PART, _SESSION_MINUTES, _MULE_EUROS, _MULE_DEVIATION = 0.75, 35.0, 95.0, 0.55
_TRANSFERS, _TWICE = 0.35, 0.4

# So many transactions a campaign has in the mean, from which follows how many begin.
_MEAN_ROWS = {STOLEN_CARD: 7.9, CARD_NOT_PRESENT: 9.6, SLOW_DRAIN: 35.0, MULE_RING: 20.0}
# Before Christmas there are more frauds online, and more of them from year to year.
_CHRISTMAS, _MORE_ONLINE = 1.3, 0.3


@dataclass(slots=True)
class Blocked:
    """Cards that get a new number: their slots, and when."""

    slot: Ints
    moment: Ints


class Campaigns:
    """The campaigns of a world, from day to day."""

    def __init__(self, world: World, trips: Trips) -> None:
        self._world = world
        self._trips = trips
        self._next_id = 1
        self._blocked: list[Blocked] = []
        count = len(world.terminals)
        self._from = np.zeros(count, dtype=np.int64)
        self._until = np.zeros(count, dtype=np.int64)
        self._share = np.zeros(count)
        self._id = np.zeros(count, dtype=np.int64)
        self._victims = np.cumsum(world.customers.rate)
        self._traffic = traffic(world)
        inside = (self._traffic >= _TRAFFIC[0]) & (self._traffic <= _TRAFFIC[1])
        # A world that is small has no terminal of that traffic: then those of the most.
        least = np.sort(self._traffic)[-max(count // 20, 1)]
        self._may_be_compromised = np.flatnonzero(inside if inside.any() else self._traffic >= least)
        self._plans: dict[int, Callable[[Season, Ints, np.random.Generator], Rows]] = {
            STOLEN_CARD: self._stolen_card,
            CARD_NOT_PRESENT: self._card_not_present,
            SLOW_DRAIN: self._slow_drain,
            MULE_RING: self._mule_ring,
        }

    def begin(self, season: Season, cards: Ints) -> Rows:
        """The transactions of the campaigns that begin on a day, unordered; they may lie :data:`LONGEST_DAYS` ahead."""
        rng = generator(self._world.seed, _CAMPAIGNS, season.place)
        frauds = self._world.daily * season.volume * FRAUD_SHARE
        self._compromise(season, frauds, rng)
        parts = [no_rows()]
        for kind, plan in self._plans.items():
            expected = frauds * SHARES[kind] / _MEAN_ROWS[kind]
            if kind == CARD_NOT_PRESENT:
                expected *= (1 + _MORE_ONLINE * season.years) * (_CHRISTMAS if season.month in (11, 12) else 1.0)
            for _ in range(int(rng.poisson(max(expected, 0.0)))):
                parts.append(plan(season, cards, rng))
                self._next_id += 1
        return Rows.joined(parts)

    def blocked(self, before: int) -> Ints:
        """The slots whose cards have been blocked before a moment, and not been told yet."""
        due = [part.slot[part.moment < before] for part in self._blocked]
        for part in self._blocked:
            stays = part.moment >= before
            part.slot, part.moment = part.slot[stays], part.moment[stays]
        self._blocked = [part for part in self._blocked if len(part.slot)]
        return np.unique(np.concatenate(due)) if due else np.zeros(0, dtype=np.int64)

    def compromised(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """The same transactions, those become fraud that are made at a compromised terminal."""
        terminal = rows.terminal
        chance = rng.random(len(rows))
        hit = (self._from[terminal] <= rows.moment) & (rows.moment < self._until[terminal])
        hit &= (chance < self._share[terminal]) & (rows.campaign == 0)
        if not hit.any():
            return rows
        places = np.flatnonzero(hit)
        campaign, campaign_id = rows.campaign.copy(), rows.campaign_id.copy()
        campaign[places], campaign_id[places] = COMPROMISED_TERMINAL, self._id[terminal[places]]
        return replace(rows, campaign=campaign, campaign_id=campaign_id)

    def _compromise(self, season: Season, frauds: float, rng: np.random.Generator) -> None:
        mean_days, mean_share = sum(_COMPROMISED_DAYS) / 2, sum(_COMPROMISED_SHARE) / 2
        mean = self._traffic[self._may_be_compromised].mean() * mean_days * mean_share
        count = int(rng.poisson(frauds * SHARES[COMPROMISED_TERMINAL] / mean))
        for terminal in rng.choice(self._may_be_compromised, count):
            if self._until[terminal] > season.begin_ms:
                continue
            self._from[terminal] = season.begin_ms + rng.integers(0, DAY_MS)
            self._until[terminal] = self._from[terminal] + int(rng.uniform(*_COMPROMISED_DAYS) * DAY_MS)
            self._share[terminal] = rng.uniform(*_COMPROMISED_SHARE)
            self._id[terminal] = self._next_id
            self._next_id += 1

    def _victim(self, count: int, is_online: bool, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Customers, who is more active more often, and the card of each that is misused."""
        customer = np.searchsorted(self._victims, rng.random(count) * self._victims[-1], side="right")
        return customer, habits.slots_of(self._world.customers, customer, np.full(count, is_online), rng)

    def _block(self, slot: Ints, moment: Ints) -> None:
        self._blocked.append(Blocked(np.atleast_1d(slot), np.atleast_1d(moment)))

    def _stolen_card(self, season: Season, cards: Ints, rng: np.random.Generator) -> Rows:
        """Used for some hours around where it was stolen, until it is blocked."""
        world = self._world
        customer, slot = self._victim(1, False, rng)
        count = 2 + int(rng.poisson(_USES))
        begin = season.begin_ms + int(np.clip(rng.normal(15.0, 4.5), 0, 23.9) * HOUR_MS)
        gaps = np.exp(_USE_DEVIATION * rng.standard_normal(count)) * _USE_MINUTES * MINUTE_MS
        moment = (begin + np.cumsum(gaps)).astype(np.int64)
        customers = np.repeat(customer, count)
        city = int(self._trips.cities(customer, np.array([begin]))[0][0])
        if rng.random() > _HERE:
            city = int(rng.integers(0, HOME_CITIES))
        is_careful = rng.random() < min(_CAREFUL + _CAREFUL_A_YEAR * season.years, 0.9)
        category = _in_shops(count, rng) if is_careful else _turned(season, _SWAGS)[drawn(_SWAG_SHARES, count, rng)]
        terminal = world.terminals.chosen(city * KINDS + category, rng.random(count))
        bought = Purchase(customers, moment, category, terminal, np.zeros(count, dtype=np.bool_))
        cents = habits.priced(world, season, bought, rng)
        rows = habits.paid(world, season, bought, cents, cards, rng)
        if not is_careful:
            small = np.minimum(cents, (habits.CONTACTLESS_CENTS * rng.uniform(0.7, 1.0, count)).astype(np.int64))
            rows = replace(
                rows,
                cents=small,
                channel=np.full(count, CONTACTLESS),
                is_authenticated=np.zeros(count, dtype=np.bool_),
            )
        return self._of_a_card(rows, STOLEN_CARD, slot, cards, rng)

    def _card_not_present(self, season: Season, cards: Ints, rng: np.random.Generator) -> Rows:
        """The number alone is known: it is tried at shops online, and then spent."""
        customer, slot = self._victim(1, True, rng)
        trials, spent = _TRIALS_LEAST + int(rng.poisson(_TRIALS)), 1 + int(rng.poisson(_SPENT))
        count = trials + spent
        begin = season.begin_ms + int(rng.integers(0, DAY_MS))
        gaps = rng.exponential(1.0, count)
        gaps[:trials] *= _TRIAL_SECONDS * SECOND_MS
        gaps[trials:] *= _SPEND_MINUTES * MINUTE_MS
        moment = (begin + np.cumsum(gaps)).astype(np.int64)
        category = np.concatenate(
            (np.full(trials, DIGITAL), _turned(season, _SPENT_ON)[drawn(_SPENT_SHARES, spent, rng)])
        )
        # Two shops that ask for little serve for all trials.
        where = rng.random(count)
        where[:trials] = rng.random(2)[rng.integers(0, 2, trials)]
        terminal = self._world.terminals.chosen(ONLINE_CITY * KINDS + category, where)
        is_online = np.ones(count, dtype=np.bool_)
        bought = Purchase(np.repeat(customer, count), moment, category, terminal, is_online)
        cents = habits.priced(self._world, season, bought, rng)
        cents[:trials] = rng.integers(*_TRIAL_CENTS, trials)
        cents[trials:] *= 2
        rows = habits.paid(self._world, season, bought, cents, cards, rng)
        rows = replace(rows, is_authenticated=rng.random(count) < _CONFIRMED)
        return self._of_a_card(rows, CARD_NOT_PRESENT, slot, cards, rng)

    def _slow_drain(self, season: Season, cards: Ints, rng: np.random.Generator) -> Rows:
        """A merchant online, who also has honest customers, charges many cards little."""
        customer, slot = self._victim(_VICTIMS_LEAST + int(rng.poisson(_VICTIMS)), True, rng)
        victims = len(slot)
        group = ONLINE_CITY * KINDS + rng.choice(_DRAIN_KINDS)
        # Any shop, whatever its size: small ones are many.
        terminal = rng.integers(*self._world.terminals.starts[[group, group + 1]])
        days = rng.uniform(*_DRAIN_DAYS)
        every = rng.uniform(*_EVERY_DAYS, victims)
        begins = rng.uniform(0, days / 3, victims)
        ends = np.minimum(begins + rng.exponential(_NOTICED_DAYS, victims), days)
        times = np.maximum(np.ceil((ends - begins) / every).astype(np.int64), 1)
        victim = np.repeat(np.arange(victims), times)
        number = np.arange(len(victim)) - np.repeat(np.cumsum(times) - times, times)
        day = begins[victim] + number * every[victim] + rng.uniform(0, 0.3, len(victim))
        moment = (season.begin_ms + day * DAY_MS).astype(np.int64)
        recurs = rng.random(len(victim)) < _LIKE_SUBSCRIPTIONS
        asked = rng.uniform(*_DRAIN_EUROS, victims)[victim] * rng.uniform(0.7, 1.3, len(victim))
        # What looks like a subscription costs what one does.
        cents = np.where(recurs, np.maximum(np.rint(asked), 1) * 100 - 1, np.rint(asked * 100)).astype(np.int64)
        none = np.zeros(len(victim), dtype=np.int64)
        rows = Rows(
            moment,
            customer[victim],
            slot[victim],
            none,
            none + terminal,
            cents,
            none + ONLINE,
            recurs,
            np.zeros(len(victim), dtype=np.bool_),
            none,
            none,
        )
        self._block(slot, (season.begin_ms + (ends + rng.exponential(2.0, victims)) * DAY_MS).astype(np.int64))
        return self._marked(rows, SLOW_DRAIN, slot[victim], cards)

    def _mule_ring(self, season: Season, cards: Ints, rng: np.random.Generator) -> Rows:
        """Cards of people who lend them are used together, to take money out or to send it on."""
        mules = _MULES_LEAST + int(rng.poisson(_MULES))
        customer, slot = self._victim(mules, False, rng)
        is_transfer = rng.random() < _TRANSFERS
        city = ONLINE_CITY if is_transfer else int(rng.integers(0, HOME_CITIES))
        group = np.full(1 + int(rng.integers(0, 2)), city * KINDS + (TRANSFER if is_transfer else CASH))
        terminals = self._world.terminals.chosen(group, rng.random(len(group)))
        days = rng.uniform(*_RING_DAYS)
        sessions = np.cumsum(rng.uniform(*_SESSIONS_DAYS, int(days / _SESSIONS_DAYS[0]) + 1))
        sessions = sessions[sessions < days]
        session, mule = np.nonzero(rng.random((len(sessions), mules)) < _TAKES_PART)
        twice = rng.random(len(mule)) < _TWICE
        session, mule = np.repeat(session, 1 + twice), np.repeat(mule, 1 + twice)
        count = len(mule)
        start = np.floor(sessions) + np.clip(rng.normal(14.0, 4.0, len(sessions)), 7, 23) / 24
        minutes = rng.uniform(0, _SESSION_MINUTES, count)
        moment = (season.begin_ms + start[session] * DAY_MS + minutes * MINUTE_MS).astype(np.int64)
        euros = _MULE_EUROS * np.exp(_MULE_DEVIATION * rng.standard_normal(count))
        cents = habits.in_notes(np.rint(euros * 100))
        none = np.zeros(count, dtype=np.int64)
        confirmed = np.ones(count, dtype=np.bool_)
        if is_transfer:
            confirmed = rng.random(count) < habits.confirmed_online(cents)
        channel = none + (ONLINE if is_transfer else CASH_MACHINE)
        terminal = terminals[rng.integers(0, len(terminals), count)]
        flags = np.zeros(count, dtype=np.bool_)
        rows = Rows(moment, customer[mule], slot[mule], none, terminal, cents, channel, flags, confirmed, none, none)
        self._block(slot, np.full(mules, season.begin_ms + int((days + 1) * DAY_MS)))
        return self._marked(rows, MULE_RING, slot[mule], cards)

    def _of_a_card(self, rows: Rows, kind: int, slot: Ints, cards: Ints, rng: np.random.Generator) -> Rows:
        """The same as transactions of the campaign that begins, with one card, which is blocked after the last one."""
        self._block(slot, rows.moment[-1] + int(rng.exponential(_BLOCKED_HOURS) * HOUR_MS))
        return self._marked(rows, kind, np.repeat(slot, len(rows)), cards)

    def _marked(self, rows: Rows, kind: int, slot: Ints, cards: Ints) -> Rows:
        """The same as transactions of the campaign that begins, with these cards."""
        which = np.full(len(rows), kind), np.full(len(rows), self._next_id)
        return replace(rows, slot=slot, card=cards[slot], campaign=which[0], campaign_id=which[1])


def traffic(world: World) -> Floats:
    """How many payments each terminal takes on a mean day, about; 0 for cash machines."""
    terminals, people = world.terminals, world.customers
    share = np.array([category.share for category in CATEGORIES]) / sum(category.share for category in CATEGORIES)
    online = np.array([category.online for category in CATEGORIES])
    share[CASH] = 0.0
    homes = np.bincount(people.city, weights=people.rate, minlength=ONLINE_CITY)
    group = np.concatenate((np.outer(homes, share * (1 - online)).ravel(), world.daily * share * online))
    whole = terminals.edges[terminals.starts[1:]] - terminals.edges[terminals.starts[:-1]]
    per_size = np.divide(group, whole, out=np.zeros(len(group)), where=whole > 0)
    payments: Floats = np.diff(terminals.edges) * per_size[terminals.group]
    return payments


def _in_shops(count: int, rng: np.random.Generator) -> Ints:
    """What anybody buys where people are: categories by their shares in shops and at cash machines."""
    return drawn((category.share * (1 - category.online) for category in CATEGORIES), count, rng)


def _turned(season: Season, categories: Ints) -> Ints:
    """The categories with the favourites changed every quarter: what thieves want does not stay the same."""
    return np.roll(categories, int(season.place // 91) % len(categories))
