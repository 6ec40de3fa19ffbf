"""Card transactions as columns, and the random numbers that they are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# What a fraud is part of; 0 is no campaign.
CAMPAIGNS = ("stolen_card", "compromised_terminal", "card_not_present", "slow_drain", "mule_ring")
# By a row's number.
CAMPAIGN_NAMES = (None, *CAMPAIGNS)
STOLEN_CARD, COMPROMISED_TERMINAL, CARD_NOT_PRESENT, SLOW_DRAIN, MULE_RING = range(1, 1 + len(CAMPAIGNS))

CHANNELS = ("chip", "contactless", "online", "cash_machine")
CHIP, CONTACTLESS, ONLINE, CASH_MACHINE = range(len(CHANNELS))

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Rows:
    """Transactions, one column each, all of one length.

    ``moment`` is milliseconds since 1970, UTC. ``slot`` is the customer's card by its place, ``card`` the number that
    is on it then. ``campaign`` is 0, or one of the campaigns' numbers, and ``campaign_id`` tells those of a kind apart.
    """

    moment: npt.NDArray[Any]
    customer: npt.NDArray[Any]
    slot: npt.NDArray[Any]
    card: npt.NDArray[Any]
    terminal: npt.NDArray[Any]
    cents: npt.NDArray[Any]
    channel: npt.NDArray[Any]
    is_recurring: npt.NDArray[Any]
    is_authenticated: npt.NDArray[Any]
    campaign: npt.NDArray[Any]
    campaign_id: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.moment)

    def at(self, places: Any) -> Self:
        """The rows at these places: indices, a mask or a slice."""
        return type(self)(*(getattr(self, field.name)[places] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """The rows of all parts, one part after the other; there has to be a part."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def no_rows() -> Rows:
    """Columns without a row."""
    none, flags = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    return Rows(none, none, none, none, none, none, none, flags, flags, none, none)


def generator(seed: int, *place: int) -> np.random.Generator:
    """The random numbers of one place of the simulation: the same ones whatever was drawn elsewhere."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=place)))


def uniform_of(*parts: Any) -> Floats:
    """A number from 0 up to 1 that depends on whole numbers alone (SplitMix64's finaliser after each of them).

    For what has to be the same whenever it is asked for, such as a customer's usual shops, and is too much to keep.
    """
    mixed: Any = np.uint64(0)
    with np.errstate(over="ignore"):
        for part in parts:
            mixed = (mixed + np.asarray(part).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def drawn(weights: Iterable[float], count: int, rng: np.random.Generator) -> Ints:
    """``count`` places in ``weights``, each as likely as its weight."""
    edges = np.cumsum(np.fromiter(weights, dtype=np.float64))
    return np.searchsorted(edges[:-1] / edges[-1], rng.random(count), side="right")
