"""The reference of features over time, beside a reading of their definitions row by row."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from fraudstream.bench.cards.over_time import WINDOWS, Payments, features
from fraudstream.generator.simulators.cards.rows import DAY_MS

pytestmark = pytest.mark.timeless

DELAY_MS = DAY_MS
NONE = math.nan


def transactions(count: int = 400) -> Payments:
    """Payments of few cards at few terminals over five days, some at the same moment."""
    rng = np.random.default_rng(3)
    moment = np.sort(rng.integers(0, 5 * DAY_MS, count) // 60_000 * 60_000)
    terminal = rng.integers(0, 9, count)
    position = np.where(terminal < 2, np.nan, terminal * 0.1)
    return Payments(
        moment,
        rng.integers(0, 6, count),
        terminal,
        np.round(rng.exponential(40, count), 2),
        50 + position,
        4 + position,
        (rng.random(count) < 0.2).astype(np.int64),
    )


PAYMENTS = transactions()
COMPUTED = features(PAYMENTS, DELAY_MS)


def earlier(place: int, key: np.ndarray, milliseconds: int) -> list[int]:
    """The rows before one, of its key, that are less than so long before it."""
    moment = PAYMENTS.moment
    return [row for row in range(place) if key[row] == key[place] and moment[row] > moment[place] - milliseconds]


def by_hand(tell: Callable[[int], float]) -> list[float]:
    return [tell(place) for place in range(len(PAYMENTS.moment))]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", ["card", "terminal"])
def test_windows(name: str, window: str) -> None:
    key, other = getattr(PAYMENTS, name), PAYMENTS.terminal if name == "card" else PAYMENTS.card

    def rows(place: int) -> list[int]:
        return earlier(place, key, WINDOWS[window])

    def total(place: int) -> float:
        return float(PAYMENTS.amount[rows(place)].sum())

    assert COMPUTED[f"{name}_count_{window}"].tolist() == by_hand(lambda place: len(rows(place)))
    assert COMPUTED[f"{name}_distinct_{window}"].tolist() == by_hand(lambda place: len(set(other[rows(place)])))
    np.testing.assert_allclose(COMPUTED[f"{name}_sum_{window}"], by_hand(total), atol=1e-8)
    means = by_hand(lambda place: total(place) / len(rows(place)) if rows(place) else NONE)
    np.testing.assert_allclose(COMPUTED[f"{name}_mean_{window}"], means, atol=1e-8)


def test_since_the_last_and_the_first_time_here() -> None:
    ever = 10**12

    def last(place: int, key: np.ndarray) -> int | None:
        return max(earlier(place, key, ever), default=None)

    def seconds(place: int) -> float:
        before = last(place, PAYMENTS.card)
        return NONE if before is None else (PAYMENTS.moment[place] - PAYMENTS.moment[before]) / 1_000

    np.testing.assert_array_equal(COMPUTED["card_seconds_since"], by_hand(seconds))
    pair = PAYMENTS.card * 100 + PAYMENTS.terminal
    assert COMPUTED["first_here"].tolist() == by_hand(lambda place: float(last(place, pair) is None))


def test_the_way_since_the_last_place() -> None:
    """Shops online are passed over: a degree of latitude is 111 km."""

    def kilometres(place: int) -> float:
        somewhere = [row for row in earlier(place, PAYMENTS.card, 10**12) if not math.isnan(PAYMENTS.latitude[row])]
        if not somewhere or math.isnan(PAYMENTS.latitude[place]):
            return NONE
        north = PAYMENTS.latitude[place] - PAYMENTS.latitude[somewhere[-1]]
        east = (PAYMENTS.longitude[place] - PAYMENTS.longitude[somewhere[-1]]) * math.cos(math.radians(50.5))
        return 111.2 * math.hypot(north, east)

    np.testing.assert_allclose(COMPUTED["km_since"], by_hand(kilometres), rtol=0.02)


def test_only_labels_that_are_known_count() -> None:
    def known(place: int) -> list[int]:
        recent = set(earlier(place, PAYMENTS.terminal, DELAY_MS))
        return [row for row in earlier(place, PAYMENTS.terminal, DELAY_MS + 7 * DAY_MS) if row not in recent]

    assert COMPUTED["terminal_matured"].tolist() == by_hand(lambda place: len(known(place)))
    frauds = by_hand(lambda place: float(PAYMENTS.label[known(place)].sum()))
    assert COMPUTED["terminal_matured_frauds"].tolist() == frauds
    shares = by_hand(lambda place: float(PAYMENTS.label[known(place)].mean()) if known(place) else NONE)
    np.testing.assert_allclose(COMPUTED["terminal_matured_share"], shares)
