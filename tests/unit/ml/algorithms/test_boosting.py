"""The depth and the number of trees are those that later rows ask for, and every training chooses the same."""

from __future__ import annotations

import numpy as np
import pytest

from fraudstream.core.errors import ModelError
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.algorithms.folds import forward
from fraudstream.ml.algorithms.search import searching
from fraudstream.ml.features import HOUR_MS


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(boosting.PARAMETERS, "n_estimators", 120)
    monkeypatch.setattr(boosting, "DEPTHS", (1, 3))


def drawn(count: int, seed: int, *, together: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two inputs that say something each for itself, or only ``together``."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3))
    odds = 4 * np.sign(features[:, 0] * features[:, 1]) if together else 2 * (features[:, 0] + features[:, 1])
    return features, (rng.random(count) < 1 / (1 + np.exp(2 - odds))).astype(int)


@pytest.mark.parametrize(("together", "depth"), [(False, 1), (True, 3)])
def test_the_depth_is_that_of_the_inputs_interactions(together: bool, depth: int) -> None:
    fitted = boosting.fit(*drawn(3_000, 1, together=together), seed=7)
    assert fitted.parameters["max_depth"] == depth
    assert set(fitted.validated) == {1, 3}


def test_trees_end_where_they_bring_nothing_more() -> None:
    features, labels = drawn(600, 2, together=True)
    fitted = boosting.fit(features, labels, seed=7)
    assert fitted.parameters["n_estimators"] < 120
    assert fitted.model.get_booster().num_boosted_rounds() == fitted.parameters["n_estimators"]


def test_a_training_is_the_same_again() -> None:
    features, labels = drawn(1_500, 3, together=False)
    first, again = (boosting.fit(features, labels, seed=7) for _ in range(2))
    assert first.portable() == again.portable()
    assert first.portable() != boosting.fit(features, labels, seed=8).portable()


def test_scores_beside_the_model_are_of_later_rows_alone() -> None:
    features, labels = drawn(1_500, 4, together=False)
    validation = boosting.fit(features, labels, seed=7).validation
    assert validation is not None
    assert np.array_equal(validation.labels, labels[validation.rows])
    # The last three fifths of the frauds.
    assert labels[validation.rows].sum() == pytest.approx(0.6 * labels.sum(), abs=1)
    assert validation.rows.max() == 1_499


def test_folds_look_ahead_over_the_labels_delay() -> None:
    labels = np.arange(1_000) % 10 == 0
    moments = np.arange(1_000)
    for fold in forward(labels.astype(int), moments, delay_ms=50):
        assert fold.learnt.max() + 50 <= fold.later.min()
    without = forward(labels.astype(int))
    assert [len(fold.later) for fold in without] == [200, 200, 200]
    assert [fold.learnt.max() + 1 for fold in without] == [fold.later.min() for fold in without]


def test_where_no_label_was_known_in_time_that_is_told() -> None:
    features, labels = drawn(1_000, 5, together=False)
    with pytest.raises(ModelError, match=r"1,000 transactions to learn from.* labels come 300 hours late"):
        boosting.fit(features, labels, 7, HOUR_MS // 60 * np.arange(1_000), delay_ms=300 * HOUR_MS)


def test_a_search_begins_from_parameters_beyond_its_own() -> None:
    # Of so rare frauds, a child of the defaults weighs less than any that is proposed.
    features = np.random.default_rng(9).normal(size=(5_000, 3))
    labels = np.zeros(5_000, dtype=int)
    labels[::1_250] = 1
    fitted = boosting.fit(features, labels, 7, search=searching(600, 1, 7))
    assert fitted.figures["cv_candidates"] == 3


def test_a_search_is_bound_by_its_trials_and_repeatable() -> None:
    features, labels = drawn(1_200, 5, together=True)
    first, again = (boosting.fit(features, labels, 7, search=searching(600, 3, 7)) for _ in range(2))
    assert first.figures["cv_candidates"] == 5
    assert first.parameters == again.parameters
    assert first.figures["cv_log_loss"] <= boosting.fit(features, labels, 7).figures["cv_log_loss"]


def test_a_search_ends_with_its_seconds() -> None:
    ticks = iter(range(100))
    features, labels = drawn(600, 6, together=False)
    fitted = boosting.fit(features, labels, 7, search=searching(2, None, 7, clock=lambda: next(ticks)))
    # Asked at the first second, the second one and the third: one batch of two.
    assert fitted.figures["cv_candidates"] == 4
