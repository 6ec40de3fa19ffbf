"""The models that are compared: with and without features over time, trees and logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# The last part of the training's days, on which the number of trees and the regression's penalty are chosen.
_CHOICE_SHARE = 0.25
_TREES = {
    "objective": "binary:logistic",
    "eval_metric": "aucpr",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.08,
    "subsample": 0.8,
    "colsample_bytree": 0.6,
    "min_child_weight": 2.0,
    "nthread": 1,
}
_MOST_TREES, _PATIENCE = 500, 40
_PENALTIES = (0.01, 0.3)
# The regression takes all frauds and so many other rows: the ranking needs no more.
_MOST_OTHERS = 60_000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order of time: numbers and codes of texts, each of shape (n, columns), and labels of shape (n,)."""

    numbers: Floats
    codes: Ints
    labels: Ints

    def at(self, places: npt.NDArray[Any] | slice) -> Table:
        """These of its rows."""
        return Table(self.numbers[places], self.codes[places], self.labels[places])


def trees(train: Table, test: Table, seed: int) -> Floats:
    """XGBoost's scores of the test's rows; the number of trees is chosen on the training's last part."""
    cut = int(len(train.labels) * (1 - _CHOICE_SHARE))
    whole = _matrix(train)
    early, late = (xgboost.DMatrix(whole[part], train.labels[part]) for part in (slice(0, cut), slice(cut, None)))
    parameters = _TREES | {"seed": seed}
    tried = xgboost.train(
        parameters, early, _MOST_TREES, evals=[(late, "late")], early_stopping_rounds=_PATIENCE, verbose_eval=False
    )
    chosen = xgboost.train(parameters, xgboost.DMatrix(whole, train.labels), tried.best_iteration + 1)
    return np.asarray(chosen.predict(xgboost.DMatrix(_matrix(test))), dtype=np.float64)


def regression(train: Table, test: Table, seed: int) -> Floats:
    """Logistic regression's scores of the test's rows; the penalty is chosen on the training's last part."""
    train = _thinned(train, seed)
    cut = int(len(train.labels) * (1 - _CHOICE_SHARE))
    prepared = _Prepared(train)
    given, wanted = prepared.of(train), prepared.of(test)

    def fitted(penalty: float, end: int) -> LogisticRegression:
        return LogisticRegression(C=penalty, max_iter=200, random_state=seed).fit(given[:end], train.labels[:end])

    late = train.labels[cut:]
    best = max(
        _PENALTIES,
        key=lambda penalty: average_precision_score(late, fitted(penalty, cut).decision_function(given[cut:])),
    )
    return np.asarray(fitted(best, len(given)).predict_proba(wanted)[:, 1])


def _thinned(table: Table, seed: int) -> Table:
    """All frauds and a sample of the other rows, in their order."""
    others = np.flatnonzero(table.labels == 0)
    few = np.random.default_rng(seed).choice(others, min(_MOST_OTHERS, len(others)), replace=False)
    return table.at(np.sort(np.concatenate((np.flatnonzero(table.labels), few))))


def _matrix(table: Table) -> Floats:
    return np.column_stack((table.numbers, table.codes))


class _Prepared:
    """Inputs as a regression takes them: logarithms of what is skewed, all of one scale, texts and gaps as columns."""

    def __init__(self, train: Table) -> None:
        self._levels = [np.unique(column) for column in train.codes.T]
        numbers = self._unskewed(train)
        self._mean = np.nanmean(numbers, axis=0)
        self._deviation = np.maximum(np.nanstd(numbers, axis=0), 1e-9)
        self._gaps = np.isnan(numbers).any(axis=0)

    def of(self, table: Table) -> Floats:
        """The inputs of a table, float64, without gaps."""
        numbers = (self._unskewed(table) - self._mean) / self._deviation
        gaps = np.isnan(numbers)
        numbers[gaps] = 0.0
        texts = [(column[:, None] == levels) for column, levels in zip(table.codes.T, self._levels, strict=True)]
        return np.column_stack((numbers, gaps[:, self._gaps], *texts)).astype(np.float64)

    def _unskewed(self, table: Table) -> Floats:
        unskewed: Floats = np.sign(table.numbers) * np.log1p(np.abs(table.numbers))
        return unskewed
