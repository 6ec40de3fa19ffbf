"""What a model is worth on held-out transactions."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

CALIBRATION_BINS = 10


def metrics(labels: np.ndarray, scores: np.ndarray, threshold: float) -> dict[str, float]:
    """Metrics of scores, shape (n,), against labels 0/1. Those that need a decision use ``threshold``.

    Average precision is a sum over steps, without interpolation (scikit-learn); ``recall_at_1pct_fpr`` is the recall at
    a false-positive rate of at most 1 %; ``ece`` is the expected calibration error over ten bins of equal width.
    """
    decided = scores >= threshold
    precision, recall, f1, _ = precision_recall_fscore_support(labels, decided, average="binary", zero_division=0)
    true_negative, false_positive, false_negative, true_positive = confusion_matrix(
        labels, decided, labels=[0, 1]
    ).ravel()
    false_positive_rate, true_positive_rate, _ = roc_curve(labels, scores)
    return {
        "average_precision": float(average_precision_score(labels, scores)),
        "roc_auc": float(roc_auc_score(labels, scores)),
        "accuracy": float((decided == labels).mean()),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "brier": float(brier_score_loss(labels, scores)),
        "ece": expected_calibration_error(labels, scores),
        "recall_at_1pct_fpr": float(true_positive_rate[false_positive_rate <= 0.01].max()),
        "true_negative": float(true_negative),
        "false_positive": float(false_positive),
        "false_negative": float(false_negative),
        "true_positive": float(true_positive),
    }


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean |observed rate - mean score| over equal-width bins, weighted by their rows (Naeini et al., 2015)."""
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=CALIBRATION_BINS)
    gaps = np.abs(
        np.bincount(bins, weights=labels, minlength=CALIBRATION_BINS)
        - np.bincount(bins, weights=scores, minlength=CALIBRATION_BINS)
    )
    return float(gaps.sum() / count.sum())
