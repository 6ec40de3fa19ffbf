"""Whether a window of transactions differs from the reference by more than chance allows.

Of each input and of the score: the population stability index over cells, and the Kolmogorov-Smirnov distance. A fixed
limit of the index, such as the customary 0.1, is no test: without any drift it is distributed as (1/n + 1/m) times
chi-squared with B - 1 degrees of freedom, for n and m rows in B cells, so that small windows mostly exceed it and large
ones never do. Of the score also its mean, which is the share of frauds that is expected, and the share of alerts; and
of transactions whose labels are known the share of each campaign.

Each limit comes from the rows and from the stated rate of false alarms, which is divided among all measures
(Bonferroni), and is widened by the design effect that was measured within the reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from fraudstream.ml.monitoring import FALSE_ALARMS
from fraudstream.ml.monitoring.reference import SCORE, Column, Mean, Rate, Reference, design_at

ALERTS, CAMPAIGN = "alerts", "campaign"

_CELLS = 10
# In a cell of fewer expected rows the index is no longer distributed as chi-squared.
_LEAST_EXPECTED = 20.0


@dataclass(frozen=True, slots=True)
class Window:
    """Transactions of a stretch of time.

    ``inputs`` are the model's inputs by name, float64, each of shape (rows,). ``scores`` and ``alerts`` (bool) are
    those of the rows that the reference's model scored. ``campaigns`` are the frauds of each campaign among the
    ``labelled`` rows whose labels are known.
    """

    inputs: Mapping[str, np.ndarray]
    scores: np.ndarray
    alerts: np.ndarray
    labelled: int = 0
    campaigns: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return max((len(values) for values in self.inputs.values()), default=len(self.scores))


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of one thing: its value, and the limit beyond which chance is no explanation.

    ``psi`` and ``ks`` are distances; ``mean``, ``alerts`` and ``campaign`` are standard deviations from what was
    expected.
    """

    name: str
    measure: str
    value: float
    limit: float

    @property
    def drifted(self) -> bool:
        return self.value > self.limit

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return asdict(self) | {"drifted": self.drifted}


@dataclass(frozen=True, slots=True)
class Drift:
    """All measures of a window, and the share of windows without drift in which any of them is beyond its limit."""

    false_alarms: float
    measures: tuple[Measure, ...]

    @property
    def drifted(self) -> tuple[Measure, ...]:
        """The measures beyond their limits, the furthest first."""
        beyond = [measure for measure in self.measures if measure.drifted]
        return tuple(sorted(beyond, key=lambda measure: -measure.value / measure.limit))

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return {
            "false_alarms": self.false_alarms,
            "drifted": list(dict.fromkeys(measure.name for measure in self.drifted)),
            "measures": [measure.to_json() for measure in self.measures],
        }


def check(reference: Reference, window: Window, false_alarms: float = FALSE_ALARMS) -> Drift:
    """Hold a window against the reference. What one of them does not know is left out.

    Inputs, the score and the campaigns share the false alarms equally, as far as they are there.
    """
    inputs = {name: values for name, values in window.inputs.items() if name in reference.columns and len(values)}
    campaigns = reference.campaigns if window.labelled else {}
    parts = sum(map(bool, (inputs, len(window.scores), campaigns)))
    share = false_alarms / max(parts, 1)
    measures: list[Measure] = []
    for name, values in inputs.items():
        measures += _of_column(reference.columns[name], values, share / (2 * len(inputs)))
    if len(window.scores):
        each = share / 4
        measures += _of_column(reference.columns[SCORE], window.scores, each)
        measures.append(_of_mean(SCORE, reference.score, window.scores, each))
        measures.append(_of_rate(ALERTS, ALERTS, reference.alerts, int(window.alerts.sum()), len(window.alerts), each))
    for name, rate in campaigns.items():
        count = window.campaigns.get(name, 0)
        measures.append(_of_rate(name, CAMPAIGN, rate, count, window.labelled, share / len(campaigns)))
    return Drift(false_alarms, tuple(measures))


def _of_column(column: Column, values: np.ndarray, alpha: float) -> Iterator[Measure]:
    counts, before = column.count(values), np.asarray(column.counts)
    design = design_at(column.design, len(values))
    yield _index(column.name, before, counts, design, alpha)
    # Those without a value have no place in the order of the others: they are in the index alone.
    there, then = counts[:-1], before[:-1]
    if there.sum() and then.sum():
        distance = float(np.abs(np.cumsum(there) / there.sum() - np.cumsum(then) / then.sum()).max())
        both = (1 / int(then.sum()) + 1 / int(there.sum())) * design
        yield Measure(column.name, "ks", distance, float(stats.kstwobign.isf(alpha)) * math.sqrt(both))


def _index(name: str, before: np.ndarray, counts: np.ndarray, design: float, alpha: float) -> Measure:
    """The population stability index over few cells, each of which is expected to have enough rows of the window."""
    groups = merged(before, counts, design)
    then = np.array([before[group].sum() for group in groups], dtype=np.float64)
    now = np.array([counts[group].sum() for group in groups], dtype=np.float64)
    if len(groups) < 2:
        return Measure(name, "psi", 0.0, math.inf)
    # Half a row more in each cell keeps the logarithm finite where one is empty.
    shares_then, shares_now = (then + 0.5) / (then + 0.5).sum(), (now + 0.5) / (now + 0.5).sum()
    index = float(((shares_now - shares_then) * np.log(shares_now / shares_then)).sum())
    size = (1 / float(then.sum()) + 1 / float(now.sum())) * design
    return Measure(name, "psi", index, size * float(stats.chi2.isf(alpha, len(groups) - 1)))


def merged(before: np.ndarray, counts: np.ndarray, design: float = 1.0) -> list[np.ndarray]:
    """Neighbouring cells put together, so that about :data:`_CELLS` are left and none is expected to be nearly empty.

    The expectation is the share among both sides' rows, so that a value that is new in the window has a cell as well;
    rows that depend on each other count as fewer by their ``design`` effect. The cell of missing values is the last one
    and stands alone, unless it, or all others together, are nearly empty: then it joins its neighbour.
    """
    enough = _LEAST_EXPECTED * design
    rows = counts.sum()
    expected = (before + counts) / max(before.sum() + rows, 1) * rows
    is_fine = len(counts) - 1 > 3 * _CELLS
    groups: list[list[int]] = []
    total = math.inf
    for cell in range(len(counts) - 1):
        # The highest cells stay apart where they can: of a score they are where the frauds are.
        is_tail = expected[cell:-1].sum() <= 0.02 * rows
        least = max(enough, 0.99 * rows / _CELLS if is_fine and not is_tail else 0.0)
        if total >= least:
            groups.append([])
            total = 0.0
        groups[-1].append(cell)
        total += expected[cell]
    if len(groups) > 1 and total < enough:
        last = groups.pop()
        groups[-1] += last
    missing = len(counts) - 1
    if not groups or (expected[missing] >= enough and expected[:missing].sum() >= enough):
        groups.append([missing])
    else:
        groups[-1].append(missing)
    return [np.array(group) for group in groups]


def _of_mean(name: str, reference: Mean, values: np.ndarray, alpha: float) -> Measure:
    """How far the window's mean is from the reference's, in standard deviations of their difference.

    The mean of few frauds' scores among many low ones is skewed: its limits are those of Cornish and Fisher, of which
    the wider one counts.
    """
    rows = len(values)
    both = (1 / reference.rows + 1 / rows) * design_at(reference.design, rows)
    size = reference.deviation * math.sqrt(both)
    limit = float(stats.norm.isf(alpha / 2))
    limit += abs(reference.skewness) * math.sqrt(both) * (limit**2 - 1) / 6
    value = abs(float(values.mean()) - reference.mean)
    return Measure(name, "mean", value / size if size else float(value > 0) * math.inf, limit)


def _of_rate(name: str, measure: str, rate: Rate, count: int, rows: int, alpha: float) -> Measure:
    """How far the window's number is from the expected one, in standard deviations; the limit is exact.

    Given how many there are on both sides, those of the window are binomial with the window's share of the rows.
    """
    design = design_at(rate.design, rows)
    total, share = (rate.count + count) / design, rows / (rows + rate.rows)
    middle = total * share
    deviation = math.sqrt(middle * (1 - share)) or 1.0
    if measure == CAMPAIGN:
        # Nobody is warned of fewer frauds.
        high = float(stats.binom.isf(alpha, math.ceil(total), share))
        return Measure(name, measure, (count / design - middle) / deviation, (high - middle + 0.5) / deviation)
    low, high = (float(stats.binom.ppf(part, math.ceil(total), share)) for part in (alpha / 2, 1 - alpha / 2))
    limit = max(high - middle, middle - low) + 0.5
    return Measure(name, measure, abs(count / design - middle) / deviation, limit / deviation)
