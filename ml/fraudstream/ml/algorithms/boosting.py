"""XGBoost: the model that learns in seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xgboost
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from fraudstream.ml.algorithms.portable import of_booster
from fraudstream.ml.features import FOLDS, IS_ORDERED, RARE_SHARE

DEPTHS = (1, 2, 3)

# Class weights would move the threshold and harm calibration without a better ranking, so there are none. The trees are
# many and small, because the fields are independent given the class: the true log-odds are a sum over fields.
PARAMETERS: dict[str, Any] = {
    "n_estimators": 600,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "min_child_weight": 1,
    "tree_method": "hist",
    "objective": "binary:logistic",
}
# With rare frauds, fewer trees may rank better: with all of them, those of depth 3 know the frauds by heart.
_FEWER_TREES = (50, 100, 200, 400)
# A child's weight is its sum of p (1 - p). So many rows make a child where p is still the share of frauds; for a
# weight of 1 it would take a thousand of them at a share of 0.1 %.
_ROWS_OF_CHILD = 20

# With more inputs than this, each tree is offered so many of them: its time grows with their number.
_MOST_INPUTS_OF_TREE = 60

# The depth shows on fewer rows than a model learns from, and on fewer still where each has many inputs. All frauds are
# among them, unless these alone are more than half.
_MOST_VALIDATED, _LEAST_VALIDATED, _MOST_VALIDATED_VALUES = 20_000, 5_000, 600_000


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained ensemble, its parameters, and the cross-validated average precision of each depth that was tried."""

    model: xgboost.XGBClassifier
    parameters: dict[str, Any]
    validated: dict[int, float]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability of fraud, float64, shape (n,)."""
        return np.asarray(self.model.predict_proba(features)[:, 1], dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write what ``model_code.BoosterTrees`` reads."""
        self.model.get_booster().save_model(folder / "booster.ubj")

    def portable(self) -> dict[str, Any]:
        """The trees as :mod:`fraudstream.ml.algorithms.portable` has them."""
        return of_booster(self.model.get_booster())


class Sample(NamedTuple):
    """Rows with the weight of each, how many rows of its class it stands for; None: each stands for itself."""

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None

    def of(self, rows: np.ndarray) -> Sample:
        """These of its rows."""
        return Sample(self.features[rows], self.labels[rows], None if self.weights is None else self.weights[rows])


def fit(features: np.ndarray, labels: np.ndarray, seed: int) -> Fitted:
    """Choose the depth by cross-validation on the given rows, then fit a model of that depth on all of them.

    With rare frauds, the number of trees is chosen as well. The rows are in the order of time where that counts.
    """
    parameters = PARAMETERS | {"random_state": seed}
    trees: tuple[int, ...] = (PARAMETERS["n_estimators"],)
    if (share := float(labels.mean())) < RARE_SHARE:
        parameters["min_child_weight"] = min(PARAMETERS["min_child_weight"], _ROWS_OF_CHILD * share)
        trees = (*(count for count in _FEWER_TREES if count < trees[0]), *trees)
    if (inputs := features.shape[1]) > _MOST_INPUTS_OF_TREE:
        parameters["colsample_bytree"] = _MOST_INPUTS_OF_TREE / inputs
    validated = _validated(thinned(features, labels, seed), parameters, trees)
    depth, count = max(validated, key=validated.__getitem__)
    chosen = parameters | {"n_estimators": count, "max_depth": depth}
    best = {depth: max(value for (other, _), value in validated.items() if other == depth) for depth in DEPTHS}
    return Fitted(classifier(chosen).fit(features, labels), chosen, best)


def _validated(part: Sample, parameters: dict[str, Any], trees: tuple[int, ...]) -> dict[tuple[int, int], float]:
    """The average precision of each depth and number of trees, over the folds' held-out rows."""
    # Without a shuffle, each fold has a stretch of time of either class.
    folds = StratifiedKFold(
        FOLDS, shuffle=not IS_ORDERED, random_state=None if IS_ORDERED else parameters["random_state"]
    )
    splits = list(folds.split(part.features, part.labels))
    scores = {(depth, count): np.empty(len(part.labels)) for depth in DEPTHS for count in trees}

    def validate(depth: int, train: np.ndarray, test: np.ndarray) -> None:
        learnt = part.of(train)
        model = classifier(parameters | {"max_depth": depth}).fit(
            learnt.features, learnt.labels, sample_weight=learnt.weights
        )
        for count in trees:
            given = model.predict_proba(part.features[test], iteration_range=(0, count))
            scores[depth, count][test] = given[:, 1]

    # XGBoost computes without Python's lock.
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for _ in pool.map(lambda task: validate(*task), _tasks(splits)):
            pass
    return {
        tried: float(average_precision_score(part.labels, given, sample_weight=part.weights))
        for tried, given in scores.items()
    }


def _tasks(splits: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    # The slowest ones first, so that no thread is left alone with one of them.
    for depth in sorted(DEPTHS, reverse=True):
        for train, test in splits:
            yield depth, train, test


def thinned(features: np.ndarray, labels: np.ndarray, seed: int) -> Sample:
    """All rows, or where there are very many a sample of each class, in their order."""
    room = min(_MOST_VALIDATED, max(_LEAST_VALIDATED, _MOST_VALIDATED_VALUES // features.shape[1]))
    if len(labels) <= room:
        return Sample(features, labels)
    weights, rng = np.ones(len(labels)), np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    for label in sorted((0, 1), key=lambda label: int((labels == label).sum())):
        rows = np.flatnonzero(labels == label)
        # The rarer class has half of the room at most, and the other one what is left.
        count = min(len(rows), room // 2 if not kept else room)
        kept.append(rng.choice(rows, count, replace=False))
        weights[kept[-1]] = len(rows) / count
        room -= count
    return Sample(features, labels, weights).of(np.sort(np.concatenate(kept)))


def classifier(parameters: dict[str, Any]) -> xgboost.XGBClassifier:
    """A classifier with these parameters that is not fitted yet."""
    # One thread: several threads wait for each other in a busy loop, and on a loaded machine of two cores the same
    # training then takes several times as long.
    return xgboost.XGBClassifier(**parameters, n_jobs=1)
