"""One algorithm's model on the rows that are learnt from, with scores of rows that it did not learn from beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from fraudstream.ml.algorithms.calibration import Calibration, Validation
from fraudstream.ml.features import EVENT_TIME
from fraudstream.ml.model_code import BoosterTrees, SparkTrees
from fraudstream.ml.training.split import Split, label_delay_ms

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Algorithm = Literal["xgboost", "gbt"]

# Contributions of so many rows say which inputs matter.
_EXPLAINED = 2_000


@dataclass(frozen=True, slots=True)
class Tuning:
    """The budget for further parameters: seconds, and the most that are tried, which makes a training repeatable."""

    seconds: float
    trials: int | None = None


class Fitted(Protocol):
    """A trained ensemble, whatever its algorithm.

    ``validated`` has the average precision of each depth that was tried, ``figures`` further ones; ``validation`` is
    None where there were too few rows to keep some back.
    """

    @property
    def parameters(self) -> Mapping[str, Any]: ...

    @property
    def validated(self) -> Mapping[int, float]: ...

    @property
    def validation(self) -> Validation | None: ...

    @property
    def figures(self) -> Mapping[str, float]: ...

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability of fraud, float64, shape (n,), as it will be served."""
        ...

    def calibrated(self, calibration: Calibration) -> Fitted:
        """The same ensemble with the calibration folded into it."""
        ...

    def save(self, folder: Path) -> None:
        """Write what ``model_code`` reads."""
        ...

    def portable(self) -> dict[str, Any]:
        """The trees as :mod:`fraudstream.ml.algorithms.portable` has them."""
        ...


def fitted(
    algorithm: Algorithm,
    split: Split,
    seed: int,
    tuning: Tuning | None,
    spark: Callable[[], SparkSession],
    scratch: Path,
) -> Fitted:
    """The algorithm's model of the rows that are learnt from. Spark's own form of it is saved in ``scratch``."""
    features, labels = split.train
    if algorithm == "xgboost":
        from fraudstream.ml.algorithms import boosting

        search = None
        if tuning is not None:
            from fraudstream.ml.algorithms.search import searching

            search = searching(tuning.seconds, tuning.trials, seed)
        moments = split.history[EVENT_TIME].to_numpy()[split.learnt]
        return boosting.fit(features, labels, seed, moments, label_delay_ms(), search)
    from fraudstream.ml.algorithms import gbt

    return gbt.fit_validated(spark(), features, labels, seed, scratch / "spark-model")


def contributions(algorithm: Algorithm, model: Fitted, features: np.ndarray, seed: int) -> np.ndarray:
    """What each input adds to the log-odds of some of the rows, shape (rows, inputs)."""
    some = np.random.default_rng(seed).permutation(len(features))[:_EXPLAINED]
    with tempfile.TemporaryDirectory(prefix="fraudstream-trees-") as folder:
        model.save(Path(folder))
        trees: BoosterTrees | SparkTrees = (BoosterTrees if algorithm == "xgboost" else SparkTrees)(Path(folder))
        return trees.contributions(features[np.sort(some)])
