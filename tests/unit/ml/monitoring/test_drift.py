"""Drift is found where there is some, and hardly ever where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from fraudstream.ml.monitoring import FALSE_ALARMS
from fraudstream.ml.monitoring.drift import Window, check, merged
from fraudstream.ml.monitoring.reference import SCORE, Reference

RATE = 0.02
CAMPAIGNS = {"ring": 0.004, "drain": 0.002}
# An amount with a long tail, a balance, an income that one in ten lacks, a number of children, a flag, a month.
INPUTS = ("amount", "balance", "income", "children", "flag", "month")


def drawn(rows: int, seed: int, rate: float = RATE) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs by name, and calibrated scores whose mean is the ``rate``."""
    rng = np.random.default_rng(seed)
    inputs = {
        "amount": np.round(rng.lognormal(3.5, 1.0, rows), 2),
        "balance": rng.normal(100_000, 50_000, rows),
        "income": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(2_000, 1_000, rows)),
        "children": rng.choice(5, rows, p=[0.35, 0.3, 0.2, 0.1, 0.05]).astype(float),
        "flag": (rng.random(rows) < 0.1).astype(float),
        "month": rng.integers(1, 13, rows).astype(float),
    }
    fraud = rng.random(rows) < rate
    margin = rng.normal(np.where(fraud, 2.0, -2.0), 2.0)
    # Bayes' rule for these two densities.
    return inputs, 1 / (1 + np.exp(-margin) * (1 - RATE) / RATE)


def window(rows: int, seed: int, rate: float = RATE) -> Window:
    inputs, scores = drawn(rows, seed, rate)
    counts = {name: int(np.random.default_rng(seed).binomial(rows, share)) for name, share in CAMPAIGNS.items()}
    return Window(inputs, scores, scores >= 0.5, rows, counts)


@pytest.fixture(scope="module")
def reference() -> Reference:
    inputs, _ = drawn(20_000, 1)
    _, scores = drawn(6_000, 2)
    rng = np.random.default_rng(3)
    shares = [*CAMPAIGNS.values(), 1 - sum(CAMPAIGNS.values())]
    campaigns = rng.choice(np.array([*CAMPAIGNS, ""], dtype=object), 20_000, p=shares)
    return Reference.from_json(Reference.of(inputs, scores, 0.5, campaigns).to_json())


def shifted(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half a standard deviation more in the mean; of numbers with few values more of them are the next greater one."""
    known = values[~np.isnan(values)]
    distinct, aim = np.unique(known), known.std() / 2
    if len(distinct) > 60:
        return values + aim
    moved = values.copy()
    while moved.mean() < values.mean() + aim:
        some = rng.integers(0, len(moved), 20)
        moved[some] = distinct[np.minimum(np.searchsorted(distinct, moved[some]) + 1, len(distinct) - 1)]
    return moved


def test_quiet_windows_are_hardly_ever_reported(reference: Reference) -> None:
    """At most one of a hundred windows, over all measures together."""
    quiet = [check(reference, window(5_000, seed)) for seed in range(1_000, 1_200)]
    assert sum(bool(drift.drifted) for drift in quiet) <= 2
    assert {(measure.name, measure.measure) for measure in quiet[0].measures} >= {
        *((name, measure) for name in (*INPUTS, SCORE) for measure in ("psi", "ks")),
        *((SCORE, "mean"), ("alerts", "alerts"), ("ring", "campaign"), ("drain", "campaign")),
    }


def test_the_rate_of_false_alarms_is_the_one_that_is_stated(reference: Reference) -> None:
    # A rate at which a few hundred windows tell.
    alarms = sum(bool(check(reference, window(1_000, seed), 0.2).drifted) for seed in range(2_000, 2_200))
    assert 0.02 * 200 < alarms < 0.3 * 200


@pytest.mark.parametrize("name", INPUTS)
def test_half_a_standard_deviation_in_any_input_is_found(reference: Reference, name: str) -> None:
    rng = np.random.default_rng(4)
    for seed in range(10):
        quiet = window(5_000, 3_000 + seed)
        moved = Window(dict(quiet.inputs) | {name: shifted(quiet.inputs[name], rng)}, quiet.scores, quiet.alerts)
        assert name in {measure.name for measure in check(reference, moved).drifted}


def test_a_campaign_at_three_times_its_rate_is_found_by_its_labels(reference: Reference) -> None:
    windows_found = 0
    for seed in range(20):
        quiet = window(5_000, 4_000 + seed)
        tripled = dict(quiet.campaigns) | {"ring": int(np.random.default_rng(seed).binomial(5_000, 0.012))}
        seen = Window(quiet.inputs, quiet.scores, quiet.alerts, 5_000, tripled)
        windows_found += "ring" in {measure.name for measure in check(reference, seen).drifted}
    assert windows_found >= 19


def test_three_times_as_many_frauds_are_found_before_their_labels_are_known(reference: Reference) -> None:
    for seed in range(20):
        inputs, scores = drawn(5_000, 5_000 + seed, 3 * RATE)
        drift = check(reference, Window(inputs, scores, scores >= 0.5))
        assert SCORE in {measure.name for measure in drift.drifted} <= {SCORE, "alerts"}


def test_values_that_were_never_seen_and_missing_ones_are_found(reference: Reference) -> None:
    quiet = window(5_000, 6)
    rng = np.random.default_rng(6)
    gone = np.where(rng.random(5_000) < 0.05, np.nan, quiet.inputs["amount"])
    half = np.where(rng.random(5_000) < 0.05, 0.5, quiet.inputs["flag"])
    seen = Window(dict(quiet.inputs) | {"amount": gone, "flag": half}, quiet.scores, quiet.alerts)
    assert {measure.name for measure in check(reference, seen).drifted} == {"amount", "flag"}


def windows_of_cards(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Rows of few cards, each of which pays about the same every time, a hundred times in a row."""
    rng = np.random.default_rng(seed)
    return {"amount": np.repeat(rng.normal(50, 20, rows // 100), 100) + rng.normal(0, 1, rows)}


def test_rows_that_depend_on_each_other_are_not_taken_for_drift() -> None:
    reference = Reference.of(windows_of_cards(200_000, 1), np.full(10, 0.1), 0.5)
    nothing = np.array([])
    for seed in range(2, 42):
        seen = Window(windows_of_cards(5_000, seed), nothing, nothing.astype(bool))
        assert not check(reference, seen, FALSE_ALARMS).drifted
    moved = {"amount": windows_of_cards(5_000, 2)["amount"] + 20}
    assert check(reference, Window(moved, nothing, nothing.astype(bool))).drifted


def cells() -> Iterator[tuple[list[int], list[int]]]:
    rng = np.random.default_rng(9)
    for _ in range(200):
        count = int(rng.integers(1, 140))
        yield rng.integers(0, 400, count).tolist(), rng.integers(0, 60, count).tolist()
    yield [1_000, 0, 0], [0, 0, 300]
    yield [0, 0, 500], [0, 0, 300]


def test_every_cell_is_in_one_group_and_no_group_is_nearly_empty() -> None:
    for before, counts in cells():
        groups = merged(np.array(before), np.array(counts))
        assert [cell for group in groups for cell in group] == list(range(len(counts)))
        filled = (np.array(before) + np.array(counts)) / (sum(before) + sum(counts)) * sum(counts)
        if len(groups) > 1:
            assert all(filled[group].sum() >= 19.9 for group in groups)
