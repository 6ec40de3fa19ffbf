"""The registered model scores, decides and explains alike from a frame and from columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from fraudstream.core.contract.event import FEATURES
from fraudstream.generator.distributions import sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.features import CODES, matrix
from fraudstream.ml.model_code import FEW_ROWS, BoosterTrees, FraudPyfunc, SparkTrees, Stumps

pytestmark = pytest.mark.timeless


@pytest.fixture(scope="module")
def columns() -> dict[str, list[object]]:
    drawn = sample(3_000, 5)
    return {name: np.asarray(drawn[name]).tolist() for name in (*FEATURES, "isFraud")}


@pytest.fixture(scope="module")
def folder(columns: dict[str, list[object]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    model = xgboost.XGBClassifier(n_estimators=50, max_depth=2).fit(matrix(columns), columns["isFraud"])
    model.get_booster().save_model(place / "booster.ubj")
    described = {"algorithm": "xgboost", "threshold": 0.5, "features": list(FEATURES), "codes": CODES}
    (place / "model.json").write_text(json.dumps(described))
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> FraudPyfunc:
    loaded = FraudPyfunc()
    loaded.load(folder)
    return loaded


def test_frames_and_columns_get_the_same_scores(model: FraudPyfunc, columns: dict[str, list[object]]) -> None:
    frame = pd.DataFrame(columns)[list(FEATURES)]
    answered = model.predict(None, frame)
    scores = model.score_columns(columns)
    assert np.array_equal(answered["score"], scores)
    assert np.array_equal(answered["prediction"], (scores >= 0.5).astype(int))
    assert [bool(reasons) for reasons in answered["reasons"]] == [bool(p) for p in answered["prediction"]]


def test_shap_contributions_sum_to_the_margin(folder: Path, columns: dict[str, list[object]]) -> None:
    booster = xgboost.Booster()
    booster.load_model(folder / "booster.ubj")
    data = xgboost.DMatrix(matrix(columns))
    contributions = booster.predict(data, pred_contribs=True)
    assert np.abs(contributions.sum(axis=1) - booster.predict(data, output_margin=True)).max() < 1e-4


@pytest.fixture(scope="module")
def stumps(columns: dict[str, list[object]], tmp_path_factory: pytest.TempPathFactory) -> tuple[BoosterTrees, Path]:
    place = tmp_path_factory.mktemp("stumps")
    model = xgboost.XGBClassifier(n_estimators=200, max_depth=1).fit(matrix(columns), columns["isFraud"])
    model.get_booster().save_model(place / "booster.ubj")
    return BoosterTrees(place), place


def test_stumps_have_xgboosts_own_contributions(
    stumps: tuple[BoosterTrees, Path], columns: dict[str, list[object]]
) -> None:
    trees, folder = stumps
    booster = xgboost.Booster(model_file=folder / "booster.ubj")
    saved = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    rows = matrix(columns)
    for number, tree in enumerate(saved):
        # On the threshold, where a row goes right.
        rows[number, tree["split_indices"][0]] = tree["split_conditions"][0]
    expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1]
    assert Stumps.of(booster) is not None
    assert np.abs(trees.contributions(rows) - expected).max() < 1e-4
    assert (expected != 0).any(axis=0).sum() > 3


def test_a_few_rows_get_xgboosts_own_scores(
    stumps: tuple[BoosterTrees, Path], columns: dict[str, list[object]]
) -> None:
    trees, folder = stumps
    booster = xgboost.Booster(model_file=folder / "booster.ubj")
    rows = matrix(columns)
    expected = booster.inplace_predict(rows)
    few = np.concatenate([trees.probability(rows[at : at + FEW_ROWS]) for at in range(0, len(rows), FEW_ROWS)])
    assert np.abs(few - expected).max() <= 1e-6
    assert np.array_equal(few >= 0.5, expected >= 0.5)
    exact = Stumps.of(booster)
    assert exact is not None
    assert np.array_equal(exact.probability(rows[:1]), trees.probability(rows[:1]))


def test_a_missing_value_goes_the_way_that_xgboost_learnt(
    stumps: tuple[BoosterTrees, Path], columns: dict[str, list[object]]
) -> None:
    trees, folder = stumps
    rows = matrix(columns)[:20]
    rows[:, 0] = np.nan
    booster = xgboost.Booster(model_file=folder / "booster.ubj")
    expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1]
    assert trees.contributions(rows) == pytest.approx(expected)


def test_deeper_trees_are_no_stumps(folder: Path) -> None:
    assert Stumps.of(xgboost.Booster(model_file=folder / "booster.ubj")) is None


def test_reasons_are_the_fields_that_raise_the_score_most(model: FraudPyfunc, columns: dict[str, list[object]]) -> None:
    for reasons in model.explain_columns(columns, top=3):
        contributions = [reason["contribution"] for reason in reasons]
        assert len(reasons) <= 3
        assert all(reason["field"] in FEATURES for reason in reasons)
        assert contributions == sorted(contributions, reverse=True)
        assert all(value > 0 for value in contributions)


def test_an_unknown_category_is_scored(model: FraudPyfunc, columns: dict[str, list[object]]) -> None:
    one = {name: values[:1] for name, values in columns.items()} | {"category_recipient": ["casino"]}
    assert 0 <= model.score_columns(one)[0] <= 1


def test_spark_trees_by_hand(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "trees.npz",
        feature=np.array([[0, 0, 0], [1, 0, 0]]),
        threshold=np.array([[1.0, 0, 0], [5.0, 0, 0]]),
        left=np.array([[1, 1, 2], [1, 1, 2]]),
        right=np.array([[2, 1, 2], [2, 1, 2]]),
        value=np.array([[0.0, -0.5, 0.5], [0.0, -1.0, 1.0]]),
        weight=np.array([1.0, 0.1]),
        depth=np.array(1),
    )
    trees = SparkTrees(tmp_path)
    rows = np.array([[1.0, 5.0], [1.5, 5.0], [1.0, 6.0]])
    margins = 2 * np.array([-0.6, 0.4, -0.4])
    assert trees.probability(rows) == pytest.approx(1 / (1 + np.exp(-margins)))
    assert trees.contributions(rows) == pytest.approx(np.array([[-1.0, -0.2], [1.0, -0.2], [-1.0, 0.2]]))


def test_depth_is_chosen_on_training_rows(columns: dict[str, list[object]]) -> None:
    fitted = boosting.fit(matrix(columns), np.asarray(columns["isFraud"]), seed=1)
    assert fitted.parameters["max_depth"] == max(fitted.validated, key=fitted.validated.__getitem__)
    assert set(fitted.validated) == set(boosting.DEPTHS)
