"""Metrics of a ranking under any weights of its rows, so that thousands of resamples of one test set cost little."""

from __future__ import annotations

import numpy as np


class Ranking:
    """Scores with their labels, sorted once. Rows of equal scores are one step: no threshold parts them.

    ``weights``, shape (n,), say how often each row counts; without them each counts once. A metric that nothing is to
    be divided by is NaN.
    """

    def __init__(self, labels: np.ndarray, scores: np.ndarray) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._labels = np.asarray(labels, dtype=np.float64)[self._order]
        ordered = scores[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def _counts(self, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Frauds and legitimate rows at or above each distinct score, the highest first."""
        ordered = np.ones(len(self._order)) if weights is None else np.asarray(weights, dtype=np.float64)[self._order]
        of_frauds = ordered * self._labels
        return np.cumsum(of_frauds)[self._ends], np.cumsum(ordered - of_frauds)[self._ends]

    def figures(self, weights: np.ndarray | None = None) -> dict[str, float]:
        """The figures in one pass, by their names in :func:`fraudstream.ml.evaluation.metrics.metrics`."""
        frauds, others = self._counts(weights)
        return {
            "average_precision": _average_precision(frauds, others),
            "roc_auc": _roc_auc(frauds, others),
            "recall_at_1pct_fpr": _recall_at(0.01, frauds, others),
            "recall_at_5pct_fpr": _recall_at(0.05, frauds, others),
        }

    def average_precision(self, weights: np.ndarray | None = None) -> float:
        """The sum over steps of precision times the recall that the step adds (scikit-learn's definition)."""
        return _average_precision(*self._counts(weights))

    def curves(self, points: int) -> dict[str, list[float]]:
        """Recall, precision and false-positive rate at no more than ``points`` thresholds, the strictest first."""
        frauds, others = self._counts(None)
        # By recall and not by rows: of rare frauds, nearly all rows lie behind the last one.
        steps = np.unique(np.searchsorted(frauds, np.linspace(frauds[0], frauds[-1], points)))
        frauds, others = frauds[steps], others[steps]
        total_frauds, total_others = float(self._labels.sum()), float(len(self._labels) - self._labels.sum())
        return {
            "recall": (frauds / max(total_frauds, 1.0)).tolist(),
            "precision": (frauds / np.maximum(frauds + others, 1.0)).tolist(),
            "false_positive_rate": (others / max(total_others, 1.0)).tolist(),
        }


def _average_precision(frauds: np.ndarray, others: np.ndarray) -> float:
    alerts = frauds + others
    precision = np.divide(frauds, alerts, out=np.zeros_like(frauds), where=alerts > 0)
    return _ratio(float((np.diff(frauds, prepend=0.0) * precision).sum()), float(frauds[-1]))


def _roc_auc(frauds: np.ndarray, others: np.ndarray) -> float:
    # How often a fraud scores above a legitimate row, ties half.
    middle = frauds - np.diff(frauds, prepend=0.0) / 2
    return _ratio(float((np.diff(others, prepend=0.0) * middle).sum()), float(frauds[-1] * others[-1]))


def _recall_at(false_positive_rate: float, frauds: np.ndarray, others: np.ndarray) -> float:
    # Both rise from step to step.
    steps = int(np.searchsorted(others, false_positive_rate * others[-1], side="right"))
    return _ratio(float(frauds[steps - 1]) if steps else 0.0, float(frauds[-1]))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
