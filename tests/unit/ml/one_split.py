"""Spark ML's trees as they are exported: one, that splits once."""

from __future__ import annotations

import numpy as np

# The first input, at 100: log-odds of -1 up to it, and of 1 above.
ONE_SPLIT = {
    "feature": np.array([[0, 0, 0]]),
    "threshold": np.array([[100.0, 0, 0]]),
    "left": np.array([[1, 1, 2]]),
    "right": np.array([[2, 1, 2]]),
    "value": np.array([[0.0, -0.5, 0.5]]),
    "weight": np.array([1.0]),
    "depth": np.array(1),
}
