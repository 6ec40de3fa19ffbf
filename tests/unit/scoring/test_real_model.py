"""The service over a trained model: every shape carries the same decisions, the model's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from fastapi.testclient import TestClient

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.registry import LoadedModel
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.features import CODES, LABEL, matrix
from fraudstream.ml.model_code import FraudPyfunc
from tests.events import renamed

DRAWN = renamed(sample(400, 23, 0.3))
COLUMNS: dict[str, list[Any]] = {name: np.asarray(DRAWN[name]).tolist() for name in FEATURES}
ROWS = [dict(zip(FEATURES, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
TABLE = {"columns": list(FEATURES), "index": list(range(400)), "data": [list(row.values()) for row in ROWS]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FraudPyfunc:
    folder = tmp_path_factory.mktemp("model")
    trees = xgboost.XGBClassifier(n_estimators=40, max_depth=2, n_jobs=1).fit(matrix(DRAWN), DRAWN[LABEL])
    trees.get_booster().save_model(folder / "booster.ubj")
    described = {"algorithm": "xgboost", "threshold": 0.5, "features": list(FEATURES), "codes": CODES}
    (folder / "model.json").write_text(json.dumps(described))
    loaded = FraudPyfunc()
    loaded.load(folder)
    return loaded


@pytest.fixture
def real(client_of: Callable[..., TestClient], champion: Any, model: FraudPyfunc) -> TestClient:
    champion.loaded = LoadedModel("8", model, {})
    return client_of(champion)


def answered(client: TestClient, path: str, body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert response.headers["X-Fraudstream-Model-Version"] == "8"
    return response.json()


def test_every_shape_gives_the_models_own_decisions(real: TestClient, model: FraudPyfunc) -> None:
    scores = model.score_columns(COLUMNS)
    explained = model.explain_columns(COLUMNS)
    expected = [
        {
            "prediction": int(score >= 0.5),
            "score": score,
            "threshold": 0.5,
            "model_version": "8",
            "reasons": reasons if score >= 0.5 else [],
        }
        for score, reasons in zip(scores.tolist(), explained, strict=True)
    ]
    assert {record["prediction"] for record in expected} == {0, 1}
    assert answered(real, "/score", {"input_data": TABLE}) == expected
    inputs = answered(real, "/score", {"Inputs": {"WebServiceInput0": ROWS}})
    assert inputs == {"Results": {"WebServiceOutput0": expected}}
    for path in ("/score", "/invocations"):
        assert answered(real, path, {"dataframe_split": TABLE}) == {"predictions": expected}
        assert answered(real, path, {"dataframe_records": ROWS}) == {"predictions": expected}
    assert answered(real, "/score", {"data": ROWS}) == [record["prediction"] for record in expected]


def test_an_unknown_category_is_scored(real: TestClient) -> None:
    row = ROWS[0] | renamed({"category_recipient": "casino"})
    table = {"columns": list(FEATURES), "index": [0], "data": [[row[name] for name in FEATURES]]}
    [record] = answered(real, "/score", {"input_data": table})
    assert 0 <= record["score"] <= 1


def test_a_row_alone_gets_the_decision_that_it_gets_among_others(real: TestClient) -> None:
    together = answered(real, "/score", {"input_data": TABLE})
    for number in range(0, 400, 40):
        alone = TABLE | {"index": [number], "data": [TABLE["data"][number]]}
        assert answered(real, "/score", {"input_data": alone}) == [together[number]]
