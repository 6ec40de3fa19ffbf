"""The nearest-rank quantile: a value that occurred, and the first that the share does not exceed."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from fraudstream.core.figures import nearest_rank, quantile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 21)], 0.95, 19.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 0.0, 1.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_known_values(values: list[float], share: float, expected: float | None) -> None:
    assert quantile(values, share) == expected


def test_as_numpy_has_it() -> None:
    rng = random.Random(1)
    for _ in range(500):
        values = sorted(rng.random() for _ in range(rng.randrange(1, 60)))
        share = rng.choice((0.5, 0.9, 0.95, 0.99))
        assert quantile(values, share) == np.quantile(values, share, method="inverted_cdf")


def test_a_rank_is_a_place() -> None:
    assert all(0 <= nearest_rank(count, share) < count for count in range(1, 200) for share in (0, 0.5, 0.95, 1))
    assert nearest_rank(200, 0.95) == math.ceil(0.95 * 200) - 1


def test_a_rounding_error_moves_no_rank_however_many_values_there_are() -> None:
    for count in (*range(1, 2_000), 10**6, 57 * 10**6, 10**8, 10**9):
        for percent in ("5", "50", "95", "99", "99.9", "99.99"):
            exact = math.ceil(Fraction(percent) / 100 * count) - 1
            assert nearest_rank(count, float(percent) / 100) == exact
