"""The champion's trees as a file beside the checkpoints, replaced at each promotion: what embedded scoring reads."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path

import structlog

from fraudstream.core.errors import FraudstreamError, ModelError
from fraudstream.core.registry import champion_version, registry_client
from fraudstream.core.settings import Settings

# What training logs with each version; see fraudstream.ml.portable.
_FLAVOR = "fraudstream_trees"

log = structlog.get_logger(__name__)


def champion_file(settings: Settings) -> Path:
    """Where the trees lie; on a cluster the data folder has to be one that all executors see."""
    return settings.data_dir.absolute() / "champion" / "trees.json"


class ChampionFollower:
    """Looks for a new champion every ``champion_poll_seconds`` and writes its trees to :func:`champion_file`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = champion_file(settings)
        self._written = self._version_of_file()
        self._failure = ""

    @property
    def has_champion(self) -> bool:
        """Whether there are trees to score with, be they from an earlier run."""
        return self._written is not None

    def follow(self, stop: threading.Event) -> None:
        """Look and write until ``stop``; a registry that is away only delays the next champion."""
        while not stop.is_set():
            self.look()
            stop.wait(self._settings.champion_poll_seconds)

    def look(self) -> None:
        """Look once. What goes wrong is logged, once for each cause."""
        try:
            version = champion_version(self._settings, registry_client(self._settings))
            if version is not None and version != self._written:
                self._write(version)
                log.info("champion_taken_up", model=self._settings.model_name, version=version)
            self._failure = ""
        except (FraudstreamError, OSError) as error:
            if str(error) != self._failure:
                self._failure = str(error)
                log.warning("champion_not_taken_up", reason=str(error)[:500], version=self._written)

    def _write(self, version: str) -> None:
        trees = download_trees(self._settings, version)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"trees.{os.getpid()}.part")
        partial.write_text(json.dumps(trees | {"version": version}), "utf-8")
        partial.replace(self._file)
        self._written = version

    def _version_of_file(self) -> str | None:
        try:
            return str(json.loads(self._file.read_text("utf-8"))["version"])
        except (OSError, ValueError, KeyError):
            return None


def download_trees(settings: Settings, version: str) -> dict[str, object]:
    """The trees of a registered version. Raises :class:`ModelError` where it has none."""
    import mlflow
    from mlflow.models import Model

    registry_client(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="fraudstream-champion-") as scratch:
            uri = f"models:/{settings.model_name}/{version}"
            folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=scratch))
            flavor = Model.load(folder).flavors.get(_FLAVOR)
            if flavor is not None:
                trees: dict[str, object] = json.loads((folder / flavor["data"]).read_text("utf-8"))
                return trees
    except Exception as error:
        raise ModelError(
            f"The trees of version {version} of {settings.model_name!r} cannot be fetched "
            f"({type(error).__name__}: {str(error)[:300]}). Scoring goes on with the version at hand."
        ) from error
    raise ModelError(
        f"Version {version} of {settings.model_name!r} has no flavor {_FLAVOR}, which embedded scoring needs. "
        "Promote a version that `fraudstream train` made, or score with FRAUDSTREAM_SCORING=remote."
    )
