"""Tuning under a budget: further parameters of XGBoost, tried on the same folds as the defaults.

Optuna's tree-structured Parzen estimator proposes them, a batch at a time, so that each batch fills the processors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fraudstream.ml.algorithms.boosting import DEPTHS, Candidate, Search, Trial

if TYPE_CHECKING:
    import optuna

# Of candidates that are tried side by side. It is fixed, so that a training is the same on every machine.
_BATCH = 2
_DEEPEST = max(*DEPTHS, 6)


def searching(seconds: float, most: int | None, seed: int, clock: Callable[[], float] = time.monotonic) -> Search:
    """A search that tries further candidates for so many ``seconds``, and ``most`` of them at most.

    The batch that is under way when the time is over is finished. With ``most`` and enough seconds the same candidates
    are tried on every machine; with seconds alone their number depends on its speed.
    """

    def search(trial: Trial, candidates: list[Candidate]) -> list[Candidate]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        for candidate in candidates:
            study.add_trial(_known(candidate))
        ends, tried = clock() + seconds, list(candidates)
        while clock() < ends and (most is None or len(tried) < len(candidates) + most):
            room = _BATCH if most is None else min(_BATCH, len(candidates) + most - len(tried))
            asked = [study.ask() for _ in range(room)]
            further = trial.each([candidates[0].parameters | _proposed(one) for one in asked])
            for one, candidate in zip(asked, further, strict=True):
                study.tell(one, candidate.log_loss)
            tried += further
        return tried

    return search


def _proposed(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "max_depth": trial.suggest_int("max_depth", 1, _DEEPEST),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.02, 20, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30, log=True),
        "gamma": trial.suggest_float("gamma", 1e-3, 3, log=True),
    }


def _known(candidate: Candidate) -> optuna.trial.FrozenTrial:
    """A candidate that was tried before, as the study takes it: with XGBoost's own defaults for what it leaves out."""
    import optuna

    defaults = {"colsample_bytree": 1.0, "reg_lambda": 1.0, "gamma": 1e-3}
    values = {name: candidate.parameters.get(name, defaults.get(name)) for name in _distributions()}
    return optuna.trial.create_trial(params=values, distributions=_distributions(), value=candidate.log_loss)


def _distributions() -> dict[str, Any]:
    import optuna

    fixed = optuna.trial.FixedTrial(
        {
            "max_depth": 1,
            "learning_rate": 0.1,
            "subsample": 0.8,
            "colsample_bytree": 1.0,
            "min_child_weight": 1.0,
            "reg_lambda": 1.0,
            "gamma": 1e-3,
        }
    )
    _proposed(fixed)  # type: ignore[arg-type]
    return dict(fixed.distributions)
