"""How useful a day's short list is: the share of frauds among the cards, or transactions, that score highest."""

from __future__ import annotations

import numpy as np

DAY_MS = 24 * 60 * 60 * 1000
# As many as a team looks at in a day, in the published evaluations of the Fraud Detection Handbook.
LISTED = 100


def precision_at(
    labels: np.ndarray,
    scores: np.ndarray,
    moments: np.ndarray,
    entities: np.ndarray | None = None,
    listed: int = LISTED,
) -> float:
    """The mean over days (UTC) of the share of frauds among the day's ``listed`` entities of the highest score.

    ``moments`` are milliseconds since 1970; ``entities``, shape (n,), name each row's card or customer: its score of a
    day is its highest one, and it counts as a fraud if any of its transactions of that day is one. An entity that was
    found out on an earlier day (a fraud among a day's list) is not listed again, as its card is blocked by then
    (Fraud Detection Handbook, "Precision top-k metrics"). Without entities, each transaction stands for itself.
    NaN without rows.
    """
    days = moments // DAY_MS
    found_out: set[object] = set()
    shares = []
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        if entities is None:
            first = rows[np.argsort(-scores[rows], kind="stable")][:listed]
            shares.append(float(labels[first].mean()))
            continue
        share, frauds = _listed_entities(labels[rows], scores[rows], entities[rows], found_out, listed)
        found_out |= frauds
        if share is not None:
            shares.append(share)
    return float(np.mean(shares)) if shares else float("nan")


def _listed_entities(
    labels: np.ndarray, scores: np.ndarray, entities: np.ndarray, found_out: set[object], listed: int
) -> tuple[float | None, set[object]]:
    """The share of frauds among a day's list, None where nobody is left to be listed; and those frauds."""
    names, members = np.unique(entities, return_inverse=True)
    highest = np.full(len(names), -np.inf)
    np.maximum.at(highest, members, scores)
    frauds = np.zeros(len(names), dtype=bool)
    np.logical_or.at(frauds, members, labels == 1)
    known = np.array([name in found_out for name in names.tolist()], dtype=bool)
    order = np.argsort(-highest, kind="stable")
    order = order[~known[order]][:listed]
    if not len(order):
        return None, set()
    return float(frauds[order].mean()), set(names[order][frauds[order]].tolist())
