"""The model against the best one possible: the densities are known, so its ceiling can be computed."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score

from fraudstream.generator.simulators.payments.distributions import fraud_probability, sample
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.features import LABEL, matrix
from fraudstream.ml.training.decision import THRESHOLD
from tests.events import renamed


def test_the_model_comes_near_the_ceiling_and_not_above_it() -> None:
    history = renamed(sample(20_000, 21))
    drawn = sample(50_000, 22)
    fresh = renamed(drawn)
    learnt = 14_000
    labels = np.asarray(history[LABEL])
    model = boosting.fit(matrix(history)[:learnt], labels[:learnt], seed=7)

    truth = np.asarray(fresh[LABEL])
    best = fraud_probability(drawn)
    measured = metrics(truth, model.scores(matrix(fresh)), THRESHOLD)
    ceiling = average_precision_score(truth, best)
    rng = np.random.default_rng(1)
    resampled = (rng.integers(0, len(truth), len(truth)) for _ in range(20))
    noise = np.std([average_precision_score(truth[rows], best[rows]) for rows in resampled])
    assert 0.97 * ceiling <= measured["average_precision"] <= ceiling + 3 * noise
    # The first system's figures, and a precision at which its recall counts.
    assert measured["accuracy"] >= 0.9553
    assert measured["recall"] >= 0.675
    assert measured["precision"] >= 0.85
    assert measured["ece"] < 0.01
