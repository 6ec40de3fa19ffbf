"""The model of `payments` beside the best one possible, and the monitor on windows with drift and without.

The densities of `payments` are known, and with them the ceiling: no model is better than the likelihood ratio except by
chance. ``fraudstream train`` holds the latest three tenths of its history out, so that it learns from seven tenths of
the events that a contender is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.running import Report
from fraudstream.core.contract.event import FEATURES, PROJECT
from fraudstream.core.errors import FraudstreamError
from fraudstream.generator.simulators.payments.distributions import FRAUD_RATE, LABEL, fraud_probability, sample
from fraudstream.ml.algorithms import boosting, calibration
from fraudstream.ml.evaluation import baseline
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.evaluation.ranking import Ranking
from fraudstream.ml.evaluation.resampling import weights_of
from fraudstream.ml.features import TEST_SHARE, matrix
from fraudstream.ml.monitoring.drift import Window, check
from fraudstream.ml.monitoring.reference import Reference

OURS, DEEP, PLAIN = "fraudstream train", "XGBoost, depth 4, 300 trees", "logistic regression"
# The events that a history has; of 9,023 as many are learnt from as the first system learnt from.
FEW, AS_BEFORE, MANY = 6_316, 9_023, 50_000
THRESHOLD = 0.5
# Standard deviations by which chance may lift an average precision above the ceiling.
_CHANCE = 3

Rows = tuple[np.ndarray, np.ndarray]
Scorer = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Plan:
    """Histories of so many events, each by several seeds, and how many fresh events they are measured on.

    ``windows`` of ``window`` events are watched without drift, and ``shifted`` ones of each kind with some.
    """

    histories: tuple[int, ...] = (FEW, AS_BEFORE, MANY)
    fresh: int = 200_000
    repeats: int = 3
    windows: int = 400
    window: int = 5_000
    shifted: int = 20


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` in any other project."""
    if PROJECT.definition.source.generator != "payments":
        raise FraudstreamError(
            f"The densities of {PROJECT.name!r} are not known: `fraudstream bench model` measures the model of "
            "payments. Unset FRAUDSTREAM_PROJECT."
        )
    report(f"{plan.fresh:,} fresh events")
    drawn = sample(plan.fresh, 991)
    fresh, truth, best = matrix(drawn), np.asarray(drawn[LABEL]), fraud_probability(drawn)
    ceiling = Ranking(truth, best)
    noise = float(np.std([ceiling.average_precision(weights) for weights in weights_of(plan.fresh, 1)]))
    runs: list[dict[str, Any]] = []
    model: Scorer | None = None
    for repeat in range(plan.repeats):
        for events in plan.histories:
            history = sample(events, 100 + repeat)
            learnt = events - round(TEST_SHARE * events)
            rows = matrix(history)[:learnt], np.asarray(history[LABEL])[:learnt]
            for name, fit in _CONTENDERS.items():
                report(f"{name} on {events:,} events, run {repeat + 1} of {plan.repeats}")
                began = time.process_time()
                scorer = fit(*rows)
                scores = scorer(fresh)
                seconds = time.process_time() - began
                runs.append(_measured(name, repeat, events, scores, truth, ceiling) | {"core_seconds": seconds})
                model = scorer if name == OURS else model
    if model is None:
        raise ValueError("there is nothing to measure")
    drift = _drift(plan, model, report)
    summary = figures.summarised(runs, "events", "contender")
    return {
        "parameters": asdict(plan),
        "ceiling": {"average_precision": ceiling.average_precision(), "noise": noise},
        "runs": runs,
        "summary": summary,
        "drift": drift,
        "bounds": bounds.to_json(held(summary, drift, noise / ceiling.average_precision())),
    }


def _ours(features: np.ndarray, labels: np.ndarray) -> Scorer:
    fitted = boosting.fit(features, labels, 7)
    step = calibration.NONE if fitted.validation is None else calibration.chosen(fitted.validation)
    return fitted.calibrated(step).scores


def _deep(features: np.ndarray, labels: np.ndarray) -> Scorer:
    parameters = boosting.PARAMETERS | {"n_estimators": 300, "max_depth": 4, "random_state": 7}
    return boosting.Fitted(boosting.classifier(parameters).fit(features, labels), parameters, {}).scores


def _plain(features: np.ndarray, labels: np.ndarray) -> Scorer:
    return lambda others: baseline.logistic(features, labels, others, 7)


_CONTENDERS: dict[str, Callable[[np.ndarray, np.ndarray], Scorer]] = {OURS: _ours, DEEP: _deep, PLAIN: _plain}


def _measured(
    name: str, repeat: int, events: int, scores: np.ndarray, truth: np.ndarray, ceiling: Ranking
) -> dict[str, Any]:
    measured = metrics(truth, scores, THRESHOLD)
    shown = ("average_precision", "roc_auc", "recall", "precision", "ece")
    return {
        "repeat": repeat,
        "events": events,
        "contender": name,
        **{figure: measured[figure] for figure in shown},
        "by_ceiling": measured["average_precision"] / ceiling.average_precision(),
    }


def _drift(plan: Plan, model: Scorer, report: Report) -> dict[str, Any]:
    """How often the monitor reports something: without drift, and with each kind of it."""
    inputs, _ = _window(20_000, 11, FRAUD_RATE)
    held_out, _ = _window(6_000, 12, FRAUD_RATE)
    reference = Reference.of(_named(inputs), model(held_out), THRESHOLD)

    def reported(rows: np.ndarray) -> set[str]:
        scores = model(rows)
        drift = check(reference, Window(_named(rows), scores, scores >= THRESHOLD))
        return {measure.name for measure in drift.drifted}

    report(f"{plan.windows:,} windows without drift")
    quiet = sum(bool(reported(_window(plan.window, 10_000 + seed, FRAUD_RATE)[0])) for seed in range(plan.windows))
    found: dict[str, float] = {}
    for place, name in enumerate(FEATURES):
        report(f"windows in which {name} has moved")
        seen = [name in reported(_moved(plan.window, 50_000 + seed, place)) for seed in range(plan.shifted)]
        found[name] = sum(seen) / plan.shifted
    report("windows with three times as many frauds")
    more = [bool(reported(_window(plan.window, 60_000 + seed, 3 * FRAUD_RATE)[0])) for seed in range(plan.shifted)]
    found["three times the frauds"] = sum(more) / plan.shifted
    return {"quiet_windows": plan.windows, "false_alarms": quiet / plan.windows, "found": found}


def _window(rows: int, seed: int, rate: float) -> Rows:
    drawn = sample(rows, seed, rate)
    return matrix(drawn), np.asarray(drawn[LABEL])


def _named(rows: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(FEATURES, rows.T, strict=True))


def _moved(rows: int, seed: int, place: int) -> np.ndarray:
    """A window in which one input's mean is half a standard deviation higher; listed values stay listed ones."""
    moved, _ = _window(rows, seed, FRAUD_RATE)
    values = moved[:, place]
    aim, distinct = values.mean() + values.std() / 2, np.unique(values)
    if len(distinct) > 60:
        moved[:, place] = values + values.std() / 2
        return moved
    rng = np.random.default_rng(seed)
    while values.mean() < aim:
        some = rng.integers(0, rows, 20)
        values[some] = distinct[np.minimum(np.searchsorted(distinct, values[some]) + 1, len(distinct) - 1)]
    return moved


def held(summary: list[dict[str, Any]], drift: dict[str, Any], noise: float) -> list[Bound]:
    """The project's claims about the model of `payments` and about the monitor; ``noise`` is a share of the ceiling."""
    ours = {entry["events"]: entry for entry in summary if entry["contender"] == OURS}
    highest = round(100 * (1 + _CHANCE * noise), 1)
    claims: list[Bound] = []
    for events, least in ((FEW, 97.0), (AS_BEFORE, 98.5), (MANY, 99.0)):
        if (entry := ours.get(events)) is not None:
            share, error = entry["by_ceiling"], entry["ece"]
            claims += bounds.at_least(f"{events:,} events: AP, % of the ceiling", 100 * share["min"], least)
            claims += bounds.at_most(f"{events:,} events: AP, % of the ceiling", 100 * share["max"], highest)
            claims += bounds.at_most(f"{events:,} events: ECE, %", 100 * error["max"], 1)
    claims += bounds.at_most("false alarms, % of the windows without drift", 100 * drift["false_alarms"], 1)
    claims += bounds.at_least("drift that is found, %, the least of all kinds", 100 * min(drift["found"].values()), 100)
    return claims
