"""The champion's role moves without a moment in which there is none; tracking works on a real MLflow store."""

from __future__ import annotations

import json
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import champion_version, load_version, registry_client
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml import cli
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import CODES, LABEL, matrix
from fraudstream.ml.registry import FORMER_CHAMPION, promote, versions
from fraudstream.ml.signature import difference
from fraudstream.ml.tracking import Trained, register
from tests.events import renamed

pytestmark = pytest.mark.timeless

ROWS = renamed(sample(3_000, 3))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}")


@pytest.fixture(scope="module")
def registered(settings: Settings) -> list[str]:
    client = registry_client(settings)
    labels = np.asarray(ROWS[LABEL])
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
    roles = {version.version: version.role for version in versions(settings)}
    assert roles == {first: "champion", second: FORMER_CHAMPION, third: FORMER_CHAMPION}


def test_an_unknown_version_is_named_with_those_there_are(settings: Settings, registered: list[str]) -> None:
    with pytest.raises(ModelError, match=r"no version 99 \(it has: 1, 2, 3\)"):
        promote(settings, "99")


class Flat(mlflow.pyfunc.PythonModel):
    """A model that another program logged: a tenth of a probability for every row, by the amount alone."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[float]:
        return [0.1] * len(model_input)


def foreign(settings: Settings, *inputs: tuple[str, str]) -> str:
    """A version of other code, whose signature has these inputs (type, name)."""
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="flat",
            python_model=Flat(),
            signature=ModelSignature(Schema([ColSpec(*column) for column in inputs])),
            pip_requirements=[],
        )
    return str(mlflow.register_model(logged.model_uri, settings.model_name).version)


def test_any_model_whose_signature_fits_can_be_the_champion(
    settings: Settings, registered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = foreign(settings, ("double", AMOUNT))
    monkeypatch.setattr(cli, "start_settings", lambda *_: settings)
    cli.promote(number, as_json=False)
    assert "micro-batches: latency of seconds instead of milliseconds" in capsys.readouterr().out.replace("\n", " ")
    assert champion_version(settings) == number
    cli.promote(registered[0], as_json=True)
    assert json.loads(capsys.readouterr().out)["has_trees"]


@pytest.mark.parametrize(
    ("input", "mismatch"),
    [(("double", "TX_AMOUNT"), "TX_AMOUNT: "), (("string", AMOUNT), f"{AMOUNT}: string")],
)
def test_a_model_that_does_not_fit_is_refused_with_the_field_that_differs(
    settings: Settings, registered: list[str], input: tuple[str, str], mismatch: str
) -> None:
    promote(settings, registered[0])
    with pytest.raises(ModelError, match=f"does not fit the project .*: {mismatch}"):
        promote(settings, foreign(settings, input))
    assert champion_version(settings) == registered[0]


def test_a_champion_of_another_project_is_told_by_its_difference() -> None:
    first, second, *others = FEATURES
    text = next(iter(CODES))
    fewer = CODES | {text: dict(list(CODES[text].items())[1:])}
    assert difference(FEATURES, CODES) == ""
    assert difference([*FEATURES, "V1"], CODES).startswith("V1: it was trained on it, and it is no input")
    assert difference(FEATURES[1:], CODES).startswith(f"{first}: it was trained without it")
    assert difference([second, first, *others], CODES).startswith(f"{second}: it was trained on it in another place")
    assert difference(FEATURES, fewer).startswith(f"{text}: it was trained on the values ")
