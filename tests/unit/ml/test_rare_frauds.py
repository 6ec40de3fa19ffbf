"""One fraud among a thousand transactions: what is learnt, from which score on is alerted, and how few are too few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import LABEL
from fraudstream.ml.training import run as training
from fraudstream.ml.training.decision import THRESHOLD, threshold_for
from tests.events import renamed

pytestmark = pytest.mark.timeless


def rare(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Five numbers, of which a fraud has the first two larger by two and a half deviations; one in five is missing."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(count, dtype=int)
    labels[rng.choice(count, round(share * count), replace=False)] = 1
    rows = rng.normal(size=(count, 5))
    rows[:, :2] += 2.5 * labels[:, None]
    rows[rng.random(rows.shape) < 0.2] = np.nan
    return rows, labels


def test_a_model_of_rare_frauds_ranks_them_first_and_its_scores_are_probabilities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boosting, "DEPTHS", (1, 2))
    monkeypatch.setitem(boosting.PARAMETERS, "n_estimators", 100)
    rows, labels = rare(50_000, 0.001, 1)
    fresh, truth = rare(100_000, 0.001, 2)
    fitted = boosting.fit(rows, labels, seed=7)
    scores = fitted.scores(fresh)
    threshold = threshold_for(labels.mean(), scores)
    measured = metrics(truth, scores, threshold)
    # A thousand times better than chance would be 1; the best that these densities allow is about 0.3.
    assert measured["average_precision"] > 0.15
    assert 0.5 * truth.sum() < scores.sum() < 2 * truth.sum()
    alerts = measured["true_positive"] + measured["false_positive"]
    assert 0.5 * truth.sum() < alerts <= truth.sum()
    assert fitted.parameters["min_child_weight"] == pytest.approx(0.02)
    assert set(fitted.validated) == {1, 2}


def test_very_many_rows_are_thinned_but_for_the_frauds() -> None:
    rows, labels = rare(60_000, 0.001, 3)
    part = boosting.thinned(rows, labels, 7)
    assert len(part.labels) == 20_000
    assert part.labels.sum() == labels.sum() == 60
    assert part.weights is not None
    assert part.weights.sum() == pytest.approx(60_000)
    assert set(part.weights[part.labels == 1]) == {1.0}


def test_the_threshold_makes_as_many_alerts_as_there_are_rare_frauds() -> None:
    scores = np.linspace(0.0, 0.4, 10_001)
    threshold = threshold_for(0.001, scores)
    assert (scores >= threshold).sum() == 10
    assert threshold not in scores
    # Frauds that are not rare, or that the model is sure of.
    assert threshold_for(0.1, scores) == THRESHOLD
    assert threshold_for(0.001, np.r_[scores, np.full(20, 0.9)]) == THRESHOLD
    # Scores that too many rows have in common.
    assert threshold_for(0.001, np.full(10_000, 0.3)) == THRESHOLD
    assert threshold_for(0.001, np.r_[np.zeros(9_000), np.full(1_000, 0.3)]) == THRESHOLD


@pytest.mark.parametrize(("learnt", "held_out"), [(9, 4), (10, 3)])
def test_too_few_rare_frauds_are_told_with_what_is_needed(learnt: int, held_out: int) -> None:
    drawn = renamed(sample(5_000, 4))
    history = pd.DataFrame({name: np.asarray(drawn[name]) for name in FEATURES})
    history[LABEL] = ([1] * learnt + [0] * (3_500 - learnt)) + ([1] * held_out + [0] * (1_500 - held_out))
    is_held_out = np.arange(5_000) >= 3_500
    pattern = rf"and {learnt} frauds to learn from \(10 of each are needed\).* and {held_out} held out; 4 of each"
    with pytest.raises(ModelError, match=pattern):
        training.check_classes(training.Split(history, is_held_out))
    history.loc[[3_499, 4_999], LABEL] = 1
    training.check_classes(training.Split(history, is_held_out))
