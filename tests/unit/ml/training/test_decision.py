"""The threshold of least expected cost, under the budget of alerts, and the bands beside it."""

from __future__ import annotations

import numpy as np
import pytest

from fraudstream.core.project.definition import Costs, ModelInputs
from fraudstream.ml.evaluation.costs import RowCosts
from fraudstream.ml.training.decision import THRESHOLD, Bands, bands_for

RNG = np.random.default_rng(2)
SCORES = RNG.beta(0.4, 4, 50_000)
AMOUNTS = RNG.uniform(1, 500, 50_000)


def wanted(costs: Costs | None = None, budget: float | None = None) -> ModelInputs:
    return ModelInputs(inputs=("amount",), costs=costs, alert_budget=budget)


def expected_cost(costs: Costs, threshold: float, decline_from: float | None = None) -> float:
    of_rows = RowCosts.of(costs, AMOUNTS)
    frauds, others = np.ones(len(SCORES), dtype=int), np.zeros(len(SCORES), dtype=int)
    declined = None if decline_from is None else decline_from <= SCORES
    cost = [of_rows.of_alerts(labels, threshold <= SCORES, declined) for labels in (frauds, others)]
    return float((SCORES * cost[0] + (1 - SCORES) * cost[1]).sum())


def test_without_costs_errors_decide() -> None:
    assert bands_for(0.1, SCORES, AMOUNTS, wanted()) == Bands(THRESHOLD)


def test_costs_that_no_amount_changes_give_bayes_rule() -> None:
    bands = bands_for(0.1, SCORES, AMOUNTS, wanted(Costs(missed_fraud=9, false_alert=1)))
    assert bands.threshold == pytest.approx(0.1)


def test_no_other_threshold_is_cheaper_where_amounts_count() -> None:
    costs = Costs(missed_fraud=50, missed_fraud_of_amount=1, false_alert=5, false_alert_of_amount=0.02)
    chosen = bands_for(0.1, SCORES, AMOUNTS, wanted(costs)).threshold
    least = expected_cost(costs, chosen)
    assert 0 < chosen < 0.1
    assert all(expected_cost(costs, other) >= least for other in np.linspace(0.001, 0.999, 200))


def test_the_budget_bounds_the_alerts_whatever_the_costs_say() -> None:
    costs = Costs(missed_fraud_of_amount=1, false_alert=5)
    for given in (costs, None):
        threshold = bands_for(0.1, SCORES, AMOUNTS, wanted(given, 0.002)).threshold
        assert 0.0015 < (threshold <= SCORES).mean() <= 0.002
    # Fewer alerts than the budget are not made more.
    assert bands_for(0.1, SCORES, AMOUNTS, wanted(None, 0.9)).threshold == THRESHOLD
    # As many rows have the highest score as no budget allows: nothing is an alert.
    assert bands_for(0.1, np.full(100, 0.7), np.ones(100), wanted(None, 0.1)).threshold == 1.0


def test_a_price_of_reviews_makes_three_bands() -> None:
    costs = Costs(missed_fraud=100, false_alert=40, review=4)
    bands = bands_for(0.1, SCORES, AMOUNTS, wanted(costs))
    # A review pays from 4/100 on, and a refusal where it is wrong less often than in 4 of 40.
    assert bands.threshold == pytest.approx(0.04, abs=0.002)
    assert bands.decline_from == pytest.approx(0.9, abs=0.02)
    assert [bands.of(score) for score in (0.01, 0.5, 0.99)] == ["approve", "review", "decline"]
    assert expected_cost(costs, bands.threshold, bands.decline_from) <= expected_cost(costs, 0.2, 0.95)


def test_rows_that_stand_for_several_count_as_many() -> None:
    costs = Costs(missed_fraud_of_amount=1, false_alert=5)
    doubled, amounts = np.repeat(SCORES[:5_000], 2), np.repeat(AMOUNTS[:5_000], 2)
    once = bands_for(0.1, SCORES[:5_000], AMOUNTS[:5_000], wanted(costs, 0.01), np.full(5_000, 2.0))
    assert once == bands_for(0.1, doubled, amounts, wanted(costs, 0.01))
