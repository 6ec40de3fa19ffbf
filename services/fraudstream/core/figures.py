"""The one quantile."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nearest_rank(count: int, share: float) -> int:
    """The place, from 0, of the nearest-rank quantile ``share`` (0 to 1) among ``count`` ascending values, at least 1.

    The smallest value that at least that share of all values does not exceed.
    """
    # A product such as 0.999 * 1000 may exceed the whole number by its rounding error, a share of the product itself.
    return min(max(math.ceil(share * count * (1 - 1e-15)) - 1, 0), count - 1)


def quantile(ascending: Sequence[float], share: float) -> float | None:
    """The nearest-rank quantile of values in ascending order; None without values."""
    return ascending[nearest_rank(len(ascending), share)] if ascending else None
