"""Features over time by plain means: a reference, to see what behaviour over time is worth to a model.

The product computes features with the project's query. This is no second definition of them: it is only here to measure
what the simulator's transactions hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudstream.generator.simulators.cards.places import distance_km
from fraudstream.generator.simulators.cards.rows import DAY_MS, HOUR_MS, MINUTE_MS, Floats, Ints

WINDOWS = {"10min": 10 * MINUTE_MS, "1h": HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS}
# Labels that are known: those of the seven days before the delay.
_MATURED_MS = 7 * DAY_MS


class Payments(NamedTuple):
    """Transactions in the order of time: moments in ms, amounts in euros, degrees (NaN: nowhere), labels 0 and 1."""

    moment: Ints
    card: Ints
    terminal: Ints
    amount: Floats
    latitude: Floats
    longitude: Floats
    label: Ints


def features(payments: Payments, delay_ms: int) -> dict[str, Floats]:
    """Features of each transaction from what came before it: by name, each of shape (n,), NaN where there is nothing.

    A label is known ``delay_ms`` after its transaction.
    """
    columns: dict[str, Floats] = {}
    for name, key, counterpart in (
        ("card", payments.card, payments.terminal),
        ("terminal", payments.terminal, payments.card),
    ):
        history = _History(key, payments.moment)
        for window, milliseconds in WINDOWS.items():
            first = history.first_within(milliseconds)
            count = history.place - first
            total = history.sums(payments.amount, first)
            columns[f"{name}_count_{window}"] = history.unsorted(count)
            columns[f"{name}_sum_{window}"] = history.unsorted(total)
            with np.errstate(invalid="ignore", divide="ignore"):
                columns[f"{name}_mean_{window}"] = history.unsorted(total / count)
            columns[f"{name}_distinct_{window}"] = history.unsorted(_distinct(counterpart[history.order], first))
        with np.errstate(invalid="ignore", divide="ignore"):
            columns[f"amount_by_{name}_mean"] = payments.amount / columns[f"{name}_mean_7d"]
        columns[f"{name}_seconds_since"] = history.unsorted(history.since_last() / 1_000)
    columns["km_since"] = _km_since(payments)
    columns["first_here"] = _is_first(payments)
    columns |= dict(_matured(payments, delay_ms))
    return columns


class _History:
    """Transactions by a key and, within it, in their order; ``place`` counts all of them."""

    def __init__(self, key: Ints, moment: Ints) -> None:
        self.order = np.argsort(key, kind="stable")
        self.place = np.arange(len(key))
        self.key, self.moment = key[self.order], moment[self.order]
        # One ascending line of all keys, with room for the longest window before each.
        self._room = int(moment.max() - moment.min()) + 100 * DAY_MS
        self._line = self.key * self._room + (self.moment - moment.min()) + 50 * DAY_MS

    def first_within(self, milliseconds: int) -> Ints:
        """The place of the first one of the same key that is less than so long before each."""
        first: Ints = np.searchsorted(self._line, self._line - milliseconds, side="right")
        return first

    def sums(self, values: Floats, first: Ints, end: Ints | None = None) -> Floats:
        """The sum of the values from one place to another; by default to just before each."""
        passed = np.concatenate(([0.0], np.cumsum(values[self.order])))
        total: Floats = passed[self.place if end is None else end] - passed[first]
        return total

    def since_last(self) -> Floats:
        """Milliseconds since the one before it of the same key; NaN for the first."""
        since = np.full(len(self.place), np.nan)
        same = self.key[1:] == self.key[:-1]
        since[1:][same] = (self.moment[1:] - self.moment[:-1])[same]
        return since

    def unsorted(self, values: npt.NDArray[np.generic]) -> Floats:
        """Values by this order, in the transactions' own."""
        columns = np.empty(len(values))
        columns[self.order] = values
        return columns


def _distinct(values: Ints, first: Ints) -> Floats:
    """How many different values lie from ``first`` to just before each place; ``first`` never descends."""
    held = [0] * (int(values.max()) + 1)
    listed = values.tolist()
    counts, distinct, left = [], 0, 0
    for place, start in enumerate(first.tolist()):
        while left < start:
            value = listed[left]
            held[value] -= 1
            distinct -= not held[value]
            left += 1
        counts.append(distinct)
        value = listed[place]
        distinct += not held[value]
        held[value] += 1
    return np.array(counts, dtype=np.float64)


def _km_since(payments: Payments) -> Floats:
    """The way from where the card was last used in person; NaN for a shop online, and where there was none before."""
    kilometres = np.full(len(payments.moment), np.nan)
    somewhere = np.flatnonzero(~np.isnan(payments.latitude))
    order = somewhere[np.argsort(payments.card[somewhere], kind="stable")]
    same = payments.card[order[1:]] == payments.card[order[:-1]]
    here, before = order[1:][same], order[:-1][same]
    kilometres[here] = distance_km(
        payments.latitude[before], payments.longitude[before], payments.latitude[here], payments.longitude[here]
    )
    return kilometres


def _is_first(payments: Payments) -> Floats:
    """1 where the card has not been used at the terminal before."""
    pair = payments.card * (int(payments.terminal.max()) + 1) + payments.terminal
    first = np.zeros(len(pair))
    first[np.unique(pair, return_index=True)[1]] = 1.0
    return first


def _matured(payments: Payments, delay_ms: int) -> Iterator[tuple[str, Floats]]:
    """How many labels of the terminal are known, and the share of frauds among them."""
    history = _History(payments.terminal, payments.moment)
    first, end = history.first_within(delay_ms + _MATURED_MS), history.first_within(delay_ms)
    count = end - first
    frauds = history.sums(payments.label.astype(np.float64), first, end)
    yield "terminal_matured", history.unsorted(count)
    yield "terminal_matured_frauds", history.unsorted(frauds)
    with np.errstate(invalid="ignore", divide="ignore"):
        yield "terminal_matured_share", history.unsorted(frauds / count)
