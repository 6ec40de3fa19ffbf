"""Spark's boosted trees and their exported arrays are one model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from fraudstream.core.contract.event import FEATURES
from fraudstream.generator.distributions import sample
from fraudstream.ml.algorithms import gbt
from fraudstream.ml.features import matrix

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]


def test_exported_trees_give_sparks_own_probabilities(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.functions import vector_to_array

    monkeypatch.setitem(gbt.PARAMETERS, "maxIter", 10)
    rows = sample(3_000, 9)
    features = matrix(rows)
    fitted = gbt.fit(spark, features, np.asarray(rows["isFraud"]), 1, tmp_path / "spark-model")
    frame = spark.createDataFrame(pd.DataFrame(features, columns=list(FEATURES)))
    vectors = VectorAssembler(inputCols=list(FEATURES), outputCol="features").transform(frame)
    spark_scores = fitted.model.transform(vectors).select(vector_to_array("probability")[1]).toPandas().iloc[:, 0]
    assert np.abs(fitted.scores(features) - spark_scores.to_numpy()).max() < 1e-12

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
