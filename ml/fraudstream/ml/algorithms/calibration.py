"""Scores that are probabilities: what a fraction of the rows with a score are frauds, the score should be.

Platt's scaling (Platt, 1999) is one affine step on the log-odds. It is folded into the ensemble, whose leaves are
multiplied by the slope and whose base takes the intercept, so that the served model, the stream job's trees and the
explanations are calibrated without a further step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Method = Literal["none", "platt"]

# Isotonic regression is measured beside them. It is no affine step, and no ensemble can hold it.
_FOLDS = 5
# Standard errors by which a step has to be better.
_CERTAIN = 2.0
# Fewer frauds than this say little about a slope.
LEAST_OF_CLASS = 20


@dataclass(frozen=True, slots=True)
class Validation:
    """Rows that a model like the one that is served did not learn from: its log-odds, their labels and weights.

    Each is of shape (n,); ``rows`` are their places among the rows that were learnt from; ``weights`` are None where
    each row stands for itself.
    """

    margins: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    weights: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds become ``slope`` times themselves plus ``intercept``. ``brier`` is the cross-validated score of each
    method that was tried, the less the better.
    """

    method: Method
    slope: float
    intercept: float
    brier: Mapping[str, float]

    def parameters(self) -> dict[str, object]:
        """As parameters of a run."""
        return {
            "calibration": self.method,
            "calibration_slope": self.slope,
            "calibration_intercept": self.intercept,
        }

    def margins(self, margins: np.ndarray) -> np.ndarray:
        """The calibrated log-odds, shape (n,)."""
        return self.slope * margins + self.intercept


NONE = Calibration("none", 1.0, 0.0, {})


def chosen(validation: Validation) -> Calibration:
    """The method of the least Brier score over rows that it was not fitted on.

    Platt's scaling is only taken where it is better beyond chance, and where it keeps the order of the scores: what is
    calibrated already is left alone. Of a few thousand rows, the share of frauds alone differs by chance.
    """
    margins, labels = validation.margins.astype(np.float64), validation.labels.astype(np.float64)
    weights = np.ones(len(labels)) if validation.weights is None else validation.weights
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST_OF_CLASS:
        return NONE
    errors = {name: np.empty(len(labels)) for name in _METHODS}
    # Every fifth row of a class is in a fold, so that each fold has a part of every stretch of time.
    fold_of = np.empty(len(labels), dtype=np.int64)
    for label in (0, 1):
        fold_of[labels == label] = np.arange((labels == label).sum()) % _FOLDS
    for fold in range(_FOLDS):
        learnt, other = fold_of != fold, fold_of == fold
        for name, method in _METHODS.items():
            given = method(margins[learnt], labels[learnt], weights[learnt], margins[other])
            errors[name][other] = (given - labels[other]) ** 2
    total = weights.sum()
    brier = {name: float((weights * error).sum() / total) for name, error in errors.items()}
    gain = weights * (errors["none"] - errors["platt"])
    slope, intercept = platt(margins, labels, weights)
    noise = float(gain.std() / np.sqrt(len(gain)))
    if gain.mean() <= _CERTAIN * noise or not slope > 0:
        return Calibration("none", 1.0, 0.0, brier)
    return Calibration("platt", slope, intercept, brier)


def platt(margins: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The slope and intercept of the likeliest logistic curve through the log-odds."""
    from scipy.optimize import minimize

    total = float(weights.sum())

    def loss(step: np.ndarray) -> tuple[float, np.ndarray]:
        stretched = step[0] * margins + step[1]
        # The logarithm of 1 + exp(x), which overflows nowhere.
        value = float((weights * (np.logaddexp(0, stretched) - labels * stretched)).sum()) / total
        slack = weights * (probability(stretched) - labels) / total
        return value, np.array([float((slack * margins).sum()), float(slack.sum())])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])


def probability(margins: np.ndarray) -> np.ndarray:
    """The probability of log-odds, float64, the same shape."""
    # Beyond these, double precision has 0 or 1.
    return np.asarray(1 / (1 + np.exp(-np.clip(margins, -700, 700))))


def _none(_margins: np.ndarray, _labels: np.ndarray, _weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    return probability(others)


def _platt(margins: np.ndarray, labels: np.ndarray, weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    slope, intercept = platt(margins, labels, weights)
    return probability(slope * others + intercept)


def _isotonic(margins: np.ndarray, labels: np.ndarray, weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(margins, labels, sample_weight=weights)
    return np.asarray(curve.predict(others))


_METHODS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "none": _none,
    "platt": _platt,
    "isotonic": _isotonic,
}
