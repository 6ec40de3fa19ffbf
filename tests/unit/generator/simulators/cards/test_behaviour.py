"""What customers and campaigns do, over 91 days of 2,000 customers.

Tolerances are a few standard errors of the figure, or what a reader of the page about the project would call the same.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from fraudstream.generator.simulators.cards import time_line
from fraudstream.generator.simulators.cards.campaigns import LONGEST_DAYS, SHARES
from fraudstream.generator.simulators.cards.places import (
    CATEGORIES,
    CITIES,
    GROCERIES,
    TRANSFER,
    TRANSPORT,
    distance_km,
)
from fraudstream.generator.simulators.cards.rows import (
    CARD_NOT_PRESENT,
    CASH_MACHINE,
    CHIP,
    COMPROMISED_TERMINAL,
    CONTACTLESS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    MULE_RING,
    ONLINE,
    SLOW_DRAIN,
    STOLEN_CARD,
    Rows,
    uniform_of,
)
from fraudstream.generator.simulators.cards.seasons import BEGIN_MS, WARM_UP_DAYS, Season
from fraudstream.generator.simulators.cards.travel import Trips
from fraudstream.generator.simulators.cards.world import SEGMENTS, World, build_world

pytestmark = pytest.mark.timeless

DAYS = 91


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(11, 2_000)


@pytest.fixture(scope="module")
def rows(world: World) -> Rows:
    return Rows.joined(block for _, block in islice(time_line.blocks(world), DAYS))


@pytest.fixture(scope="module")
def honest(rows: Rows) -> Rows:
    return rows.at(rows.campaign == 0)


def campaigns(rows: Rows, kind: int) -> list[Rows]:
    """The transactions of each campaign of a kind that ends well before the last day."""
    frauds = rows.at(rows.campaign == kind)
    each = [frauds.at(frauds.campaign_id == number) for number in np.unique(frauds.campaign_id)]
    return [campaign for campaign in each if campaign.moment[0] >= BEGIN_MS + DAY_MS]


def days(rows: Rows) -> np.ndarray:
    return (rows.moment - BEGIN_MS) // DAY_MS


def test_customers_buy_near_their_homes(world: World, honest: Rows) -> None:
    people, terminals = world.customers, world.terminals
    away = distance_km(
        people.latitude[honest.customer],
        people.longitude[honest.customer],
        terminals.latitude[honest.terminal],
        terminals.longitude[honest.terminal],
    )
    away = away[honest.channel != ONLINE]
    assert np.median(away) < 10
    assert 0.01 < (away > 250).mean() < 0.06  # on trips


def test_customers_have_usual_terminals(honest: Rows) -> None:
    """Of the purchases in a shop in the last month most are made where the customer has been before."""
    late = days(honest) >= DAYS - 28
    pair = honest.customer * 1_000_000 + honest.terminal
    known = np.isin(pair[late], pair[~late])
    assert 0.65 < known[honest.channel[late] != ONLINE].mean() < 0.9


def test_each_kind_of_people_has_its_hours(world: World, honest: Rows) -> None:
    hour = (honest.moment // HOUR_MS) % 24
    segment = world.customers.segment[honest.customer]
    by_hand = (honest.channel != ONLINE) & ~honest.is_recurring

    def share(name: str, begin: int, end: int) -> float:
        chosen = by_hand & (segment == SEGMENTS.index(name))
        return float(((hour[chosen] >= begin) & (hour[chosen] < end)).mean())

    assert share("retired", 8, 18) > 0.85
    assert share("worker", 16, 22) > 0.4
    assert share("night_worker", 0, 5) > 5 * share("family", 0, 5)


def test_saturday_is_the_strongest_day_and_sunday_the_weakest(honest: Rows) -> None:
    weekday = (days(honest) + 3) % 7  # the first day is a Thursday
    counts = np.bincount(weekday)
    assert counts.argmax() == 5
    assert counts.argmin() == 6


@pytest.mark.parametrize("category", [GROCERIES, TRANSPORT])
def test_prices_are_those_of_the_category(world: World, honest: Rows, category: int) -> None:
    cents = honest.cents[(world.terminals.category[honest.terminal] == category) & ~honest.is_recurring]
    assert np.median(cents) / 100 == pytest.approx(CATEGORIES[category].median, rel=0.15)


def test_small_purchases_are_mostly_contactless_and_large_ones_confirmed(honest: Rows) -> None:
    present = np.isin(honest.channel, (CHIP, CONTACTLESS))
    small = honest.cents <= 5_000
    assert 0.55 < (honest.channel[present & small] == CONTACTLESS).mean() < 0.8
    assert honest.is_authenticated[present & ~small].mean() > 0.95
    assert not honest.is_authenticated[(honest.channel == CONTACTLESS) & small].any()


def test_subscriptions_come_every_month_from_the_same_merchant(honest: Rows) -> None:
    charged = honest.at(honest.is_recurring)
    contract = charged.customer * 10**12 + charged.terminal * 10**6 + charged.cents
    _, counts = np.unique(contract, return_counts=True)
    # A contract ends after 300 days.
    assert np.mean(counts == 3) > 0.55
    assert 0.02 < len(charged) / len(honest) < 0.06


def test_seasons_and_drift() -> None:
    winter, christmas, later = Season(40), Season(350), Season(40 + 730)
    assert christmas.volume > 1.1 * winter.volume
    assert Season(195).travel > 1.8 * Season(315).travel
    assert (later.online > winter.online).all()
    assert later.prices[GROCERIES] - winter.prices[GROCERIES] == pytest.approx(2 * np.log(1.03), rel=0.01)


def test_more_people_are_away_in_july(world: World) -> None:
    trips = Trips(world)
    everybody = np.arange(len(world.customers))
    away = {}
    for day in range(-WARM_UP_DAYS, 215):
        trips.begin(season := Season(day))
        away[day] = trips.cities(everybody, np.full(len(everybody), season.begin_ms))[1].mean()
    assert np.mean([away[day] for day in range(185, 212)]) > 1.8 * np.mean([away[day] for day in range(10, 40)])


def test_the_share_of_frauds_and_of_their_kinds(rows: Rows) -> None:
    frauds = rows.campaign[rows.campaign > 0]
    assert 0.006 < len(frauds) / len(rows) < 0.01
    for kind, share in SHARES.items():
        # Campaigns are few: a kind's share moves by a third with the seed.
        assert (frauds == kind).mean() == pytest.approx(share, rel=0.5)


def test_no_campaign_lasts_longer_than_is_said(rows: Rows) -> None:
    for kind in SHARES:
        assert max(np.ptp(campaign.moment) for campaign in campaigns(rows, kind)) < LONGEST_DAYS * DAY_MS


def test_a_stolen_card_is_one_card_within_a_day(rows: Rows) -> None:
    thefts = campaigns(rows, STOLEN_CARD)
    assert len(thefts) > 30
    assert all(len(np.unique(theft.card)) == 1 for theft in thefts)
    assert all(np.ptp(theft.moment) < DAY_MS for theft in thefts)
    assert np.median([len(theft) for theft in thefts]) >= 6


def test_a_card_that_was_stolen_is_blocked_and_gets_a_new_number(rows: Rows) -> None:
    for theft in campaigns(rows, STOLEN_CARD):
        uses = rows.moment[rows.card == theft.card[0]]
        assert uses.max() < theft.moment[-1] + 8 * DAY_MS


def test_payments_at_a_compromised_terminal_are_like_those_before(world: World, rows: Rows) -> None:
    """Nothing in one event tells them: neither the amount nor the channel nor the hour."""
    frauds = rows.at(rows.campaign == COMPROMISED_TERMINAL)
    others = rows.at((rows.campaign == 0) & np.isin(rows.terminal, np.unique(frauds.terminal)))
    assert np.log(frauds.cents).mean() == pytest.approx(np.log(others.cents).mean(), abs=0.25)
    for channel in (CHIP, CONTACTLESS):
        assert (frauds.channel == channel).mean() == pytest.approx((others.channel == channel).mean(), abs=0.1)
    hours = [((each.moment // HOUR_MS) % 24).mean() for each in (frauds, others)]
    assert hours[0] == pytest.approx(hours[1], abs=1.0)


def test_most_payments_at_a_compromised_terminal_are_fraud(rows: Rows) -> None:
    shares = []
    for campaign in campaigns(rows, COMPROMISED_TERMINAL):
        there = rows.at((rows.terminal == campaign.terminal[0]) & (rows.moment >= campaign.moment[0]))
        shares.append(len(campaign) / (there.moment <= campaign.moment[-1]).sum())
    assert np.mean(shares) > 0.75


def test_a_number_without_its_card_is_tried_within_minutes_and_then_spent(rows: Rows) -> None:
    bursts = campaigns(rows, CARD_NOT_PRESENT)
    frauds = Rows.joined(bursts)
    assert (frauds.channel == ONLINE).all()
    assert frauds.is_authenticated.mean() < 0.15
    first_gaps = [burst.moment[1] - burst.moment[0] for burst in bursts if len(burst) > 1]
    assert np.median(first_gaps) < 2 * MINUTE_MS
    assert np.mean([burst.cents[-1] > 5 * burst.cents[0] for burst in bursts]) > 0.8


def test_a_drain_takes_little_from_many_over_weeks_at_one_shop_online(rows: Rows) -> None:
    whole = [drain for drain in campaigns(rows, SLOW_DRAIN) if days(drain)[0] < DAYS - LONGEST_DAYS]
    assert whole
    for drain in whole:
        assert len(np.unique(drain.terminal)) == 1
        assert len(np.unique(drain.card)) >= 3
        assert drain.cents.max() < 2_000
        assert np.ptp(drain.moment) > 5 * DAY_MS


def test_mules_act_together(world: World, rows: Rows) -> None:
    for ring in campaigns(rows, MULE_RING):
        is_transfer = world.terminals.category[ring.terminal] == TRANSFER
        assert ((ring.channel == CASH_MACHINE) | is_transfer).all()
        assert len(np.unique(ring.terminal)) <= 2
        sessions = np.split(ring.card, np.flatnonzero(np.diff(ring.moment) > 6 * HOUR_MS) + 1)
        assert np.mean([len(np.unique(session)) for session in sessions]) > 2


def test_distances_are_great_circles() -> None:
    brussels, paris = CITIES[0], next(city for city in CITIES if city.latitude == 48.86)
    kilometres = distance_km(
        np.array([brussels.latitude]),
        np.array([brussels.longitude]),
        np.array([paris.latitude]),
        np.array([paris.longitude]),
    )
    assert kilometres[0] == pytest.approx(264, abs=3)


def test_numbers_that_do_not_change_are_even() -> None:
    values = uniform_of(3, np.arange(20_000), 9)
    assert (values == uniform_of(3, np.arange(20_000), 9)).all()
    assert np.abs(np.histogram(values, 10, (0, 1))[0] - 2_000).max() < 5 * 2_000**0.5
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03
