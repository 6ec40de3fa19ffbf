"""What labels that came later say of the decisions: the stored transactions beside the stored verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fraudstream.core.documents import client as documents

_LOOKUP = 1_000


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the decisions on ``labelled`` transactions were, of which ``labelled_frauds`` were frauds.

    ``precision``: the share of frauds among the alerts; ``recall``: the share of alerts among the frauds;
    ``average_precision``: over all thresholds. None where nothing is to be divided by.
    """

    labelled: int
    labelled_frauds: int
    precision: float | None
    recall: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision and what it should have been."""

    score: float
    prediction: int
    label: int


def quality(db: Any, ids: Sequence[int | str]) -> Quality:
    """How good the stored decisions on these transactions were, as far as verdicts on them are stored."""
    return measured(list(_judged(db, ids)))


def measured(judged: Sequence[Judged]) -> Quality:
    """The figures of decisions with their labels."""
    frauds = sum(decision.label for decision in judged)
    alerts = sum(decision.prediction for decision in judged)
    hits = sum(decision.label for decision in judged if decision.prediction)
    return Quality(
        labelled=len(judged),
        labelled_frauds=frauds,
        precision=hits / alerts if alerts else None,
        recall=hits / frauds if frauds else None,
        average_precision=_average_precision(judged, frauds) if frauds else None,
    )


def _average_precision(judged: Iterable[Judged], frauds: int) -> float:
    """The precision at each threshold, weighted by the recall that it adds; equal scores are one threshold."""
    total, seen, hits = 0.0, 0, 0
    for _, equal in groupby(sorted(judged, key=lambda decision: -decision.score), key=lambda decision: decision.score):
        tied = list(equal)
        tied_frauds = sum(decision.label for decision in tied)
        seen, hits = seen + len(tied), hits + tied_frauds
        total += tied_frauds / frauds * (hits / seen)
    return total


def _judged(db: Any, ids: Sequence[int | str]) -> Iterable[Judged]:
    for start in range(0, len(ids), _LOOKUP):
        chosen = {"_id": {"$in": list(ids[start : start + _LOOKUP])}}
        labels = {verdict["_id"]: int(verdict["label"]) for verdict in db[documents.VERDICTS].find(chosen)}
        for stored in db[documents.TRANSACTIONS].find(chosen, {"score": 1, "prediction": 1}):
            if stored["_id"] in labels and "prediction" in stored:
                yield Judged(float(stored["score"]), int(stored["prediction"]), labels[stored["_id"]])
