"""How the inputs, the score and the frauds were distributed where the model was trained.

Later windows are held against it. Windows of the reference itself show how much they differ without any drift: rows of
one card or of one hour depend on each other, so that windows vary more than those of independent rows. How many times
more is the design effect (Rao and Scott, 1984), 1 at least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

REFERENCE_FILE = "reference.json"

# The name under which the score stands beside the inputs; no field has it (it is reserved).
SCORE = "score"

# A number of more values than this is cut at its quantiles, so that each cell has as many rows.
_CELLS = 100
_FEW_VALUES = 60
_GROUPS = 10
# The score's upper end is where frauds are: it has finer cells.
_TAIL = (0.995, 0.998, 0.999, 0.9995)
# Windows of these sizes are cut out of the reference to see how much they vary.
WINDOW_SIZES = (500, 1_000, 2_000, 5_000, 10_000)
_LEAST_WINDOWS = 8

Design = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's cells and how many rows of the reference each holds.

    Of a number, ``edges`` are the cells' inner borders, ascending: a value lies right of the borders that it reaches.
    The last count is of rows without a value. ``design`` is the design effect at :data:`WINDOW_SIZES`.
    """

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    design: Design

    @property
    def rows(self) -> int:
        return sum(self.counts)

    def count(self, values: np.ndarray) -> np.ndarray:
        """How many values each cell has, shape (cells,)."""
        return np.bincount(_cells(np.asarray(self.edges), values), minlength=len(self.counts))

    @classmethod
    def of(cls, name: str, values: np.ndarray, tail: Sequence[float] = ()) -> Column:
        """The cells of values, shape (rows,), in the order of time; ``tail`` are further quantiles to cut at."""
        known = values[~np.isnan(values)]
        distinct = np.unique(known)
        if len(distinct) <= _FEW_VALUES:
            # A cell for each value, and one for what lies between two of them.
            edges = np.unique(np.concatenate([distinct, np.nextafter(distinct, np.inf)]))
        else:
            edges = np.unique(np.quantile(known, [*(np.arange(1, _CELLS) / _CELLS), *tail]))
        cells, size = _cells(edges, values), len(edges) + 2
        counts = np.bincount(cells, minlength=size)
        coarse, groups = _coarse(cells, counts)
        return cls(name, tuple(edges.tolist()), tuple(counts.tolist()), _design_of_cells(coarse, groups))


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of ``rows`` were something, such as alerts, with the design effect of their number."""

    rows: int
    count: int
    design: Design

    @classmethod
    def of(cls, is_one: np.ndarray) -> Rate:
        """Of rows, bool, shape (rows,), in the order of time."""
        return cls(len(is_one), int(is_one.sum()), _design_of_cells(is_one.astype(np.int64), 2))

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Rate:
        return cls(int(given["rows"]), int(given["count"]), tuple(map(float, given["design"])))


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of ``rows`` values, their standard deviation and skewness, and the design effect of a window's mean."""

    rows: int
    mean: float
    deviation: float
    skewness: float
    design: Design

    @classmethod
    def of(cls, values: np.ndarray) -> Mean:
        """Of values, shape (rows,), in the order of time."""
        mean, deviation = float(values.mean()), float(values.std())
        skewness = float((((values - mean) / deviation) ** 3).mean()) if deviation else 0.0
        return cls(len(values), mean, deviation, skewness, _design_of_mean(values))

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Mean:
        mean, deviation, skewness = (float(given[name]) for name in ("mean", "deviation", "skewness"))
        return cls(int(given["rows"]), mean, deviation, skewness, tuple(map(float, given["design"])))


@dataclass(frozen=True, slots=True)
class Reference:
    """``columns`` are the inputs, of all rows of the training, and :data:`SCORE`.

    The scores and ``alerts`` are those of rows that the model did not learn from. ``campaigns`` are the frauds of each
    campaign among all rows, where the project's labels name any.
    """

    columns: Mapping[str, Column]
    alerts: Rate
    score: Mean
    campaigns: Mapping[str, Rate] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        inputs: Mapping[str, np.ndarray],
        scores: np.ndarray,
        threshold: float,
        campaigns: np.ndarray | None = None,
    ) -> Reference:
        """Of inputs by name, each of shape (rows,), of the scores of rows that were held out, and of campaigns.

        All are in the order of time. ``campaigns`` names each row's, empty for no fraud, shape (rows,).
        """
        columns = {name: Column.of(name, values) for name, values in inputs.items()}
        columns[SCORE] = Column.of(SCORE, scores, _TAIL)
        names = [] if campaigns is None else sorted(set(campaigns.tolist()) - {""})
        return cls(
            columns,
            Rate.of(scores >= threshold),
            Mean.of(scores),
            {name: Rate.of(campaigns == name) for name in names},
        )

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Reference:
        """The reference that :meth:`to_json` wrote. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for others."""
        columns = {
            str(name): Column(
                str(name),
                tuple(map(float, column["edges"])),
                tuple(map(int, column["counts"])),
                tuple(map(float, column["design"])),
            )
            for name, column in given["columns"].items()
        }
        campaigns = {str(name): Rate.from_json(rate) for name, rate in given["campaigns"].items()}
        return cls(columns, Rate.from_json(given["alerts"]), Mean.from_json(given["score"]), campaigns)

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return {
            "columns": {
                name: {"edges": column.edges, "counts": column.counts, "design": column.design}
                for name, column in self.columns.items()
            },
            "alerts": asdict(self.alerts),
            "score": asdict(self.score),
            "campaigns": {name: asdict(rate) for name, rate in self.campaigns.items()},
        }


def design_at(design: Design, rows: int) -> float:
    """The design effect of windows of so many rows: between the measured sizes, beyond them that of the nearest."""
    return float(np.interp(math.log(max(rows, 1)), np.log(WINDOW_SIZES), design))


def _cells(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _coarse(cells: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, int]:
    """The cells as ten groups of about equally many rows, as those of a window; and how many there are.

    Within small cells, rows that resemble each other look more independent than they are.
    """
    middles = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    groups = np.minimum((middles * _GROUPS).astype(np.int64), _GROUPS - 1)
    return groups[cells], _GROUPS


def _design_of_cells(cells: np.ndarray, size: int) -> Design:
    """The mean chi-squared distance of windows from all rows, divided by what it is of independent rows."""
    shares = np.bincount(cells, minlength=size) / max(len(cells), 1)
    filled = shares > 0

    def effect(rows: int, windows: int) -> float:
        numbered = cells[: windows * rows] + size * np.repeat(np.arange(windows), rows)
        counts = np.bincount(numbered, minlength=windows * size).reshape(windows, size)[:, filled]
        expected = rows * shares[filled]
        distance = ((counts - expected) ** 2 / expected).sum(axis=1)
        return float(distance.mean()) / float(filled.sum() - 1)

    return _design(len(cells), int(filled.sum()) - 1, effect)


def _design_of_mean(values: np.ndarray) -> Design:
    spread = float(values.var())

    def effect(rows: int, windows: int) -> float:
        means = values[: windows * rows].reshape(windows, rows).mean(axis=1)
        return float(((means - values.mean()) ** 2).mean()) * rows / spread

    return _design(len(values), 1 if spread else 0, effect)


def _design(count: int, freedom: int, effect: Callable[[int, int], float]) -> Design:
    """The effect at each of :data:`WINDOW_SIZES`; where the rows are too few for a size, that of the one before.

    ``effect`` gives it for windows of so many rows, and so many windows. With few of them it differs from 1 by chance:
    what is above 1 is shrunk by how likely that is (the positive part of James and Stein's estimator).
    """
    effects: list[float] = []
    for rows in WINDOW_SIZES:
        windows = count // rows
        if windows < _LEAST_WINDOWS or not freedom:
            effects.append(effects[-1] if effects else 1.0)
            continue
        # The windows are a part of the rows that they are held against, by which their distances shrink.
        above = effect(rows, windows) / (1 - rows / count) - 1
        noise = math.sqrt(2 / (freedom * windows))
        effects.append(1 + max(0.0, above) * max(0.0, 1 - (noise / above) ** 2 if above > 0 else 0.0))
    return tuple(effects)
