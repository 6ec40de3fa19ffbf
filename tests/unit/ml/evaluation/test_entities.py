"""A day's short list: the share of frauds among the cards of the highest scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fraudstream.ml.evaluation.entities import DAY_MS, precision_at


def test_a_card_counts_once_and_with_its_highest_score() -> None:
    cards = np.array(["a", "a", "b", "c", "d"])
    scores = np.array([0.1, 0.9, 0.8, 0.7, 0.6])
    # The card's fraud is another transaction than the one of its highest score.
    labels = np.array([1, 0, 0, 1, 1])
    moments = np.zeros(5, dtype=np.int64)
    assert precision_at(labels, scores, moments, cards, 2) == 0.5
    assert precision_at(labels, scores, moments, cards, 3) == pytest.approx(2 / 3)


def test_a_card_that_was_found_out_is_not_listed_on_a_later_day() -> None:
    cards = np.array(["a", "b", "a", "b", "c"])
    scores = np.array([0.9, 0.1, 0.9, 0.2, 0.3])
    labels = np.array([1, 0, 1, 0, 1])
    moments = np.array([0, 0, 1, 1, 1]) * DAY_MS
    # On the second day c is the first of the list, as a is blocked.
    assert precision_at(labels, scores, moments, cards, 1) == 1.0
    assert precision_at(labels, scores, moments, None, 1) == 1.0
    labels[4] = 0
    assert precision_at(labels, scores, moments, cards, 1) == 0.5


def test_without_rows_there_is_no_share() -> None:
    nothing = np.array([], dtype=np.int64)
    assert math.isnan(precision_at(nothing, nothing.astype(float), nothing))
