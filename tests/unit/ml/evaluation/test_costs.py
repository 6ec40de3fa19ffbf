"""What decisions cost: every cell of the matrix, with reviews and without."""

from __future__ import annotations

import numpy as np

from fraudstream.core.project.definition import Costs
from fraudstream.ml.evaluation.costs import ERRORS, RowCosts

LABELS = np.array([1, 0, 1, 0, 1, 0])
AMOUNTS = np.array([100.0, 100.0, 10.0, 10.0, 50.0, 50.0])
ALERTS = np.array([True, True, False, False, True, True])
DECLINED = np.array([True, True, False, False, False, False])


def test_without_a_review_an_alert_refuses() -> None:
    costs = RowCosts.of(
        Costs(missed_fraud=5, missed_fraud_of_amount=1, false_alert=2, false_alert_of_amount=0.1), AMOUNTS
    )
    assert costs.of_alerts(LABELS, ALERTS).tolist() == [0, 12, 15, 0, 0, 7]


def test_with_a_review_only_what_is_declined_at_once_can_be_refused_wrongly() -> None:
    costs = RowCosts.of(Costs(missed_fraud_of_amount=1, false_alert=20, review=3), AMOUNTS)
    assert costs.of_alerts(LABELS, ALERTS, DECLINED).tolist() == [0, 20, 11, 0, 3, 3]


def test_as_long_as_no_costs_are_known_errors_are_counted() -> None:
    costs = RowCosts.of(ERRORS, AMOUNTS)
    assert costs.of_alerts(LABELS, ALERTS).sum() == ((LABELS == 1) != ALERTS).sum()
