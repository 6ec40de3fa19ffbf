"""The registered model's code, which is logged with it. It imports nothing of fraudstream, so that it runs in Azure ML.

Two kinds of trees behind one interface: an XGBoost ensemble, or Spark ML's gradient-boosted trees as plain arrays,
which need neither Spark nor Java nor XGBoost to be served.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel

if TYPE_CHECKING:
    import xgboost

# With more rows than these, XGBoost's own prediction is faster than the arrays of stumps.
FEW_ROWS = 64
# Trees compute in single precision, where a larger number is infinite; XGBoost refuses to score such a row.
LARGEST = float(np.finfo(np.float32).max)


class FraudPyfunc(PythonModel):
    """``predict`` takes a frame of events and gives ``prediction``, ``score``, ``threshold``, ``reasons`` a row."""

    threshold: float
    # From which score an alert is refused without a review; None where none is.
    decline_from: float | None = None

    def load_context(self, context: Any) -> None:
        """Read the trees and their description from the logged folder."""
        self.load(Path(context.artifacts["model"]))

    def load(self, folder: Path) -> None:
        """Read ``model.json`` and the trees beside it."""
        description = json.loads((folder / "model.json").read_text("utf-8"))
        self.threshold = float(description["threshold"])
        self.decline_from = description.get("decline_from")
        self._features: list[str] = description["features"]
        self._codes: dict[str, dict[str, int]] = description["codes"]
        self._optional = frozenset(description.get("optional", ()))
        self._trees: Any = BoosterTrees(folder) if description["algorithm"] == "xgboost" else SparkTrees(folder)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Score the rows; ``reasons`` is filled where ``prediction`` is 1."""
        absent = [name for name in self._optional if name not in model_input]
        columns = {name: model_input[name].tolist() for name in self._features if name not in absent}
        columns |= {name: [None] * len(model_input) for name in absent}
        scores = self.score_columns(columns)
        alerts = np.flatnonzero(scores >= self.threshold)
        reasons: list[list[dict[str, Any]]] = [[] for _ in scores]
        if len(alerts):
            of_alerts = {name: [values[row] for row in alerts] for name, values in columns.items()}
            for row, explanation in zip(alerts, self.explain_columns(of_alerts), strict=True):
                reasons[row] = explanation
        return pd.DataFrame(
            {
                "prediction": (scores >= self.threshold).astype("int64"),
                "score": scores,
                "threshold": self.threshold,
                "reasons": reasons,
            },
            index=model_input.index,
        )

    def score_columns(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Probability of fraud, float64, shape (n,). None, NaN and unknown categories are missing values."""
        return np.asarray(self._trees.probability(self._matrix(columns)), dtype=np.float64)

    def explain_columns(self, columns: Mapping[str, Sequence[Any]], top: int = 3) -> list[list[dict[str, Any]]]:
        """For each row its ``top`` fields that raise the score most, contributions in log-odds."""
        contributions = self._trees.contributions(self._matrix(columns))
        order = np.argsort(-contributions, axis=1)[:, :top]
        return [
            [
                {"field": self._features[field], "contribution": round(float(contributions[row, field]), 4)}
                for field in fields
                if contributions[row, field] > 0
            ]
            for row, fields in enumerate(order)
        ]

    def _matrix(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        return encode(columns, self._features, self._codes)


def encode(
    columns: Mapping[str, Sequence[Any]] | pd.DataFrame, features: Sequence[str], codes: Mapping[str, Mapping[str, int]]
) -> np.ndarray:
    """The features as float64, shape (n, len(features)); categories by their codes.

    What is missing (None, pandas' NA) and categories without a code are NaN. Numbers beyond single precision are the
    largest that it has.
    """
    encoded = [
        np.array([codes[name].get(value, np.nan) for value in columns[name]], dtype=np.float64)
        if name in codes
        else _numbers(columns[name])
        for name in features
    ]
    matrix = np.column_stack(encoded)
    return np.clip(matrix, -LARGEST, LARGEST, out=matrix)


def _numbers(values: Iterable[Any]) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except TypeError:
        return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: Any) -> float:
    if value is None or value is pd.NA:
        return np.nan
    # A Decimal128 of MongoDB's documents, which this module cannot name.
    return float(value.to_decimal() if hasattr(value, "to_decimal") else value)


class BoosterTrees:
    """An XGBoost ensemble; contributions are TreeSHAP values, which sum to the margin."""

    def __init__(self, folder: Path) -> None:
        # Imported here, so that the other kind of trees is trained and served where XGBoost cannot be loaded.
        import xgboost

        self._matrix_of = xgboost.DMatrix
        self._booster = xgboost.Booster()
        self._booster.load_model(folder / "booster.ubj")
        self._booster.set_param({"nthread": 1})
        self._stumps = Stumps.of(self._booster)

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → (n,)."""
        if self._stumps is not None and len(matrix) <= FEW_ROWS:
            return self._stumps.probability(matrix)
        return np.asarray(self._booster.inplace_predict(matrix))

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → (n, features), log-odds."""
        if self._stumps is not None:
            return self._stumps.contributions(matrix)
        contributions = self._booster.predict(self._matrix_of(matrix), pred_contribs=True)
        return np.asarray(contributions)[:, :-1]


class Stumps:
    """An ensemble whose trees split at most once, as arrays. For a few rows they are faster than a call of XGBoost.

    Margins are summed in single precision and in XGBoost's order, so that they are equal to XGBoost's. The TreeSHAP
    value of a stump is its leaf minus the mean of both leaves, weighted by their covers, and belongs to the field that
    it splits on. Summed over the stumps of a field it is a step function that changes at their thresholds, and one
    value where the field is missing (NaN).
    """

    def __init__(
        self, base: float, stumps: Sequence[tuple[int, float, float, float, float, float]], features: int
    ) -> None:
        """``stumps``: field, threshold, value below it, value at or above it, value where it is missing, mean."""
        table = np.array(stumps, dtype=np.float64).reshape(-1, 6)
        self._base = np.float32(base)
        self._field = table[:, 0].astype(np.intp)
        self._split, self._below, self._above, self._missing = table[:, 1:5].T.astype(np.float32)
        self._thresholds, self._sums = [], []
        self._missing_sums = np.bincount(self._field, table[:, 4] - table[:, 5], features)
        for field in range(features):
            own = table[self._field == field]
            own = own[np.argsort(own[:, 1])]
            below, above = own[:, 2] - own[:, 5], own[:, 3] - own[:, 5]
            self._thresholds.append(own[:, 1].astype(np.float32))
            # With k thresholds at or below the value, k stumps give their right leaf.
            self._sums.append(below.sum() + np.concatenate([[0.0], np.cumsum(above - below)]))

    @classmethod
    def of(cls, booster: xgboost.Booster) -> Stumps | None:
        """The ensemble's stumps; None if a tree is deeper or splits on categories, or if margins are not log-odds."""
        saved = json.loads(bytes(booster.save_raw("json")))["learner"]
        trees = saved["gradient_booster"]["model"]["trees"]
        if saved["objective"]["name"] != "binary:logistic" or any(
            len(tree["left_children"]) > 3 or any(tree["categories_nodes"]) for tree in trees
        ):
            return None
        stumps = []
        for tree in trees:
            values, covers = tree["split_conditions"], tree["sum_hessian"]
            if len(values) == 1:
                stumps.append((0, -np.inf, 0.0, values[0], values[0], values[0]))
                continue
            left, right = tree["left_children"][0], tree["right_children"][0]
            mean = (values[left] * covers[left] + values[right] * covers[right]) / (covers[left] + covers[right])
            missing = values[left] if tree["default_left"][0] else values[right]
            stumps.append((tree["split_indices"][0], values[0], values[left], values[right], missing, mean))
        score = np.float32(np.ravel(json.loads(str(saved["learner_model_param"]["base_score"])))[0])
        base = -np.log(np.float32(1) / score - np.float32(1))
        return cls(float(base), stumps, booster.num_features())

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → float32, shape (n,)."""
        values = matrix.astype(np.float32)
        leaves = np.empty((len(matrix), len(self._split) + 1), dtype=np.float32)
        leaves[:, 0] = self._base
        split_on = values[:, self._field]
        leaves[:, 1:] = np.where(split_on < self._split, self._below, self._above)
        if (is_missing := np.isnan(split_on)).any():
            leaves[:, 1:] = np.where(is_missing, self._missing, leaves[:, 1:])
        # accumulate adds in order, as XGBoost does; sum adds in pairs and rounds differently.
        margin = np.add.accumulate(leaves, axis=1)[:, -1]
        return np.asarray(np.float32(1) / (np.exp(-margin) + np.float32(1)))

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → (n, features), log-odds."""
        values = matrix.astype(np.float32)
        steps = [
            total[np.searchsorted(thresholds, values[:, field], side="right")]
            for field, (thresholds, total) in enumerate(zip(self._thresholds, self._sums, strict=True))
        ]
        return np.where(np.isnan(values), self._missing_sums, np.column_stack(steps))


class SparkTrees:
    """Gradient-boosted trees of Spark ML as arrays of shape (trees, nodes).

    Probability is 1 / (1 + exp(-2 F)) with F the weighted sum of the leaves (Spark ML's ``GBTClassificationModel``);
    calibration adds a base to 2 F, and is within the weights.
    Contributions are the changes of the node values along each row's path, in log-odds (2 F), credited to the
    feature that each node splits on; they sum to the margin less the roots' values. A missing value goes left at every
    node: training gave Spark, which has none, a number below all others in its place.
    """

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "trees.npz") as arrays:
            self._feature = arrays["feature"]
            self._threshold = arrays["threshold"]
            self._left = arrays["left"]
            self._right = arrays["right"]
            self._value = arrays["value"]
            self._weight = arrays["weight"]
            self._depth = int(arrays["depth"])
            # Of a calibrated ensemble; others begin at 0.
            self._base = float(arrays["base"]) if "base" in arrays else 0.0

    def probability(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → (n,)."""
        return np.asarray(1 / (1 + np.exp(-self.margin(matrix))))

    def margin(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → log-odds, shape (n,)."""
        node = np.zeros((len(matrix), len(self._weight)), dtype=np.int64)
        for _ in range(self._depth):
            node, _ = self._step(matrix, node)
        return np.asarray(self._base + 2 * (self._value[self._trees, node] @ self._weight))

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (n, features) → (n, features), log-odds."""
        contributions = np.zeros(matrix.shape)
        rows = np.broadcast_to(np.arange(len(matrix))[:, None], (len(matrix), len(self._weight)))
        node = np.zeros(rows.shape, dtype=np.int64)
        for _ in range(self._depth):
            below, feature = self._step(matrix, node)
            change = 2 * self._weight * (self._value[self._trees, below] - self._value[self._trees, node])
            np.add.at(contributions, (rows, feature), change)
            node = below
        return contributions

    @property
    def _trees(self) -> np.ndarray:
        return np.arange(len(self._weight))

    def _step(self, matrix: np.ndarray, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        feature = self._feature[self._trees, node]
        value = np.take_along_axis(matrix, feature, axis=1)
        goes_left = ~(value > self._threshold[self._trees, node])  # NaN is not greater
        return np.where(goes_left, self._left[self._trees, node], self._right[self._trees, node]), feature


mlflow.models.set_model(FraudPyfunc())
