"""A training of Spark's trees from labelled rows to a registered version that needs no Spark to score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES
from fraudstream.core.registry import champion_version, load_version, registry_client
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import gbt
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import EVENT_TIME, ID, LABEL, matrix
from fraudstream.ml.training import run as training
from tests.events import renamed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]


def test_sparks_trees_are_registered_and_score_as_they_were_measured(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.ml.classification import GBTClassificationModel
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.functions import vector_to_array

    monkeypatch.setitem(gbt.PARAMETERS, "maxIter", 10)
    settings = Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    client = registry_client(settings)
    drawn = renamed(sample(2_000, 13))
    history = pd.DataFrame({name: np.asarray(drawn[name]) for name in (*FEATURES, LABEL)})
    numbers = np.arange(2_000)
    history = history.assign(
        **{ID: 1_000_000 + numbers, EVENT_TIME: 60_000 * numbers, LABEL: history[LABEL].astype(int)}
    )
    split = training.split(history)
    outcome = training.Training(settings, client, lambda: spark, split, {"dataset_rows": "2000"}, 7).run(
        "gbt", tmp_path
    )

    assert champion_version(settings, client) == outcome.version
    loaded = load_version(settings, outcome.version)
    rows = history[split.held_out]
    scores = loaded.model.score_columns({name: rows[name].tolist() for name in FEATURES})
    again = metrics(rows[LABEL].to_numpy(), scores, loaded.model.threshold)
    assert {name: outcome.metrics[name] for name in again} == pytest.approx(again)

    # Spark's own form of the model is kept with the run, and is the same model but for the calibration.
    run_id = client.get_model_version(settings.model_name, outcome.version).run_id
    kept = GBTClassificationModel.load(Path(client.download_artifacts(run_id, "spark-model")).as_uri())
    names = [f"f{number}" for number in range(len(FEATURES))]
    frame = spark.createDataFrame(pd.DataFrame(matrix(rows), columns=names))
    vectors = VectorAssembler(inputCols=names, outputCol="features").transform(frame)
    own = kept.transform(vectors).select(vector_to_array("probability")[1]).toPandas().iloc[:, 0].to_numpy()
    run = client.get_run(run_id).data.params
    margins = float(run["calibration_slope"]) * np.log(own / (1 - own)) + float(run["calibration_intercept"])
    assert np.abs(1 / (1 + np.exp(-margins)) - scores).max() < 1e-12
