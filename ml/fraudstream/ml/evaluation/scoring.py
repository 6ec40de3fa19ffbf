"""What a registered version gives for rows, whoever made it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import LoadedModel
from fraudstream.ml.failures import one_line


def scores_of(loaded: LoadedModel, rows: pd.DataFrame) -> np.ndarray:
    """The version's probabilities of fraud of the rows, float64, shape (rows,).

    Raises :class:`ModelError` if it does not give one for each: its code may be another program's and raise errors of
    any kind.
    """
    columns = {name: rows[name].tolist() for name in FEATURES}
    try:
        scores = np.asarray(loaded.model.score_columns(columns), dtype=np.float64)
        if scores.shape != (len(rows),) or not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError(f"it gives {scores.ravel()[:3]}")
    except Exception as error:
        raise ModelError(
            f"Version {loaded.version} does not score each of {len(rows):,} transactions ({one_line(error)})."
        ) from error
    return scores
