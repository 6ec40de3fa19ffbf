"""The metrics are those of the field, at their edges too."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, precision_score, recall_score

from fraudstream.ml.evaluation.metrics import expected_calibration_error, metrics

RNG = np.random.default_rng(4)
LABELS = (RNG.random(5_000) < 0.1).astype(int)
SCORES = np.clip(LABELS * 0.5 + RNG.random(5_000) * 0.6, 0, 1)


def test_metrics_are_scikit_learns() -> None:
    decided = (SCORES >= 0.55).astype(int)
    measured = metrics(LABELS, SCORES, 0.55)
    assert measured["average_precision"] == pytest.approx(average_precision_score(LABELS, SCORES))
    assert measured["brier"] == pytest.approx(brier_score_loss(LABELS, SCORES))
    assert measured["accuracy"] == pytest.approx((decided == LABELS).mean())
    assert measured["precision"] == pytest.approx(precision_score(LABELS, decided))
    assert measured["recall"] == pytest.approx(recall_score(LABELS, decided))
    assert measured["f1"] == pytest.approx(f1_score(LABELS, decided))


def test_confusion_counts_cover_every_row() -> None:
    measured = metrics(LABELS, SCORES, 0.55)
    assert measured["true_positive"] == ((SCORES >= 0.55) & (LABELS == 1)).sum()
    assert measured["false_positive"] == ((SCORES >= 0.55) & (LABELS == 0)).sum()
    counts = ("true_negative", "false_positive", "false_negative", "true_positive")
    assert sum(measured[name] for name in counts) == len(LABELS)


def test_a_score_at_the_threshold_is_an_alert() -> None:
    assert metrics(np.array([0, 1]), np.array([0.1, 0.5]), 0.5)["recall"] == 1.0


def test_recall_at_one_percent_false_positives() -> None:
    # 100 legitimate rows: one may be flagged. The second highest of them scores 0.8.
    labels = np.array([0] * 100 + [1] * 4)
    scores = np.array([0.9, 0.8, *[0.1] * 98, 0.95, 0.85, 0.79, 0.2])
    assert metrics(labels, scores, 0.5)["recall_at_1pct_fpr"] == 0.5


def test_calibration_error_by_hand() -> None:
    # Two bins: 0.25 against a rate of 0.5 (4 rows), 1.0, in the last bin, against 1 (4 rows).
    labels = np.array([0, 1, 0, 1, 1, 1, 1, 1])
    scores = np.array([0.25] * 4 + [1.0] * 4)
    assert expected_calibration_error(labels, scores) == pytest.approx(0.125)


def test_no_alert_at_all_has_no_precision() -> None:
    measured = metrics(LABELS, np.full(len(LABELS), 0.1), 0.5)
    assert (measured["precision"], measured["recall"], measured["f1"]) == (0.0, 0.0, 0.0)
