"""MLflow's own serving of a registered model: rows as JSON in, records as JSON out."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.scoring_server import dataframe_from_parsed_json, predictions_to_json

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.registry import load_version, registry_client
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import LABEL, matrix
from fraudstream.ml.tracking import Trained, register
from tests.events import renamed

pytestmark = pytest.mark.timeless

DRAWN = renamed(sample(2_000, 17))
COLUMNS = {name: np.asarray(DRAWN[name]).tolist() for name in FEATURES}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}")


@pytest.fixture(scope="module")
def version(settings: Settings) -> str:
    labels = np.asarray(DRAWN[LABEL])
    fitted = boosting.fit(matrix(DRAWN), labels, seed=1)
    scores = fitted.scores(matrix(DRAWN))
    trained = Trained(
        "xgboost", fitted.parameters, metrics(labels, scores, 0.5), 0.5, labels, scores, fitted.save, fitted.portable()
    )
    return register(settings, registry_client(settings), trained, pd.DataFrame(COLUMNS).head(3), {})


def served(settings: Settings, version: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    model = mlflow.pyfunc.load_model(f"models:/{settings.model_name}/{version}")
    body = json.loads(json.dumps(rows))
    frame = dataframe_from_parsed_json(body, "records", model.metadata.get_input_schema())
    written = StringIO()
    predictions_to_json(model.predict(frame), written)
    answered: list[dict[str, object]] = json.loads(written.getvalue())["predictions"]
    return answered


def test_reasons_survive_mlflows_json(settings: Settings, version: str) -> None:
    rows = [{name: COLUMNS[name][row] for name in FEATURES} for row in range(200)]
    answered = served(settings, version, rows)
    model = load_version(settings, version).model
    first = {name: values[:200] for name, values in COLUMNS.items()}
    scores = model.score_columns(first)
    explained = model.explain_columns(first)
    assert [record["score"] for record in answered] == pytest.approx(scores.tolist())
    assert [record["prediction"] for record in answered] == (scores >= 0.5).astype(int).tolist()
    expected = [reasons if score >= 0.5 else [] for reasons, score in zip(explained, scores, strict=True)]
    assert [record["reasons"] for record in answered] == expected
    assert any(expected)


def test_money_without_decimals_passes_the_signature(settings: Settings, version: str) -> None:
    row = {name: COLUMNS[name][0] for name in FEATURES} | renamed({"amount": 20, "income": 1500, "old_balance": 0})
    as_floats = row | renamed({"amount": 20.0, "income": 1500.0, "old_balance": 0.0})
    assert served(settings, version, [row]) == served(settings, version, [as_floats])


def test_a_missing_feature_is_refused_by_the_signature(settings: Settings, version: str) -> None:
    with pytest.raises(MlflowException, match=AMOUNT):
        served(settings, version, [{name: COLUMNS[name][0] for name in FEATURES if name != AMOUNT}])


# What MLflow in full imports, and mlflow-skinny, which the scoring service and the stream job have, does not bring.
ABSENT = ("alembic", "docker", "flask", "graphene", "matplotlib", "mlflow.server", "pyarrow", "sklearn", "sqlalchemy")
SCORES = """
import sys
from importlib.machinery import PathFinder

class Client(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in {absent} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Client
import mlflow
from mlflow.models import Model

folder = mlflow.artifacts.download_artifacts({folder!r})
assert "fraudstream_trees" in Model.load(folder).flavors
print(*mlflow.pyfunc.load_model(folder).unwrap_python_model().score_columns({columns}))
"""


def test_a_registered_model_scores_with_mlflows_client_alone(settings: Settings, version: str) -> None:
    folder = urlparse(registry_client(settings).get_model_version(settings.model_name, version).source).path
    columns = {name: values[:3] for name, values in COLUMNS.items()}
    code = SCORES.format(absent=ABSENT, folder=folder, columns=columns)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    expected = load_version(settings, version).model.score_columns(columns)
    assert [float(score) for score in answer.stdout.split()] == pytest.approx(expected.tolist())


def test_a_project_around_the_training_is_not_logged_with_the_model(settings: Settings, version: str) -> None:
    folder = Path(urlparse(registry_client(settings).get_model_version(settings.model_name, version).source).path)
    # Whoever has loaded the model from there leaves its compiled code.
    assert {path.name for path in folder.iterdir()} - {"__pycache__"} == {
        *("MLmodel", "artifacts", "conda.yaml", "input_example.json", "model_code.py", "python_env.yaml"),
        *("registered_model_meta", "requirements.txt", "serving_input_example.json", "trees.json"),
    }
