"""One training: read the history, fit, evaluate, register, and let the better model be the champion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import structlog
from mlflow.exceptions import MlflowException

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES, PROJECT
from fraudstream.core.errors import FraudstreamError, ModelError
from fraudstream.core.registry import champion_version, load_version, registry_client, registry_error
from fraudstream.ml.algorithms import calibration
from fraudstream.ml.evaluation import baseline
from fraudstream.ml.evaluation.held_out import EVALUATION_FILE, Decided, Evaluation, Rows, evaluate
from fraudstream.ml.evaluation.metrics import metrics
from fraudstream.ml.evaluation.scoring import scores_of
from fraudstream.ml.failures import one_line
from fraudstream.ml.features import EVENT_TIME, FOLDS, HOUR_MS, LABEL, RARE_SHARE, moment_text
from fraudstream.ml.history import await_history, checked, fingerprint, read_history
from fraudstream.ml.monitoring.reference import REFERENCE_FILE, Reference
from fraudstream.ml.registry import LEARNT_UNTIL, give_role, learnt_until, require_fit
from fraudstream.ml.tracking import Trained, register
from fraudstream.ml.training.code import code_fingerprint
from fraudstream.ml.training.decision import THRESHOLD, Bands, bands_for
from fraudstream.ml.training.fitting import Algorithm, Fitted, Tuning, contributions, fitted
from fraudstream.ml.training.priority import give_way
from fraudstream.ml.training.split import Split, label_delay_ms, split
from fraudstream.ml.usable import NOTHING_LEFT_OUT, LeftOut

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from pyspark.sql import SparkSession

# Rare frauds that a model has to learn from, and that it is measured on: with fewer, chance decides what it is worth.
_RARE_LEARNT, _RARE_HELD_OUT = 10, 4

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A registered training; ``promoted`` says whether it became the champion."""

    algorithm: str
    version: str
    promoted: bool
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """An algorithm that could not be trained or registered, and why."""

    algorithm: str
    reason: str


@dataclass(slots=True)
class Result:
    """The registered models, the failed algorithms, and the rows of the history that were not used."""

    left_out: LeftOut
    trained: list[Outcome] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def train(
    spark: Callable[[], SparkSession],
    settings: Settings,
    algorithms: tuple[Algorithm, ...],
    seed: int,
    awaited: int,
    report: Callable[[str], None],
    tuning: Tuning | None = None,
) -> Result:
    """Train the algorithms in the given order on the stored history; each is registered before the next one starts.

    Begins once at least ``awaited`` labelled transactions are stored or rejected, and reports each step. From the
    second algorithm on, the process runs at a low priority, so that the first champion's traffic comes first. An
    algorithm that fails does not stop the others. ``spark`` starts Spark, for an algorithm that needs it; ``tuning`` is
    the budget for further parameters, where the algorithm has any.

    Raises :class:`ModelError` (nothing to learn from), :class:`StoreUnavailable`, :class:`RegistryUnavailable`.
    """
    await_history(settings, awaited, report)
    report("reading the history")
    stored = read_history(settings)
    if stored.left_out.count:
        log.warning("history_rows_left_out", **stored.left_out.to_json())
    history = checked(stored.rows, stored.left_out)
    client = registry_client(settings)
    # Raises before the training, and not after it, if the registry is away.
    champion_version(settings, client)
    parts = split(history)
    check_classes(parts)
    training = Training(
        settings, client, spark, parts, described(parts, stored.left_out), seed, stored.left_out, tuning
    )
    result = Result(stored.left_out)
    with tempfile.TemporaryDirectory(prefix="fraudstream-train-") as scratch:
        for algorithm in algorithms:
            if result.trained or result.failed:
                give_way()
            report(f"training {algorithm} on {int(parts.learnt.sum()):,} transactions")
            try:
                outcome = training.run(algorithm, Path(scratch))
            except Exception as error:
                # The libraries of an algorithm raise errors of any kind. The other algorithm may not need them.
                reason = str(error) if isinstance(error, FraudstreamError) else one_line(error)
                log.warning("algorithm_failed", algorithm=algorithm, reason=reason)
                log.debug("algorithm_failed", exc_info=True)
                result.failed.append(Failure(algorithm, reason))
            else:
                result.trained.append(outcome)
    return result


def described(parts: Split, left_out: LeftOut = NOTHING_LEFT_OUT) -> dict[str, str]:
    """The rows of a training as parameters of its runs: how many, from when to when, and what they are known by."""
    moments = parts.history[EVENT_TIME].to_numpy()
    return {
        "dataset_fingerprint": fingerprint(parts.history),
        "dataset_rows": str(len(parts.history)),
        "dataset_train_rows": str(int(parts.learnt.sum())),
        "dataset_test_rows": str(int(parts.held_out.sum())),
        "dataset_unknown_rows": str(len(moments) - int(parts.learnt.sum()) - int(parts.held_out.sum())),
        "dataset_left_out_rows": str(left_out.count),
        "dataset_split": "the latest",
        "dataset_label_delay_hours": f"{label_delay_ms() / HOUR_MS:g}",
        "dataset_from": moment_text(moments.min()),
        LEARNT_UNTIL: moment_text(parts.learnt_until),
        "dataset_test_from": moment_text(moments[parts.held_out].min()),
        "dataset_until": moment_text(moments.max()),
        "code_fingerprint": code_fingerprint(),
    }


def check_classes(split: Split) -> None:
    """Raises :class:`ModelError` if one class has too few rows to learn from, or too few that are held out."""
    learnt, held_out = (np.bincount(labels, minlength=2) for labels in (split.train[1], split.test[1]))
    is_rare = learnt[1] < RARE_SHARE * learnt.sum()
    least_learnt, least_held_out = (_RARE_LEARNT, _RARE_HELD_OUT) if is_rare else (FOLDS, 1)
    if held_out.min() < least_held_out or learnt.min() < least_learnt:
        needed = f"{least_learnt} of each are needed"
        more = f"; {least_held_out} of each are needed" if least_held_out > 1 else ""
        raise ModelError(
            f"{len(split.history):,} labelled transactions are too few to hold some of each class out: there are "
            f"{learnt[0]:,} legitimate ones and {learnt[1]:,} frauds to learn from ({needed}), "
            f"{held_out[0]:,} and {held_out[1]:,} held out{more}. Publish more with `fraudstream generate history`."
        )


@dataclass(frozen=True, slots=True)
class Training:
    """What the algorithms of one training share. ``dataset``: parameters of the run that describe its rows."""

    settings: Settings
    client: MlflowClient
    spark: Callable[[], SparkSession]
    split: Split
    dataset: Mapping[str, str]
    seed: int
    left_out: LeftOut = NOTHING_LEFT_OUT
    tuning: Tuning | None = None

    def run(self, algorithm: Algorithm, scratch: Path) -> Outcome:
        """Fit, calibrate, evaluate and register one algorithm's model. Raises :class:`RegistryUnavailable`."""
        native = scratch / "spark-model" if algorithm == "gbt" else None
        raw = fitted(algorithm, self.split, self.seed, self.tuning, self.spark, scratch)
        scale = calibration.chosen(raw.validation) if raw.validation is not None else calibration.NONE
        model = raw.calibrated(scale)
        bands = self._bands(raw, scale)
        test_scores = model.scores(self.split.test[0])
        evaluation = self._evaluated(algorithm, model, bands, test_scores)
        measured = evaluation.metrics | self._beside(model, raw, bands)
        measured |= {f"calibration_brier_{method}": brier for method, brier in scale.brier.items()}
        reference = self._reference(test_scores, bands.threshold)
        trained = Trained(
            algorithm,
            {**model.parameters, **scale.parameters(), "seed": self.seed},
            measured,
            bands.threshold,
            self.split.test[1],
            test_scores,
            model.save,
            model.portable(),
            native,
            {EVALUATION_FILE: evaluation.document, REFERENCE_FILE: reference.to_json()},
            bands.decline_from,
        )
        return self._registered(trained)

    def _bands(self, raw: Fitted, scale: calibration.Calibration) -> Bands:
        """The thresholds, chosen on rows that were not learnt from and are not the held-out ones."""
        if raw.validation is None:
            # So few rows that all were learnt from: what decides by their scores is not to be trusted.
            return Bands(THRESHOLD)
        _, labels = self.split.train
        scores = calibration.probability(scale.margins(raw.validation.margins))
        amounts = Rows.of(self.split.history[self.split.learnt]).amounts[raw.validation.rows]
        return bands_for(float(labels.mean()), scores, amounts, PROJECT.definition.model, raw.validation.weights)

    def _evaluated(self, algorithm: Algorithm, model: Fitted, bands: Bands, scores: np.ndarray) -> Evaluation:
        features, _ = self.split.test
        rows = Rows.of(self.split.history[self.split.held_out])
        decided = Decided(scores, bands.threshold, bands.decline_from)
        importance = np.abs(contributions(algorithm, model, features, self.seed)).mean(axis=0)
        return evaluate(rows, decided, self.seed, dict(zip(FEATURES, importance.tolist(), strict=True)))

    def _beside(self, model: Fitted, raw: Fitted, bands: Bands) -> dict[str, float]:
        """Figures of the training's own: how much was learnt by heart, and what a plain model is worth."""
        features, labels = self.split.train
        test_features, test_labels = self.split.test
        learnt = metrics(labels, model.scores(features), bands.threshold)["average_precision"]
        plain = baseline.logistic(features, labels, test_features, self.seed)
        return {
            "train_average_precision": learnt,
            "logistic_average_precision": metrics(test_labels, plain, bands.threshold)["average_precision"],
            **{f"cv_average_precision_depth_{depth}": value for depth, value in raw.validated.items()},
            **raw.figures,
        }

    def _reference(self, test_scores: np.ndarray, threshold: float) -> Reference:
        """Of the inputs of all rows that the model learnt from or is measured on, in the order of time."""
        inputs = np.concatenate([self.split.train[0], self.split.test[0]])
        used = self.split.history[self.split.learnt | self.split.held_out]
        return Reference.of(dict(zip(FEATURES, inputs.T, strict=True)), test_scores, threshold, Rows.of(used).campaigns)

    def _registered(self, trained: Trained) -> Outcome:
        example = self.split.history[list(FEATURES)].head(3).reset_index(drop=True)
        promoted = False

        def compare(version: str) -> None:
            nonlocal promoted
            promoted = promote_if_better(self.settings, self.client, version, trained.test_scores, self.split)

        try:
            version = register(self.settings, self.client, trained, example, self.dataset, compare, str(self.left_out))
        except MlflowException as error:
            raise registry_error(self.settings, error) from error
        log.info("model_registered", algorithm=trained.algorithm, version=version, promoted=promoted)
        return Outcome(trained.algorithm, version, promoted, dict(trained.metrics))


def promote_if_better(
    settings: Settings, client: MlflowClient, version: str, test_scores: np.ndarray, split: Split
) -> bool:
    """Promote the version if its average precision is better than the champion's on rows that neither learnt from.

    These are the held-out rows behind the champion's latest one, or all held-out ones if too few frauds are among them.
    ``test_scores`` are the version's own of all held-out rows. Any version is better than a champion that cannot be
    loaded, that is of another project, or that cannot score all of these rows. Returns whether it was promoted.
    """
    champion = champion_version(settings, client)
    if champion is not None:
        rows = split.history[split.held_out]
        try:
            loaded = load_version(settings, champion)
            require_fit(settings, champion)
            compared = _new_to_both(rows, learnt_until(settings, client, champion))
            known_scores = scores_of(loaded, rows[compared])
        except ModelError as error:
            log.warning("champion_replaced", version=champion, reason=str(error))
        else:
            labels = rows[LABEL].to_numpy()[compared]
            new, old = (metrics(labels, scores, THRESHOLD) for scores in (test_scores[compared], known_scores))
            if new["average_precision"] <= old["average_precision"]:
                return False
    give_role(settings, version, client)
    return True


def _new_to_both(rows: pd.DataFrame, until: int | None) -> np.ndarray:
    """Which held-out rows are behind ``until``, in milliseconds since 1970; all where it says nothing."""
    everything = np.ones(len(rows), dtype=bool)
    if until is None:
        return everything
    behind = rows[EVENT_TIME].to_numpy() > until
    frauds = rows[LABEL].to_numpy()[behind]
    return behind if min(frauds.sum(), len(frauds) - frauds.sum()) >= _RARE_HELD_OUT else everything
