"""What decisions cost, in the money of the amounts: the project's cost matrix over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudstream.core.project.definition import Costs

# As long as no costs are known, a missed fraud and a false alert count the same: the cost is the number of errors.
ERRORS = Costs()


@dataclass(frozen=True, slots=True)
class RowCosts:
    """The costs of each row, float64, shape (n,): of a fraud that is let pass, and of a wrong alert.

    ``review`` is what it costs that a person looks at an alert; None where nobody does, and an alert is a refusal.
    """

    missed: np.ndarray
    false_alert: np.ndarray
    review: float | None = None

    @classmethod
    def of(cls, costs: Costs, amounts: np.ndarray) -> RowCosts:
        """The costs of rows with these amounts, shape (n,)."""
        return cls(
            costs.missed_fraud + costs.missed_fraud_of_amount * amounts,
            costs.false_alert + costs.false_alert_of_amount * amounts,
            costs.review,
        )

    def of_alerts(self, labels: np.ndarray, alerts: np.ndarray, declined: np.ndarray | None = None) -> np.ndarray:
        """What each row costs when ``alerts``, bool, shape (n,), are raised.

        Alerts are reviewed where a review has a price, but for those that are ``declined`` at once. A review costs the
        same whatever it finds.
        """
        refused = alerts if self.review is None else np.zeros_like(alerts) if declined is None else declined
        cost = np.where(refused, (labels == 0) * self.false_alert, (labels == 1) * self.missed)
        return cost if self.review is None else np.where(alerts & ~refused, self.review, cost)


def depend_on_amounts(costs: Costs) -> bool:
    """Whether a row's amount has a part in its costs."""
    return bool(costs.missed_fraud_of_amount or costs.false_alert_of_amount)
