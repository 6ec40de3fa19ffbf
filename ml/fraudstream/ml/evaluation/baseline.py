"""What a plain model is worth on the same rows: a model that is hardly better has not earned its trees."""

from __future__ import annotations

import numpy as np

# More rows make no better line, and only cost time.
_MOST_ROWS = 50_000


def logistic(features: np.ndarray, labels: np.ndarray, others: np.ndarray, seed: int) -> np.ndarray:
    """Probabilities of ``others``, shape (n,), by logistic regression on the inputs as they are.

    Missing values are the input's median, with a further input that says so.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if len(labels) > _MOST_ROWS:
        kept = np.sort(np.random.default_rng(seed).choice(len(labels), _MOST_ROWS, replace=False))
        if len(np.unique(labels[kept])) == len(np.unique(labels)):
            features, labels = features[kept], labels[kept]
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    model = make_pipeline(filled, StandardScaler(), LogisticRegression(max_iter=1_000))
    # Several threads wait for each other in a busy loop, which takes long on a loaded machine.
    with threadpool_limits(1):
        model.fit(features, labels)
    return np.asarray(model.predict_proba(others)[:, 1], dtype=np.float64)
