"""The model of all contenders: the project's own code trains and registers it, and the cache keeps it."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson
import xgboost

from fraudstream.bench.harness import made_events, source
from fraudstream.core.contract.event import FEATURES, PROJECT, parse_event
from fraudstream.core.errors import ModelError
from fraudstream.generator.simulators.payments import distributions, transactions
from fraudstream.ml import features, model_code
from fraudstream.ml.algorithms import boosting, portable
from fraudstream.runtime.parts.artifacts import cache_dir

HISTORY = 20_000
SEED = 7
# As many trees as the model of payments has, as deep: another project then differs in its events alone.
TREES, DEPTH = 600, 1


@dataclass(frozen=True, slots=True)
class BenchModel:
    """A registry with one champion, and the folder with its ``booster.ubj`` and ``model.json``."""

    folder: Path
    fingerprint: str

    @property
    def tracking_uri(self) -> str:
        """The registry's address: a file, so that no server takes part in a measurement."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def booster(self) -> Path:
        """The registered version's folder with the files that the workers read."""
        return next(self.folder.glob("**/booster.ubj")).parent

    @property
    def trees(self) -> int:
        """The number of trees in the ensemble."""
        file = next(self.folder.glob(f"**/{portable.FILE_NAME}"))
        return len(json.loads(file.read_text("utf-8"))["roots"])


def fingerprint() -> str:
    """A digest of the code that trains the model, of its data and of its libraries."""
    digest = hashlib.sha256(f"{HISTORY} {SEED} {xgboost.__version__} {version('mlflow')}".encode())
    for module in (distributions, transactions, made_events, boosting, features, model_code, portable):
        digest.update(inspect.getsource(module).encode())
    digest.update(repr((PROJECT.definition, PROJECT.rules)).encode())
    text = digest.hexdigest()[:16]
    # In groups, so that it does not look like a key.
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def trained_model() -> BenchModel:
    """The model; the first call trains it."""
    model = BenchModel(cache_dir() / "bench" / f"model-{fingerprint()}", fingerprint())
    if not model.folder.exists():
        # Addresses of artifacts are absolute: the folder is made in its final place, and removed after a failure.
        try:
            _train(model)
        except BaseException:
            shutil.rmtree(model.folder, ignore_errors=True)
            raise
    return model


def _fitted(features: np.ndarray, labels: np.ndarray) -> boosting.Fitted:
    if PROJECT.definition.source.generator is not None:
        return boosting.fit(features, labels, SEED)
    parameters = boosting.PARAMETERS | {"n_estimators": TREES, "max_depth": DEPTH, "random_state": SEED}
    return boosting.Fitted(xgboost.XGBClassifier(**parameters).fit(features, labels), parameters, {})


def _train(registry: BenchModel) -> None:
    import pandas as pd

    from fraudstream.bench.harness.stage import isolated
    from fraudstream.core.registry import registry_client
    from fraudstream.ml.evaluation.metrics import metrics
    from fraudstream.ml.history import checked
    from fraudstream.ml.history import fingerprint as data_fingerprint
    from fraudstream.ml.registry import promote
    from fraudstream.ml.tracking import EXPERIMENT, Trained, register
    from fraudstream.ml.training.decision import THRESHOLD
    from fraudstream.ml.training.split import split as parts_of

    registry.folder.mkdir(parents=True)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for chatty in ("mlflow", "alembic", "py.warnings"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    settings = isolated(mlflow_tracking_uri=registry.tracking_uri)
    client = registry_client(settings)
    client.create_experiment(EXPERIMENT, artifact_location=(registry.folder / "artifacts").as_uri())
    events = list(source.history(HISTORY, SEED))
    moments = [int(parse_event(event).time.timestamp() * 1000) for event in events]
    history = checked(pd.DataFrame(map(orjson.loads, events)).assign(**{features.EVENT_TIME: moments}))
    split = parts_of(history)
    fitted = _fitted(*split.train)
    test_features, test_labels = split.test
    scores = fitted.scores(test_features)
    model = Trained(
        "xgboost",
        fitted.parameters,
        metrics(test_labels, scores, THRESHOLD),
        THRESHOLD,
        test_labels,
        scores,
        fitted.save,
        fitted.portable(),
    )
    example = history[list(FEATURES)].head(3).reset_index(drop=True)
    number = register(settings, client, model, example, {"dataset_fingerprint": data_fingerprint(history)})
    promote(settings, number, client)
    if not (registry.booster / "model.json").exists():
        raise ModelError(f"Version {number} in {registry.folder} holds no model.json beside its booster.")
