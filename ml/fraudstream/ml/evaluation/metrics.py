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

    Average precision is a sum over steps, without interpolation (scikit-learn); ``recall_at_1pct_fpr`` and
    ``recall_at_5pct_fpr`` are the recall at a false-positive rate of at most 1 and 5 %; ``ece`` is the expected
    calibration error over ten bins of equal width.
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
        "recall_at_5pct_fpr": float(true_positive_rate[false_positive_rate <= 0.05].max()),
        "true_negative": float(true_negative),
        "false_positive": float(false_positive),
        "false_negative": float(false_negative),
        "true_positive": float(true_positive),
    }


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Mean |observed rate - mean score| over equal-width bins, weighted by their rows (Naeini et al., 2015).

    ``weights``, shape (n,), say how often each row counts.
    """
    bins = bins_of(scores)
    counted = np.ones(len(scores)) if weights is None else weights
    gaps = np.abs(np.bincount(bins, weights=counted * (labels - scores), minlength=CALIBRATION_BINS))
    return float(gaps.sum() / counted.sum())


def bins_of(scores: np.ndarray) -> np.ndarray:
    """The bin of each score among :data:`CALIBRATION_BINS` of equal width, from 0."""
    return np.asarray(np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1))


def reliability(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, float]]:
    """What each filled bin of scores promised and what came: its rows, mean score and share of frauds."""
    bins = bins_of(scores)
    return [
        {
            "from": number / CALIBRATION_BINS,
            "to": (number + 1) / CALIBRATION_BINS,
            "count": int((bins == number).sum()),
            "mean_score": float(scores[bins == number].mean()),
            "fraud_share": float(labels[bins == number].mean()),
        }
        for number in range(CALIBRATION_BINS)
        if (bins == number).any()
    ]
