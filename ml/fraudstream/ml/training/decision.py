"""From which score a transaction is an alert, and from which it is refused at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudstream.core.project.definition import ModelInputs
from fraudstream.ml.evaluation.costs import RowCosts, depend_on_amounts
from fraudstream.ml.features import RARE_SHARE

# A missed fraud and a false alert count the same as long as their costs are not known. With calibrated scores this
# threshold then makes the fewest errors.
THRESHOLD = 0.5

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Bands:
    """Below ``threshold`` a transaction is approved, from it on it is an alert.

    From ``decline_from`` on it is refused without a review; None where no score is high enough for that, or where
    reviews have no price.
    """

    threshold: float
    decline_from: float | None = None

    def of(self, score: float) -> str:
        """`approve`, `review` or `decline`."""
        if score < self.threshold:
            return "approve"
        return "decline" if self.decline_from is not None and score >= self.decline_from else "review"


@dataclass(frozen=True, slots=True)
class Scored:
    """Distinct scores, ascending, with how many rows have each and what those rows gain by an alert.

    Shapes are (distinct,); rows that stand for several count as many.
    """

    distinct: np.ndarray
    counts: np.ndarray
    members: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, weights: np.ndarray | None) -> Scored:
        distinct, members = np.unique(scores, return_inverse=True)
        return cls(distinct, np.bincount(members, weights=weights).astype(np.float64), members)

    def alerts_from(self) -> np.ndarray:
        """How many rows each score and those above it have."""
        return np.cumsum(self.counts[::-1])[::-1]

    def cheapest(self, gains: np.ndarray) -> float:
        """The threshold at which the gains of the rows at or above it, shape (rows,), are most; 1 if none gains."""
        total = np.cumsum(np.bincount(self.members, weights=gains)[::-1])[::-1]
        best = len(total) - 1 - int(np.argmax(total[::-1]))
        return self.above(best) if total[best] > 0 else 1.0

    def above(self, place: int) -> float:
        """A threshold that makes alerts of this score and those above it."""
        least, below = float(self.distinct[place]), float(self.distinct[place - 1]) if place else 0.0
        # Between two scores, so that another program's last digit decides nothing.
        middle = (least + below) / 2
        rounded = float(f"{middle:.{_DIGITS}g}")
        return rounded if below < rounded < least else middle

    def within(self, threshold: float, budget: float | None) -> float:
        """The threshold, or a higher one at which no more than the ``budget``, a share of the rows, are alerts."""
        if budget is None:
            return threshold
        allowed = np.flatnonzero(self.alerts_from() <= budget * self.counts.sum())
        # Where more rows than that have the highest score, nothing is an alert.
        return max(threshold, self.above(int(allowed[0])) if len(allowed) else 1.0)


def bands_for(
    share: float, scores: np.ndarray, amounts: np.ndarray, wanted: ModelInputs, weights: np.ndarray | None = None
) -> Bands:
    """The bands for a model that learnt from a ``share`` of frauds.

    ``scores`` are its probabilities of rows that it did not learn from, shape (n,), ``amounts`` the rows' amounts, and
    ``weights`` how many rows each stands for. The probabilities take the place of labels, so that a few frauds do not
    decide by chance: each threshold is the one at which the expected costs are least.
    """
    scored = Scored.of(scores, weights)
    if wanted.costs is None:
        return Bands(scored.within(threshold_for(share, scores, weights), wanted.alert_budget))
    costs = RowCosts.of(wanted.costs, amounts)
    counted = np.ones(len(scores)) if weights is None else weights
    missed, wrong = counted * scores * costs.missed, counted * (1 - scores) * costs.false_alert
    if costs.review is None:
        total = wanted.costs.missed_fraud + wanted.costs.false_alert
        if total > 0 and not depend_on_amounts(wanted.costs):
            # Bayes' rule: an alert costs as much as none.
            return Bands(scored.within(wanted.costs.false_alert / total, wanted.alert_budget))
        return Bands(scored.within(scored.cheapest(missed - wrong), wanted.alert_budget))
    review = counted * costs.review
    threshold = scored.within(scored.cheapest(missed - np.minimum(wrong, review)), wanted.alert_budget)
    decline_from = scored.cheapest(review - wrong)
    return Bands(threshold, max(decline_from, threshold) if decline_from < 1 else None)


def threshold_for(share: float, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The threshold where no costs are known, by the scores of rows that were not learnt from, shape (n,).

    Where frauds are rare, hardly any transaction is more likely fraud than not, and the fewest errors are made by
    nearly no alerts. The threshold is then the one that makes as many alerts as there are frauds, so that precision and
    recall are about equal. The rows' labels have no part in it.
    """
    if share >= RARE_SHARE:
        return THRESHOLD
    scored = Scored.of(scores, weights)
    # Scores that many rows have in common may be too many alerts at once.
    few = np.flatnonzero(scored.alerts_from() <= max(1.0, share * scored.counts.sum()))
    if not len(few) or not few[0] or scored.distinct[few[0]] >= THRESHOLD:
        return THRESHOLD
    return scored.above(int(few[0]))
