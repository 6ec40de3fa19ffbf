"""Every figure of a version is in one object, which JSON can hold, and those of a run are in its metrics."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fraudstream.ml.evaluation.costs import ERRORS, RowCosts
from fraudstream.ml.evaluation.held_out import COST, COST_WITHOUT, Decided, Rows, by_campaign, cost_curve, evaluate

RNG = np.random.default_rng(12)
COUNT = 4_000
LABELS = (RNG.random(COUNT) < 0.1).astype(int)
SCORES = np.clip(LABELS * 0.5 + RNG.random(COUNT) * 0.5, 0, 1)
ROWS = Rows(
    LABELS,
    np.arange(COUNT) * 60_000,
    RNG.uniform(1, 200, COUNT),
    campaigns=np.where(LABELS == 1, np.where(np.arange(COUNT) % 2 == 0, "ring", ""), "").astype(object),
)


def test_the_object_can_be_written_and_holds_what_the_pages_draw() -> None:
    evaluation = evaluate(ROWS, Decided(SCORES, 0.5), 7, {"amount": 0.5, "income": 0.7})
    document = json.loads(json.dumps(evaluation.document, allow_nan=False))
    assert list(document["importance"]) == ["income", "amount"]
    assert document["frauds"] == LABELS.sum()
    assert sum(bin["count"] for bin in document["reliability"]) == COUNT
    assert document["intervals"]["average_precision"]["value"] == pytest.approx(evaluation.metrics["average_precision"])
    for name in ("average_precision", "recall_at_5pct_fpr", COST):
        assert evaluation.metrics[f"{name}_low"] <= evaluation.metrics[name] <= evaluation.metrics[f"{name}_high"]


def test_the_cost_at_the_threshold_is_on_the_curve_of_all_thresholds() -> None:
    metrics = evaluate(ROWS, Decided(SCORES, 0.5), 7).metrics
    curve = cost_curve(ROWS, SCORES, RowCosts.of(ERRORS, ROWS.amounts))
    at = next(point for point in curve if point["threshold"] == 0.5)
    assert at[COST] == pytest.approx(metrics[COST])
    assert metrics[COST] == pytest.approx(1_000 * (1 - metrics["accuracy"]))
    assert metrics[COST_WITHOUT] == pytest.approx(1_000 * LABELS.mean())


def test_each_campaign_has_its_own_frauds() -> None:
    figures = by_campaign(ROWS, SCORES, 0.5)
    assert set(figures) == {"ring", ""}
    assert sum(of["frauds"] for of in figures.values()) == LABELS.sum()
    nothing = by_campaign(Rows(LABELS, ROWS.moments, ROWS.amounts), SCORES, 0.5)
    assert nothing == {}
