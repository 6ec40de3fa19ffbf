"""One training: read the history, fit, evaluate, register, and let the better model be the champion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import structlog
from mlflow.exceptions import MlflowException

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import FraudstreamError, ModelError
from fraudstream.core.registry import FraudModel, champion_version, load_version, registry_client, registry_error
from fraudstream.ml.decision import THRESHOLD as THRESHOLD
from fraudstream.ml.decision import threshold_for
from fraudstream.ml.evaluation import metrics
from fraudstream.ml.failures import one_line
from fraudstream.ml.features import FOLDS, IS_ORDERED, LABEL, RARE_SHARE, held_out, matrix
from fraudstream.ml.history import await_history, checked, fingerprint, read_history
from fraudstream.ml.priority import give_way
from fraudstream.ml.registry import give_role, require_fit
from fraudstream.ml.tracking import Trained, register
from fraudstream.ml.usable import NOTHING_LEFT_OUT, LeftOut

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from pyspark.sql import SparkSession

Algorithm = Literal["xgboost", "gbt"]

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


@dataclass(frozen=True, slots=True)
class Split:
    """The rows that every algorithm gets. Each part: inputs, float64, shape (n, inputs), and labels 0/1, shape (n,)."""

    history: pd.DataFrame
    held_out: np.ndarray

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return self._part(~self.held_out)

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        return self._part(self.held_out)

    def _part(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = self.history[mask]
        return matrix(rows), rows[LABEL].to_numpy()


def train(
    spark: Callable[[], SparkSession],
    settings: Settings,
    algorithms: tuple[Algorithm, ...],
    seed: int,
    awaited: int,
    report: Callable[[str], None],
) -> Result:
    """Train the algorithms in the given order on the stored history; each is registered before the next one starts.

    Begins once at least ``awaited`` labelled transactions are stored or rejected, and reports each step. From the
    second algorithm on, the process runs at a low priority, so that the first champion's traffic comes first. An
    algorithm that fails does not stop the others. ``spark`` starts Spark, for an algorithm that needs it.

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
    split = Split(history, held_out(history))
    check_classes(split)
    dataset = {
        "dataset_fingerprint": fingerprint(history),
        "dataset_rows": str(len(history)),
        "dataset_train_rows": str(int((~split.held_out).sum())),
        "dataset_test_rows": str(int(split.held_out.sum())),
        "dataset_left_out_rows": str(stored.left_out.count),
        "dataset_split": "the latest" if IS_ORDERED else "by id",
    }
    training = Training(settings, client, spark, split, dataset, seed, stored.left_out)
    result = Result(stored.left_out)
    with tempfile.TemporaryDirectory(prefix="fraudstream-train-") as scratch:
        for algorithm in algorithms:
            if result.trained or result.failed:
                give_way()
            report(f"training {algorithm} on {dataset['dataset_train_rows']} transactions")
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

    def run(self, algorithm: Algorithm, scratch: Path) -> Outcome:
        """Fit, evaluate and register one algorithm's model. Raises :class:`RegistryUnavailable`."""
        train_features, train_labels = self.split.train
        test_features, test_labels = self.split.test
        native: Path | None = None
        validated: dict[int, float] = {}
        fitted: Any
        if algorithm == "xgboost":
            from fraudstream.ml.algorithms import boosting

            fitted = boosting.fit(train_features, train_labels, self.seed)
            validated = fitted.validated
        else:
            from fraudstream.ml.algorithms import gbt

            native = scratch / "spark-model"
            fitted = gbt.fit(self.spark(), train_features, train_labels, self.seed, native)
        train_scores, test_scores = fitted.scores(train_features), fitted.scores(test_features)
        threshold = threshold_for(float(train_labels.mean()), test_scores)
        measured = metrics(test_labels, test_scores, threshold)
        measured["train_average_precision"] = metrics(train_labels, train_scores, threshold)["average_precision"]
        measured |= {f"cv_average_precision_depth_{depth}": value for depth, value in validated.items()}
        trained = Trained(
            algorithm,
            fitted.parameters,
            measured,
            threshold,
            test_labels,
            test_scores,
            fitted.save,
            fitted.portable(),
            native,
        )
        example = self.split.history[list(FEATURES)].head(3).reset_index(drop=True)
        promoted = False

        def compare(version: str) -> None:
            nonlocal promoted
            promoted = promote_if_better(self.settings, self.client, version, measured["average_precision"], self.split)

        try:
            version = register(self.settings, self.client, trained, example, self.dataset, compare, str(self.left_out))
        except MlflowException as error:
            raise registry_error(self.settings, error) from error
        log.info("model_registered", algorithm=algorithm, version=version, promoted=promoted)
        return Outcome(algorithm, version, promoted, measured)


def promote_if_better(
    settings: Settings, client: MlflowClient, version: str, average_precision: float, split: Split
) -> bool:
    """Promote the version if it is better than the champion on the held-out rows, which neither has learnt from.

    (Where the latest rows are held out, that is so as long as no older ones are added to the history.)

    Any version is better than a champion that cannot be loaded, that is of another project, or that cannot score all of
    these rows. Returns whether the version was promoted.
    """
    champion = champion_version(settings, client)
    if champion is not None:
        try:
            model = load_version(settings, champion).model
            require_fit(settings, champion)
            to_beat = _average_precision(model, split)
        except ModelError as error:
            log.warning("champion_replaced", version=champion, reason=str(error))
        else:
            if average_precision <= to_beat:
                return False
    give_role(settings, version, client)
    return True


def _average_precision(champion: FraudModel, split: Split) -> float:
    """Its average precision on the held-out rows. Raises :class:`ModelError` if it does not give each a probability.

    A champion may have been registered by another program, so its code may raise errors of any kind.
    """
    held_out = split.history[split.held_out]
    columns = {name: held_out[name].tolist() for name in FEATURES}
    try:
        scores = np.asarray(champion.score_columns(columns), dtype=np.float64)
        return metrics(held_out[LABEL].to_numpy(), scores, THRESHOLD)["average_precision"]
    except Exception as error:
        raise ModelError(f"it does not score each of {len(held_out):,} transactions ({one_line(error)})") from error
