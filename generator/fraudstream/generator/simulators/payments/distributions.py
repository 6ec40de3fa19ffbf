"""The densities that transactions are drawn from, and the best possible classifier for them.

Each class (fraud, legitimate) draws its fields independently, except the method, which is drawn given the type.
As the densities are known, the posterior probability of fraud is known, too: no model can be better than
:func:`fraud_probability` except by chance, and one that seems to be has seen the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fraudstream.core.project.project import bundled

Columns = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FRAUD_RATE = 0.1
LABEL = "isFraud"

TYPE = "transaction_type"
METHOD = "transaction_method"
ONLINE, ONSITE = "online", "onsite"
_LISTED = {rule.name: rule.known_values for rule in bundled("payments").rules}
INTERNET, *_ONSITE_METHODS = _LISTED[METHOD]


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of normal distributions, mirrored at zero: a draw of -x counts as x."""

    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """``count`` values, ≥ 0."""
        component = _draw_index(self.weights, count, rng)
        return np.abs(rng.normal(np.array(self.means)[component], np.array(self.deviations)[component]))

    def density(self, values: Floats) -> Floats:
        """The probability density at each value ≥ 0."""
        total = np.zeros(len(values))
        shares = np.array(self.weights) / sum(self.weights)
        for share, mean, deviation in zip(shares, self.means, self.deviations, strict=True):
            scale = share / (deviation * np.sqrt(2 * np.pi))
            above = np.exp(-0.5 * ((values - mean) / deviation) ** 2)
            below = np.exp(-0.5 * ((values + mean) / deviation) ** 2)
            total += scale * (above + below)
        return total


@dataclass(frozen=True, slots=True)
class Money:
    """A field of money: what fraud and what legitimate transactions draw."""

    fraud: Mixture
    legitimate: Mixture


@dataclass(frozen=True, slots=True)
class Choice:
    """A field with listed values: the weight of each in fraud and in legitimate transactions."""

    values: tuple[Any, ...]
    fraud: tuple[float, ...]
    legitimate: tuple[float, ...]


MONEY: dict[str, Money] = {
    "amount": Money(Mixture((0.7, 0.3), (200, 20), (100, 5)), Mixture((1,), (100,), (50,))),
    "old_balance": Money(
        Mixture((0.5, 0.5), (200_000, 10_000), (100_000, 5_000)), Mixture((1,), (100_000,), (50_000,))
    ),
    "income": Money(Mixture((0.7, 0.3), (2_000, 300), (1_000, 800)), Mixture((1,), (2_000,), (1_000,))),
}

CHOICES: dict[str, Choice] = {
    "credit": Choice((0, 1, 2), (0.3, 0.4, 0.3), (0.3, 0.5, 0.2)),
    "marital_status": Choice((0, 1), (0.7, 0.3), (0.5, 0.5)),
    "children": Choice((0, 1, 2, 3, 4), (0.4, 0.1, 0.1, 0.25, 0.15), (0.35, 0.3, 0.2, 0.1, 0.05)),
    "month": Choice(
        tuple(range(1, 13)),
        (0.11, 0.06, 0.06, 0.06, 0.06, 0.06, 0.11, 0.11, 0.06, 0.06, 0.12, 0.13),
        (1.0,) * 12,
    ),
    "day_of_week": Choice(
        _LISTED["day_of_week"],
        (0.15, 0.10, 0.10, 0.10, 0.15, 0.20, 0.20),
        (0.14, 0.14, 0.14, 0.14, 0.14, 0.16, 0.14),
    ),
    "category_recipient": Choice(
        _LISTED["category_recipient"], (0.37, 0.07, 0.22, 0.22, 0.12), (0.45, 0.15, 0.20, 0.15, 0.05)
    ),
    TYPE: Choice((ONLINE, ONSITE), (0.42, 0.58), (0.30, 0.70)),
    "foreign_transaction": Choice((0, 1), (0.8, 0.2), (0.9, 0.1)),
}

# Drawn only for onsite transactions: an online one has a single method.
ONSITE_METHOD = Choice(tuple(_ONSITE_METHODS), (0.07, 0.48, 0.38, 0.07), (0.05, 0.55, 0.35, 0.05))


def sample(count: int, rng: np.random.Generator | int, fraud_rate: float = FRAUD_RATE) -> Columns:
    """``count`` rows as columns named as the event's fields, ``isFraud`` included, without ``id`` and ``date``.

    Money is rounded to 2 decimals. The same seed, count and rate give the same rows.
    """
    rng = np.random.default_rng(rng)
    fraud = rng.random(count) < fraud_rate
    columns: Columns = {}
    for name, money in MONEY.items():
        drawn = np.where(fraud, money.fraud.draw(count, rng), money.legitimate.draw(count, rng))
        columns[name] = np.round(drawn, 2)
    for name, choice in CHOICES.items():
        columns[name] = _draw_choice(choice, fraud, rng)
    columns[METHOD] = np.where(columns[TYPE] == ONLINE, INTERNET, _draw_choice(ONSITE_METHOD, fraud, rng))
    columns[LABEL] = fraud.astype(np.int64)
    return columns


def likelihood_ratio(columns: Columns) -> Floats:
    """How many times likelier each row is as fraud than as a legitimate transaction.

    Raises ``ValueError`` where a field has a value that no transaction has.
    """
    ratio: Floats = np.exp(_log_likelihood_ratio(columns))
    return ratio


def fraud_probability(columns: Columns, fraud_rate: float = FRAUD_RATE) -> Floats:
    """The probability of fraud given a row's fields: the best possible classifier."""
    log_odds = _log_likelihood_ratio(columns) + np.log(fraud_rate / (1 - fraud_rate))
    # An outlier's odds may overflow to infinity, whose probability is rightly 0 or 1.
    with np.errstate(over="ignore"):
        probability: Floats = 1 / (1 + np.exp(-log_odds))
    return probability


def _log_likelihood_ratio(columns: Columns) -> Floats:
    total = np.zeros(len(columns[TYPE]))
    # Far outside both classes the densities underflow: the least positive number keeps the ratio finite.
    least = np.finfo(np.float64).tiny
    for name, money in MONEY.items():
        values = columns[name].astype(np.float64)
        total += np.log(np.maximum(money.fraud.density(values), least))
        total -= np.log(np.maximum(money.legitimate.density(values), least))
    for name, choice in CHOICES.items():
        total += _choice_log_ratio(name, choice, columns[name])
    onsite = columns[TYPE] == ONSITE
    total[onsite] += _choice_log_ratio(METHOD, ONSITE_METHOD, columns[METHOD][onsite])
    return total


def _choice_log_ratio(name: str, choice: Choice, values: npt.NDArray[Any]) -> Floats:
    ratios = np.log(np.array(choice.fraud) / sum(choice.fraud)) - np.log(
        np.array(choice.legitimate) / sum(choice.legitimate)
    )
    listed = np.array(choice.values)
    order = np.argsort(listed)
    index = order[np.minimum(np.searchsorted(listed, values, sorter=order), len(listed) - 1)]
    unknown = listed[index] != values
    if unknown.any():
        raise ValueError(f"{name}: {values[unknown][0]!r} is none of {', '.join(map(str, choice.values))}")
    ratio: Floats = ratios[index]
    return ratio


def _draw_choice(choice: Choice, fraud: Bools, rng: np.random.Generator) -> npt.NDArray[Any]:
    of_fraud = _draw_index(choice.fraud, len(fraud), rng)
    of_legitimate = _draw_index(choice.legitimate, len(fraud), rng)
    drawn: npt.NDArray[Any] = np.array(choice.values)[np.where(fraud, of_fraud, of_legitimate)]
    return drawn


def _draw_index(weights: tuple[float, ...], count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    edges = np.cumsum(weights)[:-1] / sum(weights)
    return np.searchsorted(edges, rng.random(count), side="right")
