"""How events become the models' inputs: the same ordinal codes for every algorithm, taken from the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
from fraudstream.core.contract.event import ID as ID
from fraudstream.core.contract.event import LABEL as LABEL

CODES: dict[str, dict[str, int]] = {
    rule.name: {choice: code for code, choice in enumerate(rule.choices)}
    for rule in FIELD_RULES
    if rule.name in FEATURES and rule.kind == "text"
}

TEST_SHARE = 0.3
# Folds of the cross-validation within the training rows. Each needs a transaction of each class.
FOLDS = 3


def matrix(columns: Mapping[str, Sequence[Any]] | pd.DataFrame) -> np.ndarray:
    """The features in the contract's order, float64, shape (n, 12)."""
    encoded = [
        np.array([CODES[name][value] for value in columns[name]], dtype=np.float64)
        if name in CODES
        else np.asarray(columns[name], dtype=np.float64)
        for name in FEATURES
    ]
    return np.column_stack(encoded)


def in_test(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """Which transactions are held out, bool, shape (n,). The id alone decides, so every training holds out the same.

    A model that was trained earlier has therefore not learnt from the rows that a later one is tested on. The hash is
    SplitMix64's finaliser (Steele, Lea and Flood, 2014).
    """
    mixed = np.asarray(ids, dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray(mixed < np.uint64(int(TEST_SHARE * 2**64)))
