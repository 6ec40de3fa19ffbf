"""How well one column alone tells the label: useful where well, a leak where too well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudstream.generator.onboarding.profile import Profile

Doubles = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Codes = np.ndarray[Any, np.dtype[np.integer[Any]]]

# A column with an average precision above this by itself is made of the label, or is the label under another name.
MOST_PRECISION = 0.95
# With fewer frauds in a half, a high figure is chance.
_LEAST_FRAUDS = 5
# Values stand for the average of all rows as well as for their own, as so many rows would.
_SMOOTHING = 10.0
# Columns of more values are not counted value by value.
_MOST_VALUES = 20_000
# A mark of fraud is rare; where most rows have one, a fraud among them is no surprise.
_MOST_MARKED = 0.5


@dataclass(frozen=True, slots=True)
class Strength:
    """What a column alone tells: ``precision`` is an average precision, ``leak`` says why it is one, empty if none."""

    precision: float
    leak: str = ""


def average_precision(scores: Doubles, frauds: Flags) -> float:
    """The average precision of scores, rows of the same score taken together; 0 without a fraud."""
    return _of_ranking(scores, frauds, np.argsort(-scores))


def _of_ranking(scores: Doubles, frauds: Flags, order: np.ndarray[Any, np.dtype[np.intp]]) -> float:
    total = int(frauds.sum())
    if not total:
        return 0.0
    ranked, hits = scores[order], frauds[order]
    ends = np.append(np.nonzero(ranked[1:] != ranked[:-1])[0], len(ranked) - 1)
    true_positives = np.cumsum(hits)[ends]
    precision = true_positives / (ends + 1)
    return float(np.sum(np.diff(np.append(0, true_positives)) * precision) / total)


def strength(profile: Profile, labels: Doubles) -> Strength:
    """How well a column tells the labels (1, 0, NaN for an unknown one)."""
    known = ~np.isnan(labels)
    frauds = labels[known] == 1
    if profile.type in ("empty", "array", "mixed") or not frauds.any():
        return Strength(0.0)
    best = 0.0
    if profile.is_numeric or profile.type == "boolean":
        numbers = profile.numbers[known]
        if mark := _mark(profile, numbers, frauds):
            return Strength(1.0, mark)
        best = _of_order(numbers, frauds)
    if not profile.is_measured and profile.distinct <= _MOST_VALUES:
        best = max(best, _of_values(profile.column.codes[known], frauds))
    if best > MOST_PRECISION and int(frauds.sum()) >= 2 * _LEAST_FRAUDS:
        return Strength(best, f"alone it tells the label with an average precision of {best:.3f}")
    return Strength(best)


def _mark(profile: Profile, numbers: Doubles, frauds: Flags) -> str:
    """Why a column marks frauds: it is 0 or missing wherever there is none."""
    marked = ~np.isnan(numbers) & (numbers != 0)
    count = int(marked.sum())
    if count and frauds[marked].all() and count <= _MOST_MARKED * len(frauds):
        if count >= _LEAST_FRAUDS:
            return f"it is other than 0 in {count:,} rows, and all of them are frauds"
        if "fraud" in profile.name.lower():
            return f"its name tells of fraud, and all {count:,} rows that have it are frauds"
    if "fraud" in profile.name.lower() and profile.distinct <= 1:
        return "its name tells of fraud, and no row looked at differs"
    return ""


def _of_order(numbers: Doubles, frauds: Flags) -> float:
    """The better one of ascending and descending numbers; missing ones are the least."""
    filled = np.where(np.isnan(numbers), -np.inf, numbers)
    order = np.argsort(filled)
    return max(_of_ranking(filled, frauds, order), _of_ranking(filled, frauds, order[::-1]))


def _of_values(coded: Codes, frauds: Flags) -> float:
    """The average precision of each value's share of frauds, learnt from one half of the rows, on the other half.

    ``coded``: for each row the number of its value.
    """
    # Drawn, because files may repeat in any rhythm.
    is_learnt = np.random.default_rng(0).random(len(coded)) < 0.5
    learnt, held_out = coded[is_learnt], coded[~is_learnt]
    known, asked = frauds[is_learnt], frauds[~is_learnt]
    if known.sum() < _LEAST_FRAUDS or asked.sum() < _LEAST_FRAUDS:
        return 0.0
    share, count = known.mean(), int(coded.max()) + 1
    rows = np.bincount(learnt, minlength=count)
    fraud_counts = np.bincount(learnt, weights=known, minlength=count)
    shares = (fraud_counts + _SMOOTHING * share) / (rows + _SMOOTHING)
    return average_precision(shares[held_out], asked)
