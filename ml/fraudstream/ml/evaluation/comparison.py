"""Two versions beside each other on the same transactions, none of which either learnt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import load_version, registry_client
from fraudstream.ml.evaluation.costs import RowCosts
from fraudstream.ml.evaluation.held_out import COST, Decided, Rows, project_costs, statistic_of
from fraudstream.ml.evaluation.resampling import Interval, intervals
from fraudstream.ml.evaluation.scoring import scores_of
from fraudstream.ml.features import EVENT_TIME, moment_text
from fraudstream.ml.labelled import read_labelled
from fraudstream.ml.registry import learnt_until, registered_version

# With fewer of a class, chance decides.
_LEAST_OF_CLASS = 10
_LOWER_IS_BETTER = frozenset({"brier", "ece", COST})


@dataclass(frozen=True, slots=True)
class Paired:
    """A figure of both versions, and the interval of the second one's less the first one's."""

    name: str
    first: float
    second: float
    difference: Interval

    @property
    def better(self) -> int | None:
        """1 or 2, whichever version is better beyond chance; None where chance may have decided."""
        if not self.difference.excludes_zero:
            return None
        return 2 if (self.difference.value > 0) != (self.name in _LOWER_IS_BETTER) else 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on ``rows`` transactions, ``frauds`` of them frauds, made between two times (ms since 1970)."""

    first: str
    second: str
    rows: int
    frauds: int
    since: int
    until: int
    figures: tuple[Paired, ...]

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        versions = (self.first, self.second)
        return {
            "versions": list(versions),
            "rows": self.rows,
            "frauds": self.frauds,
            "from": moment_text(self.since),
            "until": moment_text(self.until),
            "figures": {
                figure.name: {
                    self.first: figure.first,
                    self.second: figure.second,
                    "difference": figure.difference.to_json(),
                    "better": None if figure.better is None else versions[figure.better - 1],
                }
                for figure in self.figures
            },
        }


def compared(settings: Settings, first: str, second: str, seed: int = 7) -> Comparison:
    """Both versions on all stored transactions whose labels are known, and that are later than what either learnt from.

    Raises :class:`ModelError` where there are too few of them, or where a version cannot score them,
    :class:`StoreUnavailable` and :class:`RegistryUnavailable`.
    """
    client = registry_client(settings)
    borders = []
    for version in (first, second):
        registered_version(settings, client, version)
        borders.append(learnt_until(settings, client, version))
    history = read_labelled(settings).rows
    border = max((known for known in borders if known is not None), default=None)
    rows = history if border is None else history[history[EVENT_TIME] > border]
    labelled = Rows.of(rows)
    frauds = int(labelled.labels.sum())
    if min(frauds, len(rows) - frauds) < _LEAST_OF_CLASS:
        behind = "" if border is None else f" later than {moment_text(border)}, up to which one of them learnt"
        raise ModelError(
            f"Only {len(rows):,} stored transactions with a label, {frauds:,} of them frauds, are{behind}: too few to "
            f"compare versions {first} and {second}, which takes {_LEAST_OF_CLASS} of each class. Wait for labels, or "
            "publish more history."
        )
    return paired(labelled, (first, second), [_decided(settings, version, rows) for version in (first, second)], seed)


def paired(rows: Rows, names: tuple[str, str], decided: list[Decided], seed: int) -> Comparison:
    """The figures of two versions' scores of the same rows; each resample draws the same rows for both."""
    costs = RowCosts.of(project_costs(), rows.amounts)
    first, second = (statistic_of(rows, each, costs) for each in decided)
    differences = intervals(_difference(first, second), len(rows.labels), seed, rows.entities)
    before, after = first(None), second(None)
    return Comparison(
        *names,
        len(rows.labels),
        int(rows.labels.sum()),
        int(rows.moments.min()),
        int(rows.moments.max()),
        tuple(Paired(name, before[name], after[name], differences[name]) for name in before),
    )


def _difference(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[[np.ndarray | None], Any]:
    def statistic(weights: np.ndarray | None) -> dict[str, float]:
        before, after = first(weights), second(weights)
        return {name: after[name] - before[name] for name in before}

    return statistic


def _decided(settings: Settings, version: str, rows: pd.DataFrame) -> Decided:
    """The version's scores, and its bands."""
    loaded = load_version(settings, version)
    model = loaded.model
    return Decided(scores_of(loaded, rows), float(model.threshold), getattr(model, "decline_from", None))
