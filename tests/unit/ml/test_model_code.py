"""The registered model scores, decides and explains alike from a frame and from columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from bson import Decimal128

from fraudstream.core.contract.event import FEATURES
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.algorithms.portable import of_booster
from fraudstream.ml.features import CODES, LABEL, matrix
from fraudstream.ml.model_code import FEW_ROWS, BoosterTrees, FraudPyfunc, SparkTrees, Stumps, encode
from tests.events import named, renamed

pytestmark = pytest.mark.timeless


@pytest.fixture(scope="module")
def columns() -> dict[str, list[object]]:
    drawn = renamed(sample(3_000, 5))
    return {name: np.asarray(drawn[name]).tolist() for name in (*FEATURES, LABEL)}


@pytest.fixture(scope="module")
def folder(columns: dict[str, list[object]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    model = xgboost.XGBClassifier(n_estimators=50, max_depth=2).fit(matrix(columns), columns[LABEL])
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
    model = xgboost.XGBClassifier(n_estimators=200, max_depth=1).fit(matrix(columns), columns[LABEL])
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


def test_a_missing_value_has_xgboosts_own_contributions(
    stumps: tuple[BoosterTrees, Path], columns: dict[str, list[object]]
) -> None:
    trees, folder = stumps
    rows = matrix(columns)[:20]
    rows[:, 0] = np.nan
    booster = xgboost.Booster(model_file=folder / "booster.ubj")
    expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1]
    assert trees.contributions(rows) == pytest.approx(expected)


def portable_scores(trees: dict[str, Any], rows: np.ndarray) -> np.ndarray:
    """Probabilities by the portable form's arrays alone, as their description says."""
    kind = np.float32 if trees["single_precision"] else np.float64
    margins = []
    for row in rows.astype(kind):
        margin = trees["base"]
        for node in trees["roots"]:
            while (feature := trees["feature"][node]) >= 0:
                value, split = row[feature], kind(trees["split"][node])
                below = value < split if trees["single_precision"] else value <= split
                goes_left = trees["missing_left"][node] if np.isnan(value) else below
                node = trees["left" if goes_left else "right"][node]
            margin += trees["value"][node]
        margins.append(margin)
    return np.asarray(1 / (1 + np.exp(-np.array(margins))))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("fraud_at", [0.0, np.nan])
def test_zero_and_missing_are_different_things(depth: int, fraud_at: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = np.column_stack([rng.choice([0.0, 1.0, np.nan], 2_000), rng.normal(size=2_000)])
    rows[rng.random(2_000) < 0.2, 1] = np.nan
    frauds = np.isnan(rows[:, 0]) if np.isnan(fraud_at) else rows[:, 0] == fraud_at
    model = xgboost.XGBClassifier(n_estimators=30, max_depth=depth).fit(rows, frauds.astype(int))
    model.get_booster().save_model(tmp_path / "booster.ubj")
    trees = BoosterTrees(tmp_path)
    expected = model.get_booster().inplace_predict(rows)
    assert expected[frauds].min() > 0.9
    assert expected[~frauds].max() < 0.1
    assert np.abs(trees.probability(rows[:FEW_ROWS]) - expected[:FEW_ROWS]).max() < 1e-6
    assert np.abs(portable_scores(of_booster(model.get_booster()), rows[:200]) - expected[:200]).max() < 1e-6
    shap = model.get_booster().predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1]
    assert np.abs(trees.contributions(rows) - shap).max() < 1e-4


def test_what_is_no_number_is_missing_and_what_is_too_large_is_the_largest() -> None:
    columns = {
        "n": [None, pd.NA, Decimal128("2.5"), float("nan"), True, 10**39],
        "m": [None, 1e300, -1e300, float("inf"), 7, False],
        "c": ["a", None, "z", pd.NA, "b", float("nan")],
    }
    encoded = encode(columns, ["n", "m", "c"], {"c": {"a": 0, "b": 1}})
    most = float(np.finfo(np.float32).max)
    expected = [
        *([np.nan, np.nan, 0], [np.nan, most, np.nan], [2.5, -most, np.nan]),
        *([np.nan, most, np.nan], [1, 7, 1], [most, 0, np.nan]),
    ]
    assert np.array_equal(encoded, expected, equal_nan=True)
    assert encoded.dtype == np.float64


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
    row = {name: values[:1] for name, values in columns.items()} | {named("category_recipient"): ["casino"]}
    assert 0 <= model.score_columns(row)[0] <= 1


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
    rows = np.array([[1.0, 5.0], [1.5, 5.0], [1.0, 6.0], [np.nan, np.nan]])
    margins = 2 * np.array([-0.6, 0.4, -0.4, -0.6])
    assert trees.probability(rows) == pytest.approx(1 / (1 + np.exp(-margins)))
    assert trees.contributions(rows) == pytest.approx(np.array([[-1.0, -0.2], [1.0, -0.2], [-1.0, 0.2], [-1.0, -0.2]]))


def test_depth_is_chosen_on_training_rows(columns: dict[str, list[object]]) -> None:
    fitted = boosting.fit(matrix(columns), np.asarray(columns[LABEL]), seed=1)
    assert fitted.parameters["max_depth"] == max(fitted.validated, key=fitted.validated.__getitem__)
    assert set(fitted.validated) == set(boosting.DEPTHS)
