"""The sampler against the exact distributions, and the ceiling that they imply.

The distributions are written out here a second time, so that a slip in the sampler's own tables is found too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from fraudstream.generator.simulators.payments.distributions import (
    CHOICES,
    LABEL,
    METHOD,
    MONEY,
    Columns,
    fraud_probability,
    likelihood_ratio,
    sample,
)

# A correct sampler fails one of the tests below with at most this probability; the fixed seed makes it a constant.
FAMILY_WISE_ERROR = 1e-4
ROWS = 200_000

Parts = list[tuple[float, float, float]]

# (weight, mean, standard deviation) of each part, fraud and legitimate.
MIXTURES: dict[str, tuple[Parts, Parts]] = {
    "amount": ([(0.7, 200, 100), (0.3, 20, 5)], [(1, 100, 50)]),
    "old_balance": ([(0.5, 200_000, 100_000), (0.5, 10_000, 5_000)], [(1, 100_000, 50_000)]),
    "income": ([(0.7, 2_000, 1_000), (0.3, 300, 800)], [(1, 2_000, 1_000)]),
}
# Probability of each value, fraud and legitimate.
TABLES: dict[str, dict[Any, tuple[float, float]]] = {
    "credit": {0: (0.3, 0.3), 1: (0.4, 0.5), 2: (0.3, 0.2)},
    "marital_status": {0: (0.7, 0.5), 1: (0.3, 0.5)},
    "children": {0: (0.4, 0.35), 1: (0.1, 0.3), 2: (0.1, 0.2), 3: (0.25, 0.1), 4: (0.15, 0.05)},
    "month": {
        month: (share, 1 / 12)
        for month, share in enumerate((0.11, 0.06, 0.06, 0.06, 0.06, 0.06, 0.11, 0.11, 0.06, 0.06, 0.12, 0.13), 1)
    },
    "day_of_week": {
        "monday": (0.15, 0.14),
        "tuesday": (0.10, 0.14),
        "wednesday": (0.10, 0.14),
        "thursday": (0.10, 0.14),
        "friday": (0.15, 0.14),
        "saturday": (0.20, 0.16),
        "sunday": (0.20, 0.14),
    },
    "category_recipient": {
        "food_store": (0.37, 0.45),
        "restaurant": (0.07, 0.15),
        "dress_store": (0.22, 0.20),
        "tech_store": (0.22, 0.15),
        "big_purchase": (0.12, 0.05),
    },
    "transaction_type": {"online": (0.42, 0.30), "onsite": (0.58, 0.70)},
    "transaction_method": {
        "internet_payement": (0.42, 0.30),
        "phone": (0.58 * 0.07, 0.70 * 0.05),
        "card_with_contact": (0.58 * 0.48, 0.70 * 0.55),
        "card_without_contact": (0.58 * 0.38, 0.70 * 0.35),
        "other": (0.58 * 0.07, 0.70 * 0.05),
    },
    "foreign_transaction": {0: (0.8, 0.9), 1: (0.2, 0.1)},
}
TESTS = 2 * (len(MIXTURES) + len(TABLES)) + 1  # each column in each class, and the share of fraud
THRESHOLD = FAMILY_WISE_ERROR / TESTS


@pytest.fixture(scope="module")
def columns() -> Columns:
    return sample(ROWS, 20261124)


def of_class(columns: Columns, name: str, fraud: int) -> Any:
    return columns[name][columns[LABEL] == fraud]


def mirrored_cdf(parts: Parts) -> Callable[[Any], Any]:
    def cdf(x: Any) -> Any:
        return sum(
            weight * (stats.norm.cdf(x, mean, deviation) - stats.norm.cdf(-np.asarray(x), mean, deviation))
            for weight, mean, deviation in parts
        )

    return cdf


def mixture_p_value(values: Any, parts: Parts) -> float:
    return float(stats.kstest(values, mirrored_cdf(parts)).pvalue)


def table_p_value(values: Any, shares: dict[Any, float]) -> float:
    assert set(np.unique(values).tolist()) <= set(shares)
    observed = [int((values == value).sum()) for value in shares]
    return float(stats.chisquare(observed, [share * len(values) for share in shares.values()]).pvalue)


def test_every_column_is_tested(columns: Columns) -> None:
    assert set(columns) == {*MIXTURES, *TABLES, LABEL}
    assert set(MONEY) == set(MIXTURES)
    assert {*CHOICES, METHOD} == set(TABLES)


@pytest.mark.parametrize("fraud", [1, 0])
@pytest.mark.parametrize("name", MIXTURES)
def test_money_follows_its_mirrored_mixture(columns: Columns, name: str, fraud: int) -> None:
    assert mixture_p_value(of_class(columns, name, fraud), MIXTURES[name][1 - fraud]) > THRESHOLD


@pytest.mark.parametrize("fraud", [1, 0])
@pytest.mark.parametrize("name", TABLES)
def test_choices_follow_their_shares(columns: Columns, name: str, fraud: int) -> None:
    shares = {value: pair[1 - fraud] for value, pair in TABLES[name].items()}
    assert table_p_value(of_class(columns, name, fraud), shares) > THRESHOLD


def test_a_tenth_is_fraud(columns: Columns) -> None:
    assert stats.binomtest(int(columns[LABEL].sum()), ROWS, 0.1).pvalue > THRESHOLD


def test_slightly_wrong_distributions_are_found(columns: Columns) -> None:
    amounts, days = of_class(columns, "amount", 1), of_class(columns, "day_of_week", 1)
    shifted: Parts = [(0.7, 205, 100), (0.3, 20, 5)]
    reweighted: Parts = [(0.68, 200, 100), (0.32, 20, 5)]
    assert mixture_p_value(amounts, shifted) < THRESHOLD
    assert mixture_p_value(amounts, reweighted) < THRESHOLD
    # The same mixture without mirroring.
    unmirrored = stats.kstest(
        of_class(columns, "income", 1),
        lambda x: 0.7 * stats.norm.cdf(x, 2_000, 1_000) + 0.3 * stats.norm.cdf(x, 300, 800),
    )
    assert unmirrored.pvalue < THRESHOLD
    shares = {value: pair[0] for value, pair in TABLES["day_of_week"].items()} | {"monday": 0.165, "friday": 0.135}
    assert table_p_value(days, shares) < THRESHOLD


def test_online_has_one_method_and_onsite_never_that_one(columns: Columns) -> None:
    online = columns["transaction_type"] == "online"
    assert set(columns[METHOD][online].tolist()) == {"internet_payement"}
    assert "internet_payement" not in columns[METHOD][~online]


def test_columns_are_independent_given_the_class(columns: Columns) -> None:
    numeric = np.array([of_class(columns, name, 0) for name in ("amount", "old_balance", "income", "credit", "month")])
    correlations = np.corrcoef(numeric)[np.triu_indices(len(numeric), 1)]
    # Under independence each is about N(0, 1/n): 5 deviations for 10 pairs.
    assert np.abs(correlations).max() < 5 / np.sqrt(numeric.shape[1])


def test_the_ceiling_is_reproduced(columns: Columns) -> None:
    labels, probability = columns[LABEL], fraud_probability(columns)
    predicted = probability > 0.5
    frauds, alerts, hits = labels.sum(), predicted.sum(), (predicted & (labels == 1)).sum()
    # Tolerances: about four standard errors of a difference between two samples of 200,000 rows.
    assert (predicted == labels).mean() == pytest.approx(0.964, abs=0.0025)
    assert hits / frauds == pytest.approx(0.740, abs=0.018)
    assert hits / alerts == pytest.approx(0.880, abs=0.015)
    assert roc_auc_score(labels, probability) == pytest.approx(0.9728, abs=0.003)
    assert average_precision_score(labels, probability) == pytest.approx(0.8866, abs=0.009)


def test_the_probabilities_are_calibrated(columns: Columns) -> None:
    labels, probability = columns[LABEL], fraud_probability(columns)
    for low in np.arange(0, 1, 0.1):
        inside = (probability >= low) & (probability < low + 0.1)
        expected = probability[inside].mean()
        error = np.sqrt(expected * (1 - expected) / inside.sum())
        assert abs(labels[inside].mean() - expected) < 5 * error


def test_likelihood_ratio_by_hand() -> None:
    row = {name: np.array([next(iter(table))]) for name, table in TABLES.items()}
    row |= {name: np.array([value]) for name, value in (("amount", 100.0), ("old_balance", 1e5), ("income", 2e3))}
    row |= {"transaction_type": np.array(["onsite"]), METHOD: np.array(["phone"])}
    expected = 1.0
    for name, value in (("amount", 100.0), ("old_balance", 1e5), ("income", 2e3)):
        fraud, legitimate = (
            sum(w * (stats.norm.pdf(value, m, d) + stats.norm.pdf(-value, m, d)) for w, m, d in parts)
            for parts in MIXTURES[name]
        )
        expected *= fraud / legitimate
    for name, table in TABLES.items():
        if name != "transaction_type":
            fraud, legitimate = table[row[name][0]]
            expected *= fraud / legitimate
    assert likelihood_ratio(row)[0] == pytest.approx(expected)
    assert fraud_probability(row, 0.5)[0] == pytest.approx(expected / (1 + expected))


def test_a_value_that_no_transaction_has_is_refused() -> None:
    columns = sample(3, 1)
    columns["month"][1] = 13
    with pytest.raises(ValueError, match=r"month: .*13"):
        fraud_probability(columns)


def test_a_seed_decides_the_rows() -> None:
    first, again, other = sample(50, 5), sample(50, 5), sample(50, 6)
    assert all((first[name] == again[name]).all() for name in first)
    assert not (first["amount"] == other["amount"]).all()


def test_fraud_rate_is_a_parameter() -> None:
    assert sample(1_000, 1, fraud_rate=0.0)[LABEL].sum() == 0
    assert sample(1_000, 1, fraud_rate=1.0)[LABEL].sum() == 1_000
