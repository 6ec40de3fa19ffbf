"""XGBoost: the model that learns in about a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from fraudstream.ml.algorithms.portable import of_booster
from fraudstream.ml.features import FOLDS

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


def fit(features: np.ndarray, labels: np.ndarray, seed: int) -> Fitted:
    """Choose the depth by cross-validation on the given rows, then fit a model of that depth on all of them."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    validated = {}
    for depth in DEPTHS:
        held_out = np.empty(len(labels))
        for train, test in folds.split(features, labels):
            model = _classifier(depth, seed).fit(features[train], labels[train])
            held_out[test] = model.predict_proba(features[test])[:, 1]
        validated[depth] = float(average_precision_score(labels, held_out))
    depth = max(validated, key=validated.__getitem__)
    return Fitted(
        _classifier(depth, seed).fit(features, labels),
        PARAMETERS | {"max_depth": depth, "random_state": seed},
        validated,
    )


def _classifier(depth: int, seed: int) -> xgboost.XGBClassifier:
    # One thread: several threads wait for each other in a busy loop, and on a loaded machine of two cores the same
    # training then takes several times as long.
    return xgboost.XGBClassifier(**PARAMETERS, max_depth=depth, random_state=seed, n_jobs=1)
