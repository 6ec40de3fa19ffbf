"""When people buy: hours and weekdays, seasons, and what changes slowly from month to month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from fraudstream.generator.simulators.cards.places import (
    CATEGORIES,
    CLOTHING,
    ELECTRONICS,
    FUEL,
    KINDS,
    LEISURE,
    TRAVEL,
)
from fraudstream.generator.simulators.cards.rows import DAY_MS, Floats, Ints
from fraudstream.generator.simulators.cards.world import SEGMENTS

# The time line's first day: its midnight, UTC.
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN_MS = int(BEGIN.timestamp()) * 1_000

# So many days before it campaigns and trips begin already, so that the first day is like any other.
WARM_UP_DAYS = 60

# A day has so many bins of time, within which purchases are spread evenly.
BINS = 96
BIN_MS = DAY_MS // BINS

# Per segment: bell curves over the hours of a day (middle, width, weight) on working days, and at the week's end.
_PEAKS: dict[str, tuple[tuple[tuple[float, float, float], ...], tuple[tuple[float, float, float], ...]]] = {
    "worker": (
        ((8.0, 0.8, 1.2), (12.5, 1.0, 2.2), (18.0, 1.6, 3.4), (21.0, 1.6, 1.0)),
        ((11.5, 2.0, 3.0), (16.0, 2.2, 3.0), (20.5, 2.0, 1.6)),
    ),
    "family": (
        ((9.2, 1.4, 2.0), (12.5, 1.6, 1.2), (17.0, 1.6, 3.4), (20.8, 1.2, 0.8)),
        ((10.8, 1.6, 3.4), (15.5, 2.2, 3.2), (19.5, 1.6, 0.8)),
    ),
    "student": (
        ((12.5, 1.4, 2.0), (17.5, 2.4, 2.2), (22.0, 2.2, 2.4)),
        ((14.0, 2.6, 2.2), (19.5, 2.4, 2.0), (23.5, 2.2, 2.2)),
    ),
    "retired": (((10.3, 1.5, 4.0), (14.8, 1.8, 2.4), (19.0, 1.4, 0.4)), ((10.8, 1.7, 3.0), (15.2, 2.0, 2.4))),
    "night_worker": (
        ((2.5, 1.8, 1.2), (6.5, 1.2, 1.6), (15.5, 2.0, 2.6), (20.5, 1.6, 1.4)),
        ((1.5, 2.0, 1.2), (13.5, 2.6, 2.6), (20.0, 2.2, 1.8)),
    ),
}
# The least of the profile, by the mean of its day.
_AT_NIGHT = 0.02

# Purchases of a weekday (Monday first) and of a month, by those of a mean day.
_WEEKDAYS = np.array([0.92, 0.93, 0.96, 1.0, 1.14, 1.18, 0.87])
_MONTHS = np.array([0.92, 0.90, 0.96, 0.98, 1.01, 1.02, 1.04, 1.00, 0.98, 0.99, 1.05, 1.15])
# After the wages come, and before.
_PAYDAYS = {25: 1.07, 26: 1.06, 27: 1.05, 28: 1.04, 1: 1.05, 2: 1.03, 20: 0.97, 21: 0.96, 22: 0.95, 23: 0.95, 24: 0.96}
# Trips of a month, by those of a mean month.
_TRAVEL_MONTHS = np.array([0.6, 1.0, 0.7, 1.2, 1.0, 1.1, 2.0, 1.7, 0.8, 0.6, 0.5, 0.8])

# A year's change: prices, the log-odds of buying online and of paying without contact.
_INFLATION, _MORE_ONLINE, _MORE_CONTACTLESS = 0.03, 0.35, 0.5
_CONTACTLESS_START = 0.9


def profiles() -> Floats:
    """The share of a day's purchases up to the end of each bin, shape (2, segments, BINS): workdays, then weekends."""
    hours = (np.arange(BINS) + 0.5) * 24 / BINS
    shares = np.empty((2, len(SEGMENTS), BINS))
    for place, name in enumerate(SEGMENTS):
        for kind, peaks in enumerate(_PEAKS[name]):
            height = np.zeros(BINS)
            for middle, width, weight in peaks:
                # An evening reaches into the next morning.
                apart = np.abs(hours - middle)
                height += weight / width * np.exp(-0.5 * (np.minimum(apart, 24 - apart) / width) ** 2)
            height /= height.mean()
            shares[kind, place] = (height + _AT_NIGHT) / (height + _AT_NIGHT).sum()
    return np.cumsum(shares, axis=2)


class Season:
    """What is particular to one day of the time line, ``day`` days behind :data:`BEGIN` (or before it)."""

    def __init__(self, day: int) -> None:
        date = BEGIN + timedelta(days=day)
        self.day = day
        # A place of random numbers is not negative.
        self.place = day + WARM_UP_DAYS
        self.begin_ms = BEGIN_MS + day * DAY_MS
        self.text = date.strftime("%Y-%m-%d")
        self.month = date.month
        self.day_of_month = date.day
        self.weekday = date.weekday()
        self.is_weekend = self.weekday >= 5
        self.years = day / 365.25

    @property
    def volume(self) -> float:
        """How many purchases are made, by those of a mean day."""
        payday = _PAYDAYS.get(self.day_of_month, 1.0)
        return float(_WEEKDAYS[self.weekday] * _between_months(_MONTHS, self.month, self.day_of_month) * payday)

    @property
    def travel(self) -> float:
        """How many trips begin, by those of a mean day."""
        return _between_months(_TRAVEL_MONTHS, self.month, self.day_of_month)

    @property
    def prices(self) -> Floats:
        """What is added to the logarithm of the price of each category, shape (KINDS,)."""
        added = np.full(KINDS, np.log1p(_INFLATION) * self.years)
        december = self.month == 12
        added[[CLOTHING, ELECTRONICS, LEISURE]] += 0.18 if december else 0.0
        added[TRAVEL] += 0.25 if self.month in (6, 7, 8) else 0.0
        # What fuel costs swings over the months.
        added[FUEL] += 0.08 * np.sin(2 * np.pi * self.years * 1.7)
        return added

    @property
    def online(self) -> Floats:
        """The log-odds that a purchase of each category is made online, shape (KINDS,)."""
        share = np.clip([category.online for category in CATEGORIES], 1e-9, 1 - 1e-9)
        before_christmas = 0.3 if self.month in (11, 12) else 0.0
        odds: Floats = np.log(share / (1 - share)) + _MORE_ONLINE * self.years + before_christmas
        return odds

    @property
    def contactless(self) -> float:
        """The log-odds that a small purchase in a shop is paid without contact."""
        return _CONTACTLESS_START + _MORE_CONTACTLESS * self.years


def _between_months(values: Floats, month: int, day: int) -> float:
    """A value of the months on a day, changing from the middle of one month to that of the next."""
    share = (day - 15.5) / 30.4
    neighbour = month % 12 if share > 0 else month - 2
    return float(values[month - 1] * (1 - abs(share)) + values[neighbour] * abs(share))


def moments(cumulative: Floats, segment: Ints, begin: float, chance: Floats, bins: tuple[int, int]) -> Floats:
    """When each of the purchases is made, milliseconds.

    ``cumulative`` is a day's profile, shape (segments, BINS); ``bins`` the first bin and the one behind the last, that
    the purchases fall into; ``begin`` the day's first millisecond, and ``chance`` numbers from 0 up to 1.
    """
    padded = np.concatenate((np.zeros((len(cumulative), 1)), cumulative), axis=1)
    low, high = padded[segment, bins[0]], padded[segment, bins[1]]
    # One ascending row of all profiles, so that one search serves all segments.
    edges = (np.arange(len(cumulative))[:, None] + cumulative).ravel()
    share = np.minimum(low + chance * (high - low), 1 - 1e-12)
    place = np.searchsorted(edges, segment + share, side="right")
    bin_ = np.clip(place - segment * BINS, bins[0], bins[1] - 1)
    start, end = padded[segment, bin_], padded[segment, bin_ + 1]
    within = np.clip((share - start) / (end - start), 0, 1 - 1e-9)
    made: Floats = begin + (bin_ + within) * BIN_MS
    return made
