"""Shares, their uncertainty, and quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudstream.core.figures import nearest_rank

_Z_95 = 1.959963984540054


def share(part: float, whole: float) -> float | None:
    """``part / whole``; None if ``whole`` is 0, or either of them is not finite."""
    if not whole or not math.isfinite(part) or not math.isfinite(whole):
        return None
    return part / whole


def wilson_band(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of a proportion, within 0–1; None without trials."""
    if trials == 0:
        return None
    rate = successes / trials
    spread = _Z_95**2 / trials
    centre = (rate + spread / 2) / (1 + spread)
    half = _Z_95 / (1 + spread) * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    # Without a success, or without a failure, one bound is exact: rounding must not move it past the proportion.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def quantile(values: NDArray[Any], part: float) -> float | None:
    """The nearest-rank quantile ``part`` (0 to 1) of values in any order; None without values."""
    return quantiles(values, (part,))[0] if len(values) else None


def quantiles(values: NDArray[Any], parts: Sequence[float]) -> tuple[float, ...]:
    """Several nearest-rank quantiles (0 to 1) of values in any order, at least one value."""
    ranks = [nearest_rank(len(values), part) for part in parts]
    return tuple(np.partition(values, ranks)[ranks].tolist())
