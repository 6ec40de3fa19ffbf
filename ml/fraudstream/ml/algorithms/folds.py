"""Rows in the order of time, cut so that a model is tried on what came after the rows that it learnt from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudstream.core.errors import ModelError
from fraudstream.ml.features import FOLDS, HOUR_MS

# The first fold learns from the rows up to this share of the frauds.
_FIRST = 0.4


class Fold(NamedTuple):
    """Places of the rows that are learnt from, and of the later ones that are looked at, each ascending."""

    learnt: np.ndarray
    later: np.ndarray


def forward(labels: np.ndarray, moments: np.ndarray | None = None, delay_ms: int = 0) -> list[Fold]:
    """Up to :data:`FOLDS` folds whose later parts follow each other and together are the last 60 % of the frauds.

    Rows are in the order of time, labels 0/1 of shape (n,). ``moments`` are milliseconds since 1970; a row is learnt
    from if its label was known, ``delay_ms`` after its moment, when the later part begins. The borders are put by the
    frauds and not by the rows, so that rare ones are in each part. A fold that lacks a class is left out.

    Raises :class:`ModelError` where no fold is left.
    """
    count = len(labels)
    frauds = np.flatnonzero(labels == 1)
    borders = [int(frauds[round(share * len(frauds))]) for share in np.linspace(_FIRST, 1, FOLDS, endpoint=False)]
    folds = []
    for begins, ends in zip(borders, [*borders[1:], count], strict=True):
        learnt = np.arange(begins)
        if moments is not None and delay_ms:
            learnt = learnt[moments[:begins] + delay_ms <= moments[begins]]
        later = np.arange(begins, ends)
        if all(len(np.unique(labels[part])) == 2 for part in (learnt, later)):
            folds.append(Fold(learnt, later))
    if not folds:
        raise ModelError(
            f"No model can be tried on the later ones of {count:,} transactions to learn from, {len(frauds):,} of them "
            f"frauds: labels come {delay_ms / HOUR_MS:g} hours late, and too few of both classes were known before. "
            "Publish history of a longer time with `fraudstream generate history`, or set model.label_delay_hours to "
            "less."
        )
    return folds
