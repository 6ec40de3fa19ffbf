"""Which rows a model learns from and which it is measured on: the earlier and the later ones, as in its use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fraudstream.core.contract.event import PROJECT
from fraudstream.ml.features import EVENT_TIME, HOUR_MS, LABEL, TEST_SHARE, matrix


@dataclass(frozen=True)
class Split:
    """The rows that every algorithm gets. Each part: inputs, float64, shape (n, inputs), and labels 0/1, shape (n,).

    ``held_out`` is bool, shape (rows,); ``unknown`` are the rows of neither part, whose labels were not known when the
    first of the held-out transactions was made.
    """

    history: pd.DataFrame
    held_out: np.ndarray
    unknown: np.ndarray | None = None

    @property
    def learnt(self) -> np.ndarray:
        """Which rows are learnt from, bool, shape (rows,)."""
        return ~self.held_out if self.unknown is None else ~(self.held_out | self.unknown)

    @cached_property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return self._part(self.learnt)

    @cached_property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        return self._part(self.held_out)

    @property
    def learnt_until(self) -> int:
        """The time of the latest row that is learnt from, in milliseconds since 1970."""
        return int(self.history[EVENT_TIME].to_numpy()[self.learnt].max())

    def _part(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self.history[mask]
        return matrix(rows), rows[LABEL].to_numpy()


def label_delay_ms() -> int:
    """How long after its transaction a label is known in this project, in milliseconds."""
    defined = PROJECT.definition
    hours = defined.model.label_delay_hours
    return round((defined.source.label_delay_hours if hours is None else hours) * HOUR_MS)


def split(history: pd.DataFrame) -> Split:
    """Hold the latest :data:`TEST_SHARE` of a history out, which is in the order of time.

    Rows whose labels came later than the first held-out transaction are learnt from by nobody: a model that was
    trained at that moment could not have known them.
    """
    moments = history[EVENT_TIME].to_numpy()
    held_out = latest(moments)
    if not held_out.any():
        return Split(history, held_out)
    known = moments + label_delay_ms() <= moments[held_out].min()
    unknown = ~held_out & ~known if label_delay_ms() else np.zeros(len(history), dtype=bool)
    return Split(history, held_out, unknown)


def latest(moments: np.ndarray, share: float = TEST_SHARE) -> np.ndarray:
    """The last ``share`` of the rows by their times, bool, shape (n,). Rows are in the order of time.

    Rows of one moment are on one side, unless that moves the border by more than a tenth of the rows: a file may have
    no other times than days.
    """
    count = len(moments)
    first = count - round(share * count)
    chosen = np.arange(count) >= first
    if 0 < first < count:
        begins = int(np.searchsorted(moments, moments[first], side="left"))
        ends = int(np.searchsorted(moments, moments[first], side="right"))
        border = begins if first - begins <= ends - first else ends
        if abs(border - first) <= count / 10 and 0 < border < count:
            chosen = np.arange(count) >= border
    return chosen
