"""A trained model into MLflow: its run, its artifacts, its registered version."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import structlog
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES, OPTIONAL_FEATURES
from fraudstream.core.registry import CHALLENGER, ROLE_TAG
from fraudstream.ml import signature
from fraudstream.ml.algorithms import portable
from fraudstream.ml.evaluation import plots
from fraudstream.ml.failures import one_line
from fraudstream.ml.features import CODES

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "fraud"
_MODEL_CODE = Path(__file__).with_name("model_code.py")
log = structlog.get_logger(__name__)
# What model_code.py imports for every algorithm.
_REQUIREMENTS = ("mlflow", "numpy", "pandas")
# XGBoost has two names: where there is a wheel without the build for graphics cards, that one is installed.
_XGBOOST = {
    "xgboost-cpu": "sys_platform == 'linux' and (platform_machine == 'x86_64' or platform_machine == 'aarch64')",
    "xgboost": "sys_platform != 'linux' or (platform_machine != 'x86_64' and platform_machine != 'aarch64')",
}


@dataclass(frozen=True, slots=True)
class Trained:
    """What one training hands over.

    ``save`` writes the trees as they are served, ``portable`` holds them for the stream job's Java process, ``native``
    is the folder of the algorithm's own form, where it has one. ``documents`` are JSON-ready objects that are logged
    with the run, by their files' names.
    """

    algorithm: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    threshold: float
    test_labels: np.ndarray
    test_scores: np.ndarray
    save: Callable[[Path], None]
    portable: Mapping[str, Any]
    native: Path | None = None
    documents: Mapping[str, Any] = field(default_factory=dict)
    decline_from: float | None = None

    def trees_text(self) -> str:
        """The file of the trees for the stream job."""
        return portable.file_text(dict(self.portable), self.threshold, list(FEATURES), CODES)


def register(
    settings: Settings,
    client: MlflowClient,
    trained: Trained,
    example: pd.DataFrame,
    dataset: Mapping[str, str],
    on_registered: Callable[[str], None] = lambda _: None,
    left_out: str = "",
) -> str:
    """Log the run and register the model; returns the version's number as text.

    ``on_registered`` gets that number as soon as the version can be served. Plots and the algorithm's own form are
    logged after that, as nobody waits for them; if that fails, a warning is logged and the version stays.
    ``left_out`` describes the rows of the history that were not used. A run that does not end well is marked FAILED,
    or KILLED by a signal.

    The model is saved and logged as plain artifacts and the version is created from them: MLflow 3's ``log_model``
    needs the logged-models API, which Azure ML's registry answers with 404 (azure-sdk-for-python, issue 44896).
    """
    # MLflow prints the address of each finished run to stdout, where the command writes its own answer.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    # In a uv project, a clone of ours or the user's own, MLflow logs its pyproject.toml and uv.lock with the model.
    os.environ["MLFLOW_UV_AUTO_DETECT"] = "false"
    run_id = client.create_run(_experiment(client), run_name=trained.algorithm).info.run_id
    try:
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, _now_ms(), 0) for name, value in trained.metrics.items()],
            params=[Param(name, str(value)) for name, value in (*trained.parameters.items(), *dataset.items())],
            tags=[RunTag(name, value) for name, value in _tags(trained, left_out).items() if value],
        )
        with tempfile.TemporaryDirectory(prefix="fraudstream-model-") as scratch:
            served, extras = Path(scratch) / "served", Path(scratch) / "extras"
            _save_model(served / "model", trained, example)
            _write_documents(served, trained)
            client.log_artifacts(run_id, str(served))
            version = str(_create_version(settings, client, run_id, trained.algorithm).version)
            on_registered(version)
            _log_extras(client, run_id, trained, extras)
    except BaseException as error:
        _end(client, run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    _end(client, run_id, "FINISHED")
    return version


def _tags(trained: Trained, left_out: str) -> dict[str, str]:
    """Two trainings of the same rows, code and seed have models of the same fingerprint."""
    digest = hashlib.sha256(trained.trees_text().encode()).hexdigest()
    return {"algorithm": trained.algorithm, "left_out": left_out, "model_fingerprint": digest}


def _write_documents(folder: Path, trained: Trained) -> None:
    for name, content in trained.documents.items():
        (folder / name).write_text(json.dumps(content, indent=1, allow_nan=False), "utf-8")


def _log_extras(client: MlflowClient, run_id: str, trained: Trained, extras: Path) -> None:
    """Log plots and the algorithm's own form. A failure is only logged: the version serves without them."""
    try:
        plots.draw(extras / "plots", trained.test_labels, trained.test_scores, trained.threshold)
        if trained.native is not None:
            shutil.copytree(trained.native, extras / "spark-model")
        client.log_artifacts(run_id, str(extras))
    except Exception as error:
        log.warning("run_without_plots", run=run_id, reason=one_line(error))


def _end(client: MlflowClient, run_id: str, status: str) -> None:
    try:
        client.set_terminated(run_id, status)
    except MlflowException as error:
        # The registry went away. The caller gets the error that ended the run.
        log.warning("run_not_ended", run=run_id, status=status, reason=one_line(error))


def requirements(algorithm: str) -> list[str]:
    """What it takes to serve a model of the algorithm, as pip reads it on any machine, at the installed versions."""
    lines = [f"{name}=={installed(name)}" for name in _REQUIREMENTS]
    if algorithm == "xgboost":
        import xgboost

        lines += [f"{name}=={xgboost.__version__} ; {marker}" for name, marker in _XGBOOST.items()]
    return lines


def _save_model(folder: Path, trained: Trained, example: pd.DataFrame) -> None:
    description = {
        "algorithm": trained.algorithm,
        "threshold": trained.threshold,
        "decline_from": trained.decline_from,
        "features": list(FEATURES),
        "codes": CODES,
        "optional": sorted(OPTIONAL_FEATURES),
    }
    with tempfile.TemporaryDirectory(prefix="fraudstream-trees-") as scratch:
        trees = Path(scratch)
        trained.save(trees)
        (trees / "model.json").write_text(json.dumps(description, indent=2), "utf-8")
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(_MODEL_CODE),
            artifacts={"model": str(trees)},
            signature=ModelSignature(inputs=signature.of_project()),
            input_example=example,
            pip_requirements=requirements(trained.algorithm),
        )
    (folder / portable.FILE_NAME).write_text(trained.trees_text(), "utf-8")
    model = Model.load(folder)
    model.add_flavor(portable.FLAVOR, data=portable.FILE_NAME)
    model.save(folder / "MLmodel")


def _create_version(settings: Settings, client: MlflowClient, run_id: str, algorithm: str) -> Any:
    try:
        client.create_registered_model(settings.model_name, description="Scores card transactions for fraud.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        settings.model_name,
        source=f"{client.get_run(run_id).info.artifact_uri}/model",
        run_id=run_id,
        tags={ROLE_TAG: CHALLENGER, "algorithm": algorithm},
    )


def _experiment(client: MlflowClient) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return str(experiment.experiment_id if experiment is not None else client.create_experiment(EXPERIMENT))


def _now_ms() -> int:
    return int(pd.Timestamp.now("UTC").timestamp() * 1000)
