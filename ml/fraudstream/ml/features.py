"""How events become the models' inputs: the same ordinal codes for every algorithm, taken from the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import ENTITIES, FEATURES, PROJECT, RULES
from fraudstream.core.contract.event import ID as ID
from fraudstream.core.contract.event import LABEL as LABEL

CODES: dict[str, dict[str, int]] = {
    name: {value: code for code, value in enumerate(RULES[name].known_values)}
    for name in FEATURES
    if RULES[name].kind == "text"
}

# XGBoost and the stream job's trees compute in single precision, where a larger number is infinite.
LARGEST = float(np.finfo(np.float32).max)

TEST_SHARE = 0.3
# Folds of the cross-validation within the training rows. Each needs a transaction of each class.
FOLDS = 3

# With a smaller share of frauds than this, they count as rare.
RARE_SHARE = 0.02

# Transactions of one card or terminal resemble each other, and those of a file drift: the later ones are then held
# out, so that a model is measured on what it will be used for. Without either, each transaction stands for itself.
IS_ORDERED = bool(ENTITIES) or PROJECT.definition.source.file is not None
# The column of the moment by which they are ordered, in milliseconds since 1970; a document's field of that name.
EVENT_TIME = "event_time"


def matrix(columns: Mapping[str, Any] | pd.DataFrame) -> np.ndarray:
    """The inputs in the project's order, float64, shape (n, inputs); what is missing or not listed is NaN."""
    # Imported here: what reads the history in Spark's workers needs no MLflow, whose import takes seconds.
    from fraudstream.ml.model_code import encode

    return encode(columns, FEATURES, CODES)


def held_out(history: pd.DataFrame) -> np.ndarray:
    """Which rows of a history no model learns from, bool, shape (n,): of each class the latest, or by their ids."""
    if IS_ORDERED:
        return latest(history[EVENT_TIME].to_numpy(), history[LABEL].to_numpy())
    return in_test(history[ID].to_numpy())


def latest(moments: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The last :data:`TEST_SHARE` of each class in the order of time, so that rare frauds are in both parts."""
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        in_order = rows[np.argsort(moments[rows], kind="stable")]
        chosen[in_order[len(rows) - round(TEST_SHARE * len(rows)) :]] = True
    return chosen


def in_test(ids: Sequence[int] | Sequence[str] | np.ndarray) -> np.ndarray:
    """Which transactions are held out, bool, shape (n,). The id alone decides, so every training holds out the same.

    A model that was trained earlier has therefore not learnt from the rows that a later one is tested on. The hash of
    an integer is SplitMix64's finaliser (Steele, Lea and Flood, 2014); a text is made an integer by BLAKE2b first.
    """
    numbers = ids if RULES[ID].kind == "int" else [_number(str(text)) for text in ids]
    mixed = np.asarray(numbers, dtype=np.int64).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray(mixed < np.uint64(int(TEST_SHARE * 2**64)))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
