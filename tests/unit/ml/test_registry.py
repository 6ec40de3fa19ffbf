"""The champion's role moves without a moment in which there is none; tracking works on a real MLflow store."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import champion_version, load_version, registry_client
from fraudstream.generator.distributions import sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation import metrics
from fraudstream.ml.features import matrix
from fraudstream.ml.registry import FORMER_CHAMPION, promote, versions
from fraudstream.ml.tracking import Trained, register

pytestmark = pytest.mark.timeless

ROWS = sample(3_000, 3)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}")


@pytest.fixture(scope="module")
def registered(settings: Settings) -> list[str]:
    client = registry_client(settings)
    labels = np.asarray(ROWS["isFraud"])
    fitted = boosting.fit(matrix(ROWS), labels, seed=1)
    scores = fitted.scores(matrix(ROWS))
    trained = Trained(
        "xgboost", fitted.parameters, metrics(labels, scores, 0.5), 0.5, labels, scores, fitted.save, fitted.portable()
    )
    example = pd.DataFrame({name: np.asarray(ROWS[name])[:3] for name in FEATURES})
    return [register(settings, client, trained, example, {"dataset_fingerprint": "abc"}) for _ in range(3)]


def test_a_registered_model_can_be_loaded_and_scores(settings: Settings, registered: list[str]) -> None:
    loaded = load_version(settings, registered[0])
    columns = {name: np.asarray(ROWS[name])[:50].tolist() for name in FEATURES}
    assert loaded.model.score_columns(columns).shape == (50,)
    assert loaded.metrics["average_precision"] > 0.5
    run = mlflow.MlflowClient(settings.mlflow_tracking_uri).get_run(versions(settings)[-1].run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["dataset_fingerprint"] == "abc"


def test_mlflows_own_predict_gives_records(settings: Settings, registered: list[str]) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{settings.model_name}/{registered[0]}")
    frame = pd.DataFrame({name: np.asarray(ROWS[name])[:20] for name in FEATURES})
    answered = model.predict(frame)
    assert list(answered.columns) == ["prediction", "score", "threshold", "reasons"]
    assert len(answered) == 20


def test_promotion_moves_the_role_also_back_to_an_older_version(settings: Settings, registered: list[str]) -> None:
    first, second, third = registered
    for version in (second, third, first):
        promote(settings, version)
        assert champion_version(settings) == version
    roles = {one.version: one.role for one in versions(settings)}
    assert roles == {first: "champion", second: FORMER_CHAMPION, third: FORMER_CHAMPION}


def test_an_unknown_version_is_named_with_those_there_are(settings: Settings, registered: list[str]) -> None:
    with pytest.raises(ModelError, match=r"no version 99 \(it has: 1, 2, 3\)"):
        promote(settings, "99")
