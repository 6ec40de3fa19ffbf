"""The champion's trees as a file beside the checkpoints, replaced at each promotion: what embedded scoring reads."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError, ModelError, RegistryUnavailable
from fraudstream.core.kafka.progress import STREAM_GROUP, ProgressReporter
from fraudstream.core.output.text import error_text, told_text
from fraudstream.core.registry import champion_version, registry_client
from fraudstream.core.streaming.health import Failing, announce_failing, announce_ready
from fraudstream.spark.failures import failure_of
from fraudstream.stream.trees import read_trees

# What training logs with each version; see fraudstream.ml.algorithms.portable.
_FLAVOR = "fraudstream_trees"
_LOOK_SECONDS = 0.5
_LONGEST_REASON = 500
_ADVICE = "`fraudstream models list` shows the versions, `fraudstream models promote` takes another one."

log = structlog.get_logger(__name__)


def champion_file(settings: Settings) -> Path:
    """Where the trees lie; on a cluster the data folder has to be one that all executors see."""
    return settings.data_dir.absolute() / "champion" / "trees.json"


class ChampionFollower:
    """Looks for a new champion every ``champion_poll_seconds`` and writes its trees to :func:`champion_file`.

    ``refused``: why the champion that there is cannot be taken up, while it cannot; to wait for a first one, or for a
    registry that is away, is no reason.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = champion_file(settings)
        self._written = self._version_of_file()
        self._failure = ""
        self.refused: Failing | None = None

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
            self.refused = None
            self._tell("no version is tagged as the champion any more" if self._written and not version else "")
        except Exception as error:  # the thread is the only one that looks: it has to outlive whatever MLflow raises
            self._missed(error)

    def _missed(self, error: Exception) -> None:
        failure, known = failure_of(error), isinstance(error, FraudstreamError | OSError)
        reason = failure.reason
        if not known:
            reason = f"The champion cannot be looked up ({type(error).__name__}: {reason})"
        if not isinstance(error, RegistryUnavailable):
            since = self.refused.since if self.refused else datetime.now(UTC)
            # Other errors of ours say themselves what to do.
            own = "" if isinstance(error, FraudstreamError) else failure.advice
            self.refused = Failing(since, reason, _ADVICE if isinstance(error, ModelError) else own)
        goes_on = f" Scoring goes on with version {self._written}." if self._written else ""
        # The texts of errors that nobody has foreseen may be new each time.
        self._tell(f"{reason.rstrip('.')}.{goes_on}", cause=reason if known else type(error).__name__)

    def _tell(self, problem: str, cause: str = "") -> None:
        if problem and (cause or problem) != self._failure:
            log.warning("champion_not_taken_up", reason=told_text(problem, _LONGEST_REASON), version=self._written)
        self._failure = cause or problem

    def _write(self, version: str) -> None:
        trees = download_trees(self._settings, version)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"trees.{os.getpid()}.part")
        partial.write_text(json.dumps(trees | {"version": version}), "utf-8")
        partial.replace(self._file)
        self._written = version

    def _version_of_file(self) -> str | None:
        """The version at hand; none where the file is not whole, so that it is fetched again."""
        try:
            trees = read_trees(self._file)
            return str(trees["version"])
        except (OSError, ValueError, KeyError):
            return None


def await_champion(settings: Settings, stop: threading.Event) -> None:
    """Follow the champion from here on; returns once there is one that can score (or at ``stop``).

    To wait for the first one is no failure; one that cannot score is.
    """
    follower, reporter, told = ChampionFollower(settings), ProgressReporter(settings, STREAM_GROUP), None
    threading.Thread(target=follower.follow, args=(stop,), name="champion", daemon=True).start()
    while not follower.has_champion and not stop.wait(_LOOK_SECONDS):
        if (refused := follower.refused) != told:
            told = refused
            _announce(reporter, told)
    if told and follower.has_champion:
        _announce(reporter, None)
    reporter.close()


def _announce(reporter: ProgressReporter, refused: Failing | None) -> None:
    if refused is None:
        announce_ready()
    else:
        announce_failing(refused)
    reporter.fail(refused)


def download_trees(settings: Settings, version: str) -> dict[str, object]:
    """The trees of a registered version. Raises :class:`ModelError` where it has none that can score."""
    import mlflow
    from mlflow.models import Model

    registry_client(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="fraudstream-champion-") as scratch:
            uri = f"models:/{settings.model_name}/{version}"
            folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=scratch))
            flavor = Model.load(folder).flavors.get(_FLAVOR)
            if flavor is not None:
                file = (folder / flavor["data"]).resolve()
                if not file.is_relative_to(folder.resolve()):
                    raise ValueError(f"its flavor names a file outside of the version, {flavor['data']!r}")
                return read_trees(file)
    except Exception as error:
        raise ModelError(
            f"The trees of version {version} of {settings.model_name!r} cannot be fetched ({error_text(error)})."
        ) from error
    raise ModelError(
        f"Version {version} of {settings.model_name!r} has no flavor {_FLAVOR}, which embedded scoring needs. "
        "Promote a version that `fraudstream train` made, or score with FRAUDSTREAM_SCORING=remote."
    )
