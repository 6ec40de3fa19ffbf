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
# XGBoost's own, of what a candidate leaves out.
_DEFAULTS = {"colsample_bytree": 1.0, "reg_lambda": 1.0, "gamma": 0.0}


def searching(seconds: float, most: int | None, seed: int, clock: Callable[[], float] = time.monotonic) -> Search:
    """A search that tries further candidates for so many ``seconds``, and ``most`` of them at most.

    The batch that is under way when the time is over is finished. With ``most`` and enough seconds the same candidates
    are tried on every machine; with seconds alone their number depends on its speed.
    """

    def search(trial: Trial, candidates: list[Candidate]) -> list[Candidate]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        space = _space()
        for candidate in candidates:
            study.add_trial(_known(candidate, space))
        ends, tried = clock() + seconds, list(candidates)
        while clock() < ends and (most is None or len(tried) < len(candidates) + most):
            room = _BATCH if most is None else min(_BATCH, len(candidates) + most - len(tried))
            proposals = [study.ask(space) for _ in range(room)]
            further = trial.each([candidates[0].parameters | proposal.params for proposal in proposals])
            for proposal, candidate in zip(proposals, further, strict=True):
                study.tell(proposal, candidate.log_loss)
            tried += further
        return tried

    return search


def _space() -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        "max_depth": IntDistribution(1, _DEEPEST),
        "learning_rate": FloatDistribution(0.02, 0.3, log=True),
        "subsample": FloatDistribution(0.4, 1.0),
        "colsample_bytree": FloatDistribution(0.3, 1.0),
        "min_child_weight": FloatDistribution(0.02, 20, log=True),
        "reg_lambda": FloatDistribution(0.1, 30, log=True),
        "gamma": FloatDistribution(1e-3, 3, log=True),
    }


def _known(candidate: Candidate, space: dict[str, Any]) -> optuna.trial.FrozenTrial:
    """A candidate that was tried before, as the study takes it: what is outside the space is at its nearest border."""
    import optuna

    values = _DEFAULTS | candidate.parameters
    inside = {name: min(max(values[name], ends.low), ends.high) for name, ends in space.items()}
    return optuna.trial.create_trial(params=inside, distributions=space, value=candidate.log_loss)
