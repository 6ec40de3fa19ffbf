"""What is learnt from is earlier than what is measured on, with time for labels between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudstream.ml.features import EVENT_TIME, LABEL
from fraudstream.ml.training import split as splitting
from fraudstream.ml.training.split import latest, split

HOUR_MS = 60 * 60 * 1000


def history(moments: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({EVENT_TIME: moments, LABEL: np.arange(len(moments)) % 2})


def test_the_latest_three_tenths_are_held_out() -> None:
    parts = split(history(np.arange(1_000) * HOUR_MS))
    assert np.flatnonzero(parts.held_out).tolist() == list(range(700, 1_000))
    assert parts.learnt_until == 699 * HOUR_MS
    assert not (parts.learnt & parts.held_out).any()


def test_rows_whose_labels_were_not_known_are_in_neither_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "label_delay_ms", lambda: 24 * HOUR_MS)
    parts = split(history(np.arange(1_000) * HOUR_MS))
    # At the 700th hour, the labels of the transactions up to the 676th were known.
    assert parts.learnt_until == 676 * HOUR_MS
    assert (parts.learnt.sum(), parts.held_out.sum()) == (677, 300)


def test_rows_of_one_moment_are_on_one_side() -> None:
    days = np.repeat(np.arange(10), 100)
    assert np.flatnonzero(latest(days)).min() == 700
    assert np.flatnonzero(latest(np.repeat([0, 1, 2], [650, 100, 250]))).min() == 650
    # Not where that would move the border far: then the order of the rows decides.
    assert np.flatnonzero(latest(np.zeros(1_000, dtype=np.int64))).min() == 700
    assert not latest(np.array([], dtype=np.int64)).any()
