"""A ranking's metrics are scikit-learn's, of any weights, and at their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.evaluation.ranking import Ranking

RNG = np.random.default_rng(8)
LABELS = (RNG.random(3_000) < 0.1).astype(int)
# Rounded, so that many scores are equal.
SCORES = np.round(np.clip(LABELS * 0.4 + RNG.random(3_000) * 0.6, 0, 1), 2)


def test_figures_are_scikit_learns_under_weights() -> None:
    weights = RNG.integers(0, 4, len(LABELS)).astype(float)
    figures = Ranking(LABELS, SCORES).figures(weights)
    assert figures["average_precision"] == pytest.approx(average_precision_score(LABELS, SCORES, sample_weight=weights))
    assert figures["roc_auc"] == pytest.approx(roc_auc_score(LABELS, SCORES, sample_weight=weights))


def test_figures_without_weights_are_those_of_a_run() -> None:
    figures, measured = Ranking(LABELS, SCORES).figures(), metrics(LABELS, SCORES, 0.5)
    assert figures == pytest.approx({name: measured[name] for name in figures})


def test_a_resample_without_a_fraud_has_no_figures() -> None:
    weights = (LABELS == 0).astype(float)
    assert all(math.isnan(value) for value in Ranking(LABELS, SCORES).figures(weights).values())


def test_a_curve_has_few_points_and_ends_where_every_fraud_is_an_alert() -> None:
    curves = Ranking(LABELS, SCORES).curves(20)
    assert len(curves["recall"]) <= 20
    assert curves["recall"] == sorted(curves["recall"])
    assert curves["recall"][-1] == 1.0
