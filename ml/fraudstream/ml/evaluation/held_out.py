"""A model on rows that it did not learn from: every figure of the field, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import AMOUNT, PROJECT
from fraudstream.core.project.definition import Costs
from fraudstream.ml.evaluation.costs import ERRORS, RowCosts
from fraudstream.ml.evaluation.entities import LISTED, precision_at
from fraudstream.ml.evaluation.metrics import expected_calibration_error, metrics, reliability
from fraudstream.ml.evaluation.ranking import Ranking
from fraudstream.ml.evaluation.resampling import Interval, Statistic, intervals
from fraudstream.ml.features import EVENT_TIME, LABEL
from fraudstream.ml.usable import CAMPAIGN, ENTITY

EVALUATION_FILE = "evaluation.json"
CURVE_POINTS = 200
COST_POINTS = 100
_PER = 1_000
# What is logged beside the figure itself, as NAME_low and NAME_high.
WITH_INTERVALS = ("average_precision", "roc_auc", "recall_at_1pct_fpr", "recall_at_5pct_fpr", "brier", "ece")
COST = f"cost_per_{_PER}"
COST_WITHOUT = f"cost_without_model_per_{_PER}"
LISTED_PRECISION = f"{'card' if ENTITY else 'daily'}_precision_at_{LISTED}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows: labels 0/1, ``moments`` in milliseconds since 1970, amounts, and whose they are.

    ``entities`` and ``campaigns`` are texts, or None where the project names none; all of shape (n,).
    """

    labels: np.ndarray
    moments: np.ndarray
    amounts: np.ndarray
    entities: np.ndarray | None = None
    campaigns: np.ndarray | None = None

    @classmethod
    def of(cls, history: pd.DataFrame) -> Rows:
        """The rows of a history, whose columns are :data:`fraudstream.ml.usable.COLUMNS`."""
        return cls(
            history[LABEL].to_numpy(),
            history[EVENT_TIME].to_numpy(),
            history[AMOUNT].to_numpy(dtype=np.float64),
            None if ENTITY is None else history[ENTITY].astype(str).to_numpy(dtype=object),
            None if CAMPAIGN is None else history[CAMPAIGN].fillna("").astype(str).to_numpy(dtype=object),
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """Scores of rows, shape (n,), and the bands that are applied to them."""

    scores: np.ndarray
    threshold: float
    decline_from: float | None = None

    @property
    def alerts(self) -> np.ndarray:
        return self.scores >= self.threshold

    @property
    def declined(self) -> np.ndarray | None:
        return None if self.decline_from is None else self.scores >= self.decline_from


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``metrics`` are for a run, ``document`` is the whole as a JSON-ready object."""

    metrics: dict[str, float]
    document: dict[str, Any]


def project_costs() -> Costs:
    """The project's costs; without them each error counts 1."""
    return PROJECT.definition.model.costs or ERRORS


def evaluate(rows: Rows, decided: Decided, seed: int, importance: Mapping[str, float] | None = None) -> Evaluation:
    """Every figure of the decisions on the rows. ``importance`` is the mean absolute contribution of each input."""
    measured = metrics(rows.labels, decided.scores, decided.threshold)
    costs = RowCosts.of(project_costs(), rows.amounts)
    with_bounds = intervals(statistic_of(rows, decided, costs), len(rows.labels), seed, rows.entities)
    measured |= {
        LISTED_PRECISION: precision_at(rows.labels, decided.scores, rows.moments, rows.entities),
        COST: with_bounds[COST].value,
        COST_WITHOUT: _per_thousand(costs.of_alerts(rows.labels, np.zeros(len(rows.labels), dtype=bool))),
    }
    for name in (*WITH_INTERVALS, COST):
        measured |= _bounds(name, with_bounds[name])
    document = {
        "metrics": {name: _number(value) for name, value in measured.items()},
        "intervals": {name: interval.to_json() for name, interval in with_bounds.items()},
        "rows": len(rows.labels),
        "frauds": int(rows.labels.sum()),
        "first": int(rows.moments.min()),
        "last": int(rows.moments.max()),
        "bands": {"threshold": decided.threshold, "decline_from": decided.decline_from},
        "costs": project_costs().model_dump(),
        "costs_are_known": PROJECT.definition.model.costs is not None,
        "alert_budget": PROJECT.definition.model.alert_budget,
        "curves": Ranking(rows.labels, decided.scores).curves(CURVE_POINTS),
        "reliability": reliability(rows.labels, decided.scores),
        "cost_curve": cost_curve(rows, decided.scores, costs),
        "campaigns": by_campaign(rows, decided.scores, decided.threshold),
        "importance": dict(sorted((importance or {}).items(), key=lambda item: -item[1])),
    }
    return Evaluation({name: value for name, value in measured.items() if not math.isnan(value)}, document)


def statistic_of(rows: Rows, decided: Decided, costs: RowCosts) -> Statistic:
    """The figures that have intervals, of any weights of the rows."""
    ranking = Ranking(rows.labels, decided.scores)
    errors = (decided.scores - rows.labels) ** 2
    spent = costs.of_alerts(rows.labels, decided.alerts, decided.declined)

    def statistic(weights: np.ndarray | None) -> dict[str, float]:
        return {
            **ranking.figures(weights),
            "brier": _mean(errors, weights),
            "ece": expected_calibration_error(rows.labels, decided.scores, weights),
            COST: _per_thousand(spent, weights),
        }

    return statistic


def cost_curve(rows: Rows, scores: np.ndarray, costs: RowCosts) -> list[dict[str, float]]:
    """What other thresholds would have cost: each with the share of alerts, precision, recall and cost, ascending.

    Every alert is reviewed where a review has a price.
    """
    total = max(int(rows.labels.sum()), 1)
    # More of them where scores are high: nobody asks what a threshold in the bulk of the rows would cost.
    shares = 1 - np.geomspace(0.5, max(1 / len(scores), 1e-4), COST_POINTS)
    points = []
    for threshold in np.unique(np.append(np.quantile(scores, shares), 0.5)):
        alerts = scores >= threshold
        count, frauds = int(alerts.sum()), int(rows.labels[alerts].sum())
        points.append(
            {
                "threshold": float(threshold),
                "alert_share": count / len(scores),
                "precision": frauds / count if count else 0.0,
                "recall": frauds / total,
                COST: _per_thousand(costs.of_alerts(rows.labels, alerts)),
            }
        )
    return points


def by_campaign(rows: Rows, scores: np.ndarray, threshold: float) -> dict[str, dict[str, float]]:
    """Of each campaign its frauds, the share of them that were alerts, and the average precision against no fraud.

    Frauds whose labels name no campaign have the empty name. Empty where the project names no campaigns.
    """
    if rows.campaigns is None:
        return {}
    legitimate = rows.labels == 0
    figures = {}
    for name in sorted(set(rows.campaigns[~legitimate].tolist())):
        frauds = ~legitimate & (rows.campaigns == name)
        both = legitimate | frauds
        figures[name] = {
            "frauds": float(frauds.sum()),
            "recall": float((scores[frauds] >= threshold).mean()),
            "average_precision": Ranking(rows.labels[both], scores[both]).average_precision(),
        }
    return figures


def _per_thousand(spent: np.ndarray, weights: np.ndarray | None = None) -> float:
    return _mean(spent, weights) * _PER


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    return float(values.mean()) if weights is None else float((values * weights).sum()) / float(weights.sum())


def _bounds(name: str, interval: Interval) -> dict[str, float]:
    return {f"{name}_low": interval.low, f"{name}_high": interval.high}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
