"""The score from which a transaction is an alert."""

from __future__ import annotations

import numpy as np

from fraudstream.ml.features import RARE_SHARE

# A missed fraud and a false alert count the same as long as their costs are not known. With calibrated scores this
# threshold then makes the fewest errors.
THRESHOLD = 0.5

_DIGITS = 4


def threshold_for(share: float, scores: np.ndarray) -> float:
    """The threshold for a model that learnt from a ``share`` of frauds, by its scores of other rows, shape (n,).

    Where frauds are rare, hardly any transaction is more likely fraud than not, and the fewest errors are made by
    nearly no alerts. The threshold is then the one that makes as many alerts as there are frauds, so that precision and
    recall are about equal. The rows' labels have no part in it.
    """
    if share >= RARE_SHARE:
        return THRESHOLD
    distinct, counts = np.unique(scores, return_counts=True)
    alerts = np.cumsum(counts[::-1])[::-1]
    # Scores that many rows have in common may be too many alerts at once.
    few = np.flatnonzero(alerts <= max(1.0, share * len(scores)))
    if not len(few) or not few[0] or distinct[few[0]] >= THRESHOLD:
        return THRESHOLD
    least, below = float(distinct[few[0]]), float(distinct[few[0] - 1])
    # Between two scores, so that another program's last digit decides nothing.
    middle = (least + below) / 2
    rounded = float(f"{middle:.{_DIGITS}g}")
    return rounded if below < rounded < least else middle
