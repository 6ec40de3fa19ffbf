"""Precision, recall and average precision of decisions by labels that came later."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from fraudstream.runtime.held_back import Judged, Quality, measured, quality


def test_the_figures_are_those_of_scikit_learn() -> None:
    rng = random.Random(5)
    judged = [Judged(round(rng.random(), 1), int(rng.random() < 0.4), int(rng.random() < 0.2)) for _ in range(500)]
    labels, predictions = [decision.label for decision in judged], [decision.prediction for decision in judged]
    figures = measured(judged)
    assert (figures.labelled, figures.labelled_frauds) == (500, sum(labels))
    assert figures.precision == pytest.approx(precision_score(labels, predictions))
    assert figures.recall == pytest.approx(recall_score(labels, predictions))
    assert figures.average_precision == pytest.approx(
        average_precision_score(labels, [decision.score for decision in judged])
    )


def test_nothing_is_divided_by_nothing() -> None:
    assert measured([]) == Quality(0, 0, None, None, None)
    assert measured([Judged(0.9, 1, 0)]) == Quality(1, 0, 0.0, None, None)
    assert measured([Judged(0.1, 0, 1)]) == Quality(1, 1, None, 0.0, 1.0)


def test_decisions_and_verdicts_are_joined_by_their_ids() -> None:
    stored = {
        "transactions": [
            {"_id": "a", "score": 0.9, "prediction": 1},
            {"_id": "b", "score": 0.2, "prediction": 0},
            {"_id": "no verdict", "score": 0.5, "prediction": 1},
            {"_id": "history"},
        ],
        "verdicts": [{"_id": "a", "label": 1}, {"_id": "b", "label": 0}, {"_id": "history", "label": 1}],
    }

    def collection(name: str) -> Any:
        def find(chosen: dict[str, Any], *_: Any) -> list[dict[str, Any]]:
            return [document for document in stored[name] if document["_id"] in chosen["_id"]["$in"]]

        return SimpleNamespace(find=find)

    db = {name: collection(name) for name in stored}
    assert quality(db, ["a", "b", "no verdict", "history", "rejected"]) == Quality(2, 1, 1.0, 1.0, 1.0)
