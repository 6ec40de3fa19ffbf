"""Spark ML's gradient-boosted trees: the first system's model, exported to arrays that need no Spark to be served."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.dataset as ds

from fraudstream.ml.algorithms.calibration import LEAST_OF_CLASS, Calibration, Validation
from fraudstream.ml.algorithms.portable import of_spark_trees
from fraudstream.ml.model_code import LARGEST, SparkTrees
from fraudstream.spark.session import file_uri

if TYPE_CHECKING:
    from pyspark.ml.classification import GBTClassificationModel
    from pyspark.sql import SparkSession

PARAMETERS: dict[str, Any] = {"maxIter": 100, "maxDepth": 4, "stepSize": 0.1}
# The last part of the rows, which calibrates the scores of a model that learnt from those before.
_CALIBRATED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained Spark model, its parameters, and its trees as arrays of shape (trees, nodes).

    A calibration is in the arrays alone: ``model`` is Spark's own, as it was fitted.
    """

    model: GBTClassificationModel
    parameters: dict[str, Any]
    arrays: dict[str, np.ndarray]
    validation: Validation | None = None
    validated: Mapping[int, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability of fraud, float64, shape (n,), as it will be served."""
        with tempfile.TemporaryDirectory(prefix="fraudstream-trees-") as scratch:
            self.save(Path(scratch))
            return SparkTrees(Path(scratch)).probability(features)

    def margins(self, features: np.ndarray) -> np.ndarray:
        """Log-odds of fraud, float64, shape (n,)."""
        with tempfile.TemporaryDirectory(prefix="fraudstream-trees-") as scratch:
            self.save(Path(scratch))
            return SparkTrees(Path(scratch)).margin(features)

    def calibrated(self, calibration: Calibration) -> Fitted:
        """The same trees with the calibration folded into their weights and a base."""
        if calibration.method == "none":
            return self
        arrays = self.arrays | {
            "weight": self.arrays["weight"] * calibration.slope,
            "base": np.array(calibration.intercept),
        }
        return replace(self, arrays=arrays)

    def save(self, folder: Path) -> None:
        """Write what ``model_code.SparkTrees`` reads."""
        np.savez_compressed(folder / "trees.npz", allow_pickle=False, **self.arrays)

    def portable(self) -> dict[str, Any]:
        """The trees as :mod:`fraudstream.ml.algorithms.portable` has them."""
        return of_spark_trees(self.arrays)


def fit_validated(spark: SparkSession, features: np.ndarray, labels: np.ndarray, seed: int, folder: Path) -> Fitted:
    """As :func:`fit`, on the earlier rows; the log-odds of the last fifth, which are later, are beside the model.

    The rows are in the order of time. All of them are learnt from where the last fifth has too few frauds to calibrate.
    """
    first = len(labels) - round(_CALIBRATED_SHARE * len(labels))
    later = labels[first:]
    if min(later.sum(), len(later) - later.sum()) < LEAST_OF_CLASS:
        return fit(spark, features, labels, seed, folder)
    fitted = fit(spark, features[:first], labels[:first], seed, folder)
    validation = Validation(fitted.margins(features[first:]), later, np.arange(first, len(labels)))
    return replace(fitted, validation=validation)


def fit(spark: SparkSession, features: np.ndarray, labels: np.ndarray, seed: int, folder: Path) -> Fitted:
    """Train on the rows and export the trees. Spark's own form of the model is saved in ``folder``.

    Spark's trees have no missing values: they get the least number of single precision in their place. Where it is not
    told from all others by a split of its own, it goes left with the smallest of them.
    """
    import pandas as pd
    from pyspark.ml.classification import GBTClassifier
    from pyspark.ml.feature import VectorAssembler

    # Numbered, as a field's name may hold what Spark reads as a path.
    names = [f"f{number}" for number in range(features.shape[1])]
    frame = pd.DataFrame(np.where(np.isnan(features), -LARGEST, features), columns=names)
    frame = frame.assign(label=labels.astype(float))
    rows = VectorAssembler(inputCols=names, outputCol="features").transform(spark.createDataFrame(frame))
    cached = rows.select("features", "label").cache()
    with tempfile.TemporaryDirectory(prefix="checkpoints-", dir=folder.parent, ignore_cleanup_errors=True) as lineage:
        # The residuals of a tree are computed from those of all trees before it. Spark cuts this lineage only if there
        # is a checkpoint folder, and otherwise each of the many small jobs carries it whole.
        spark.sparkContext.setCheckpointDir(file_uri(Path(lineage)))
        try:
            model = GBTClassifier(labelCol="label", seed=seed, **PARAMETERS).fit(cached)
        finally:
            cached.unpersist()
    model.write().overwrite().save(file_uri(folder))
    return Fitted(model, PARAMETERS | {"seed": seed}, export(folder, list(model.treeWeights)))


def export(folder: Path, weights: Sequence[float]) -> dict[str, np.ndarray]:
    """The nodes of a saved ``GBTClassificationModel`` and its tree weights as arrays.

    The children of a leaf are the leaf itself, so that all paths have equal length.
    Raises ``ValueError`` for a split on a category set: our features are ordinal codes, which split on thresholds.
    """
    nodes = ds.dataset(folder / "data").to_table().to_pylist()
    size = 1 + max(row["nodeData"]["id"] for row in nodes)
    shape = (len(weights), size)
    feature, left, right = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    threshold, value = np.zeros(shape), np.zeros(shape)
    left[:] = right[:] = np.arange(size)
    for row in nodes:
        tree, node = row["treeID"], row["nodeData"]
        number, split = node["id"], node["split"]
        value[tree, number] = node["prediction"]
        if node["leftChild"] < 0:
            continue
        if split["numCategories"] != -1:
            raise ValueError(f"tree {tree}, node {number} splits on categories: {split}")
        feature[tree, number] = split["featureIndex"]
        threshold[tree, number] = split["leftCategoriesOrThreshold"][0]
        left[tree, number], right[tree, number] = node["leftChild"], node["rightChild"]
    return {
        "feature": feature,
        "threshold": threshold,
        "left": left,
        "right": right,
        "value": value,
        "weight": np.array(weights),
        "depth": np.array(PARAMETERS["maxDepth"]),
    }
