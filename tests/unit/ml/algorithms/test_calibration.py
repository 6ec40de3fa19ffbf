"""Scores become probabilities by one affine step on the log-odds, within the trees themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fraudstream.ml.algorithms import boosting, gbt
from fraudstream.ml.algorithms.calibration import Calibration, Validation, chosen, probability
from fraudstream.ml.evaluation.metrics import expected_calibration_error
from fraudstream.ml.model_code import BoosterTrees, SparkTrees
from tests.unit.ml.one_split import ONE_SPLIT

RNG = np.random.default_rng(5)
MARGINS = RNG.normal(-3, 2, 20_000)
LABELS = (RNG.random(20_000) < probability(MARGINS)).astype(int)
STEP = Calibration("platt", 0.7, -0.4, {})


def test_what_is_calibrated_is_left_alone() -> None:
    choice = chosen(Validation(MARGINS, LABELS, np.arange(20_000)))
    assert (choice.method, choice.slope, choice.intercept) == ("none", 1.0, 0.0)
    assert set(choice.brier) == {"none", "platt", "isotonic"}


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, 0.0), (1.0, 1.5), (0.5, -1.0)])
def test_what_is_not_is_set_right(slope: float, intercept: float) -> None:
    distorted = slope * MARGINS + intercept
    choice = chosen(Validation(distorted, LABELS, np.arange(20_000)))
    assert choice.method == "platt"
    assert choice.slope == pytest.approx(1 / slope, rel=0.08)
    assert choice.brier["platt"] < choice.brier["none"]
    assert expected_calibration_error(LABELS, probability(distorted)) > 0.01
    assert expected_calibration_error(LABELS, probability(choice.margins(distorted))) < 0.005


def test_few_frauds_calibrate_nothing() -> None:
    labels = np.zeros(500, dtype=int)
    labels[:19] = 1
    assert chosen(Validation(3 * MARGINS[:500], labels, np.arange(500))).method == "none"


def test_rows_stand_for_as_many_as_their_weights_say() -> None:
    # Every other row is a fraud, as the legitimate ones were thinned to a tenth.
    kept = (LABELS == 1) | (np.arange(20_000) % 10 == 0)
    weights = np.where(LABELS[kept] == 1, 1.0, 10.0)
    choice = chosen(Validation(2 * MARGINS[kept], LABELS[kept], np.flatnonzero(kept), weights))
    assert (choice.slope, choice.intercept) == (pytest.approx(0.5, abs=0.05), pytest.approx(0.0, abs=0.15))


@pytest.mark.parametrize("depth", [1, 3])
def test_boosted_trees_take_the_step_into_their_leaves(depth: int, tmp_path: Path) -> None:
    features = RNG.normal(size=(2_000, 4))
    features[::7, 0] = np.nan
    labels = (np.nan_to_num(features[:, 0]) + features[:, 1] + RNG.normal(size=2_000) > 2).astype(int)
    parameters = boosting.PARAMETERS | {"max_depth": depth, "n_estimators": 40, "random_state": 1}
    raw = boosting.Fitted(boosting.classifier(parameters).fit(features, labels), parameters, {})
    model = raw.calibrated(STEP)
    margins = raw.model.predict(features, output_margin=True)
    assert model.scores(features) == pytest.approx(probability(STEP.margins(margins)), abs=2e-6)
    # The served model, its explanations and the stream job's trees are of the same scale.
    model.save(tmp_path)
    served = BoosterTrees(tmp_path)
    assert np.abs(served.probability(features) - model.scores(features)).max() < 1e-6
    explained = raw.model.get_booster().predict(boosting.xgboost.DMatrix(features), pred_contribs=True)[:, :-1]
    assert served.contributions(features) == pytest.approx(STEP.slope * explained, abs=1e-3)
    assert model.portable()["base"] == pytest.approx(STEP.slope * raw.portable()["base"] + STEP.intercept, abs=1e-5)


def test_sparks_trees_take_the_step_into_their_weights(tmp_path: Path) -> None:
    model = gbt.Fitted(None, {}, ONE_SPLIT).calibrated(STEP)  # type: ignore[arg-type]
    rows = np.array([[50.0], [150.0]])
    expected = probability(STEP.margins(np.array([-1.0, 1.0])))
    assert model.scores(rows) == pytest.approx(expected)
    model.save(tmp_path)
    assert SparkTrees(tmp_path).probability(rows) == pytest.approx(expected)
    trees = model.portable()
    margins = trees["base"] + np.array([trees["value"][node] for node in (1, 2)])
    assert probability(margins) == pytest.approx(expected)
