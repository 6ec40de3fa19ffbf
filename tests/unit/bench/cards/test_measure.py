"""The benchmark of cards: what it claims of folds, and that it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fraudstream.bench.cards import figures, measure
from fraudstream.bench.cards.measure import EVENTS, MODELS, REGRESSION, TREES, TREES_ALONE, TREES_OF_QUERY

pytestmark = pytest.mark.timeless


def fold(alone: float, regression: float, trees: float) -> dict[str, Any]:
    precision = dict.fromkeys(MODELS, 0.01) | {TREES_ALONE: alone, REGRESSION: regression, TREES: trees}
    precision[TREES_OF_QUERY] = trees - 0.26
    hidden = {"campaign": "compromised_terminal", "frauds": 40, "base_rate": 0.004}
    stolen = {"campaign": "stolen_card", "frauds": 60, "base_rate": 0.006}
    return {
        "average_precision": precision,
        "campaigns": [
            hidden | {"average_precision": dict.fromkeys(MODELS, 0.006)},
            stolen | {"average_precision": dict.fromkeys(MODELS, 0.3)},
        ],
    }


FOLDS = [fold(0.1, 0.4, 0.5), fold(0.2, 0.5, 0.54)]


def rows_of(share: float) -> Any:
    campaign = np.zeros(1_000, dtype=np.int64)
    campaign[: int(1_000 * share)] = 1
    return type("Rows", (), {"campaign": campaign})


def test_a_gain_is_that_of_the_fold_with_the_least() -> None:
    quality = measure.summarised(FOLDS, rows_of(0.008))
    assert quality["least_gain_over_time"] == pytest.approx(0.34)
    assert quality["least_gain_of_query"] == pytest.approx(0.08)
    assert quality["least_lead_of_trees"] == pytest.approx(0.04)
    assert quality["hidden_share"] == 0.4
    assert quality["hidden_precision_by_base_rate"] == pytest.approx(1.5)
    assert quality["mean"][TREES] == pytest.approx(0.52)


def test_claims_hold_or_not() -> None:
    speed = {
        "contender": EVENTS,
        "events_per_core_second": {"median": 150_000.0},
        "memory_growth_mib": {"median": 3.0},
    }
    broken = [
        bound.claim for bound in measure.held([speed], measure.summarised(FOLDS, rows_of(0.02))) if not bound.holds
    ]
    assert broken == [
        "events a core-second, as events",
        "share of frauds, most",
        "AP gained by the query's features, least of the folds",
        "AP of trees less regression's, least of the folds",
    ]


def test_tables_have_a_cell_for_each_column() -> None:
    results = {"folds": FOLDS, "quality": measure.summarised(FOLDS, rows_of(0.008))}
    models, campaigns = list(figures.models(results)), list(figures.campaigns(results))
    assert [row[0] for row in models] == list(MODELS)
    assert {len(row) for row in models} == {len(figures.COLUMNS)}
    assert campaigns[0] == ("compromised terminal", "40%", "0.006", "0.006", "0.006")
    assert {len(row) for row in campaigns} == {len(figures.CAMPAIGN_COLUMNS)}
