"""What a version's training left in the registry: parameters, figures, documents and pictures of its run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.registry import registry_error, role_of
from fraudstream.ml.evaluation.held_out import EVALUATION_FILE
from fraudstream.ml.registry import PREDECESSOR, registered_version

if TYPE_CHECKING:
    from mlflow import MlflowClient

PICTURES = ("precision_recall.png", "calibration.png", "confusion.png")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """``evaluation`` is empty for a version that another program or an older training registered."""

    version: str
    role: str
    predecessor: str
    created_at_ms: int
    run_id: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def read_record(settings: Settings, client: MlflowClient, version: str) -> RunRecord:
    """The record of a version. Raises :class:`ModelError` if it does not exist, and :class:`RegistryUnavailable`."""
    registered = registered_version(settings, client, version)
    try:
        run = client.get_run(registered.run_id) if registered.run_id else None
    except MlflowException as error:
        raise registry_error(settings, error) from error
    run_id = registered.run_id or ""
    with tempfile.TemporaryDirectory(prefix="fraudstream-report-") as folder:
        evaluation = _file(client, run_id, EVALUATION_FILE, folder)
        files = {name: _file(client, run_id, f"plots/{name}", folder) for name in PICTURES}
    return RunRecord(
        version,
        role_of(registered.tags),
        registered.tags.get(PREDECESSOR, ""),
        int(registered.creation_timestamp),
        run_id,
        dict(run.data.params) if run else {},
        dict(run.data.metrics) if run else {},
        dict(run.data.tags) if run else {},
        json.loads(evaluation) if evaluation else {},
        {name: content for name, content in files.items() if content},
    )


def _file(client: MlflowClient, run_id: str, place: str, folder: str) -> bytes:
    """An artifact of a run; empty where it has none."""
    try:
        return Path(client.download_artifacts(run_id, place, folder)).read_bytes() if run_id else b""
    except (MlflowException, OSError):
        return b""
