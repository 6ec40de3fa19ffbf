"""XGBoost: the model that learns in seconds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xgboost
from sklearn.metrics import average_precision_score, log_loss

from fraudstream.ml.algorithms.calibration import Calibration, Validation, probability
from fraudstream.ml.algorithms.folds import forward
from fraudstream.ml.algorithms.portable import base_margin, of_booster
from fraudstream.ml.features import RARE_SHARE

DEPTHS = (1, 2, 4)

# Class weights would move the threshold and harm calibration without a better ranking, so there are none. Of a project
# whose fields are independent given the class, the true log-odds are a sum over fields: trees of depth 1 are one. With
# interactions, deeper ones win. The number of trees is the most there may be: validation says how many there are.
PARAMETERS: dict[str, Any] = {
    "n_estimators": 2_000,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "min_child_weight": 1,
    "tree_method": "hist",
    "objective": "binary:logistic",
}
# So many further trees may bring nothing before a fold stops.
_PATIENCE = 50
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
    """A trained ensemble, its parameters, and the validated average precision of each depth that was tried.

    ``validation`` has the log-odds of the later rows of each fold, by models of the chosen parameters.
    """

    model: xgboost.XGBClassifier
    parameters: dict[str, Any]
    validated: dict[int, float]
    validation: Validation | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability of fraud, float64, shape (n,)."""
        return np.asarray(self.model.predict_proba(features)[:, 1], dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write what ``model_code.BoosterTrees`` reads."""
        self.model.get_booster().save_model(folder / "booster.ubj")

    def portable(self) -> dict[str, Any]:
        """The trees as :mod:`fraudstream.ml.algorithms.portable` has them."""
        return of_booster(self.model.get_booster())

    def calibrated(self, calibration: Calibration) -> Fitted:
        """The same ensemble with the calibration folded into its leaves and its base."""
        if calibration.method == "none":
            return self
        saved = json.loads(bytes(self.model.get_booster().save_raw("json")))
        learner = saved["learner"]
        for tree in learner["gradient_booster"]["model"]["trees"]:
            is_leaf = [child < 0 for child in tree["left_children"]]
            values = zip(tree["split_conditions"], is_leaf, strict=True)
            tree["split_conditions"] = [value * calibration.slope if leaf else value for value, leaf in values]
            tree["base_weights"] = [value * calibration.slope for value in tree["base_weights"]]
        margins = calibration.margins(np.array([base_margin(learner)], dtype=np.float64))
        learner["learner_model_param"]["base_score"] = f"[{float(probability(margins)[0]):.9E}]"
        model = classifier(self.parameters)
        model.load_model(bytearray(json.dumps(saved).encode()))
        return replace(self, model=model)


class Sample(NamedTuple):
    """Rows with the weight of each, how many rows of its class it stands for; None: each stands for itself."""

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None
    moments: np.ndarray | None = None
    rows: np.ndarray | None = None

    def of(self, rows: np.ndarray) -> Sample:
        """These of its rows."""
        parts = (None if part is None else part[rows] for part in self)
        return Sample(*parts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Parameters that were tried on the folds: how many trees they need, and what they are worth on the later rows."""

    parameters: dict[str, Any]
    trees: int
    log_loss: float
    average_precision: float
    validation: Validation

    @property
    def depth(self) -> int:
        depth: int = self.parameters["max_depth"]
        return depth


Search = Callable[["Trial", list[Candidate]], list[Candidate]]


def fit(
    features: np.ndarray,
    labels: np.ndarray,
    seed: int,
    moments: np.ndarray | None = None,
    delay_ms: int = 0,
    search: Search | None = None,
) -> Fitted:
    """Choose the depth and the number of trees on later rows, then fit such a model on all of them.

    The rows are in the order of time; ``moments``, in milliseconds since 1970, and ``delay_ms`` say which labels were
    known when. ``search`` may try further parameters: see :mod:`fraudstream.ml.algorithms.search`.
    """
    parameters = PARAMETERS | {"random_state": seed}
    if (share := float(labels.mean())) < RARE_SHARE:
        parameters["min_child_weight"] = min(PARAMETERS["min_child_weight"], _ROWS_OF_CHILD * share)
    if (inputs := features.shape[1]) > _MOST_INPUTS_OF_TREE:
        parameters["colsample_bytree"] = _MOST_INPUTS_OF_TREE / inputs
    trial = Trial(thinned(features, labels, seed, moments), delay_ms)
    candidates = trial.each([parameters | {"max_depth": depth} for depth in DEPTHS])
    if search is not None:
        candidates = search(trial, candidates)
    best = min(candidates, key=lambda candidate: candidate.log_loss)
    chosen = best.parameters | {"n_estimators": best.trees}
    return Fitted(
        classifier(chosen).fit(features, labels),
        chosen,
        {
            depth: max(tried.average_precision for tried in candidates if tried.depth == depth)
            for depth in sorted({tried.depth for tried in candidates})
        },
        best.validation,
        {"cv_log_loss": best.log_loss, "cv_candidates": float(len(candidates))},
    )


class Trial:
    """Tries parameters on the folds of a sample, always the same ones."""

    def __init__(self, part: Sample, delay_ms: int = 0) -> None:
        self._part = part
        self._folds = forward(part.labels, part.moments, delay_ms)
        self._data = [(self._matrix(fold.learnt), self._matrix(fold.later)) for fold in self._folds]

    def each(self, parameters: Sequence[dict[str, Any]]) -> list[Candidate]:
        """The candidates of these parameters, tried side by side."""
        margins = [np.full(len(self._part.labels), np.nan) for _ in parameters]
        trees = [[0] * len(self._folds) for _ in parameters]

        def run(number: int, fold: int) -> None:
            booster = self._booster(parameters[number], *self._data[fold])
            trees[number][fold] = booster.best_iteration + 1
            given = booster.predict(
                self._data[fold][1], output_margin=True, iteration_range=(0, booster.best_iteration + 1)
            )
            margins[number][self._folds[fold].later] = given

        # XGBoost computes without Python's lock.
        with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            for _ in pool.map(lambda task: run(*task), self._tasks(parameters)):
                pass
        return [self._candidate(*tried) for tried in zip(parameters, margins, trees, strict=True)]

    def _tasks(self, parameters: Sequence[dict[str, Any]]) -> Iterator[tuple[int, int]]:
        # The slowest ones first, so that no thread is left alone with one of them.
        for number in sorted(range(len(parameters)), key=lambda number: -parameters[number]["max_depth"]):
            for fold in reversed(range(len(self._folds))):
                yield number, fold

    def _matrix(self, rows: np.ndarray) -> xgboost.DMatrix:
        part = self._part.of(rows)
        return xgboost.DMatrix(part.features, part.labels, weight=part.weights, nthread=1)

    def _booster(self, parameters: dict[str, Any], learnt: xgboost.DMatrix, later: xgboost.DMatrix) -> xgboost.Booster:
        own = {name: value for name, value in parameters.items() if name not in ("n_estimators", "random_state")}
        own |= {"seed": parameters["random_state"], "nthread": 1, "eval_metric": "logloss"}
        most = parameters["n_estimators"]
        return xgboost.train(
            own, learnt, most, evals=[(later, "later")], early_stopping_rounds=_PATIENCE, verbose_eval=False
        )

    def _candidate(self, parameters: dict[str, Any], margins: np.ndarray, trees: list[int]) -> Candidate:
        rows = np.flatnonzero(~np.isnan(margins))
        part = self._part.of(rows)
        scores = probability(margins[rows])
        return Candidate(
            parameters,
            max(1, round(float(np.average(trees, weights=[len(fold.learnt) for fold in self._folds])))),
            float(log_loss(part.labels, scores, sample_weight=part.weights)),
            float(average_precision_score(part.labels, scores, sample_weight=part.weights)),
            Validation(margins[rows], part.labels, rows if part.rows is None else part.rows, part.weights),
        )


def thinned(features: np.ndarray, labels: np.ndarray, seed: int, moments: np.ndarray | None = None) -> Sample:
    """All rows, or where there are very many a sample of each class, in their order."""
    whole = Sample(features, labels, None, moments, np.arange(len(labels)))
    room = min(_MOST_VALIDATED, max(_LEAST_VALIDATED, _MOST_VALIDATED_VALUES // features.shape[1]))
    if len(labels) <= room:
        return whole
    weights, rng = np.ones(len(labels)), np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    for label in sorted((0, 1), key=lambda label: int((labels == label).sum())):
        rows = np.flatnonzero(labels == label)
        # The rarer class has half of the room at most, and the other one what is left.
        count = min(len(rows), room // 2 if not kept else room)
        kept.append(rng.choice(rows, count, replace=False))
        weights[kept[-1]] = len(rows) / count
        room -= count
    return whole._replace(weights=weights).of(np.sort(np.concatenate(kept)))


def classifier(parameters: dict[str, Any]) -> xgboost.XGBClassifier:
    """A classifier with these parameters that is not fitted yet."""
    # One thread: several threads wait for each other in a busy loop, and on a loaded machine of two cores the same
    # training then takes several times as long.
    return xgboost.XGBClassifier(**parameters, n_jobs=1)
