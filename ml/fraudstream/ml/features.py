"""How events become the models' inputs: the same ordinal codes for every algorithm, taken from the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import FEATURE_RULES, FEATURES
from fraudstream.core.contract.event import ID as ID
from fraudstream.core.contract.event import LABEL as LABEL

CODES: dict[str, dict[str, int]] = {
    name: {value: code for code, value in enumerate(FEATURE_RULES[name].known_values)}
    for name in FEATURES
    if FEATURE_RULES[name].kind == "text"
}

# XGBoost and the stream job's trees compute in single precision, where a larger number is infinite.
LARGEST = float(np.finfo(np.float32).max)

TEST_SHARE = 0.3
# Folds of the validation within the rows that are learnt from.
FOLDS = 3

# With a smaller share of frauds than this, they count as rare.
RARE_SHARE = 0.02

# The column of the moment by which rows are ordered, in milliseconds since 1970; a document's field of that name.
EVENT_TIME = "event_time"
HOUR_MS = 60 * 60 * 1000


def moment_text(milliseconds: int) -> str:
    """A moment in UTC, ISO 8601, of its milliseconds since 1970."""
    return f"{np.datetime64(int(milliseconds), 'ms')}Z"


def matrix(columns: Mapping[str, Any] | pd.DataFrame) -> np.ndarray:
    """The inputs in the project's order, float64, shape (n, inputs); what is missing or not listed is NaN."""
    # Imported here: what reads the history in Spark's workers needs no MLflow, whose import takes seconds.
    from fraudstream.ml.model_code import encode

    return encode(columns, FEATURES, CODES)
