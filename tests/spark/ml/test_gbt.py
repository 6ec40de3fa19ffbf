"""Spark's boosted trees and their exported arrays are one model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from fraudstream.core.contract.event import FEATURES
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import gbt
from fraudstream.ml.features import LABEL, LARGEST, matrix
from tests.events import renamed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]


def test_exported_trees_give_sparks_own_probabilities(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.functions import vector_to_array

    monkeypatch.setitem(gbt.PARAMETERS, "maxIter", 10)
    rows = renamed(sample(3_000, 9))
    features = matrix(rows)
    # A missing first input is a sign of fraud here: Spark gets the least number for it, the arrays are given NaN.
    frauds = np.asarray(rows[LABEL]) == 1
    features[np.where(frauds, np.arange(3_000) % 2 == 0, np.arange(3_000) % 20 == 0), 0] = np.nan
    fitted = gbt.fit(spark, features, np.asarray(rows[LABEL]), 1, tmp_path / "spark-model")
    names = [f"f{number}" for number in range(len(FEATURES))]
    frame = spark.createDataFrame(pd.DataFrame(np.nan_to_num(features, nan=-LARGEST), columns=names))
    vectors = VectorAssembler(inputCols=names, outputCol="features").transform(frame)
    spark_scores = fitted.model.transform(vectors).select(vector_to_array("probability")[1]).toPandas().iloc[:, 0]
    assert np.abs(fitted.scores(features) - spark_scores.to_numpy()).max() < 1e-12
    assert fitted.scores(features[frauds & np.isnan(features[:, 0])]).mean() > 0.5
    trees = fitted.portable()
    assert np.array_equal(trees["missing_left"], np.array(trees["feature"]) >= 0)

    from fraudstream.ml.model_code import FraudPyfunc

    served = tmp_path / "served"
    served.mkdir()
    fitted.save(served)
    described = {"algorithm": "gbt", "threshold": 0.5, "features": list(FEATURES), "codes": {}}
    (served / "model.json").write_text(json.dumps(described))
    model = FraudPyfunc()
    model.load(served)
    columns = dict(zip(FEATURES, features.T.tolist(), strict=True))
    assert np.array_equal(model.score_columns(columns), fitted.scores(features))
