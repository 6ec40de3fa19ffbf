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
from fraudstream.core.registry import ChampionFollower, Missed, registry_client
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


class ChampionTrees:
    """Writes the trees of each new champion to :func:`champion_file`.

    ``refused``: why the registry's champion cannot be taken up, while it cannot. A job that waits for the first
    champion, or for a registry that is away, is not refused one.
    """

    def __init__(self, settings: Settings, stop: threading.Event | None = None) -> None:
        self._settings = settings
        self._file = champion_file(settings)
        self._follower = ChampionFollower(settings, self._write, self._report, self._version_of_file(), stop)
        self.refused: Failing | None = None

    @property
    def has_champion(self) -> bool:
        """Whether there are trees to score with; an earlier run may have written them."""
        return self._follower.version is not None

    def follow(self) -> None:
        """Look for champions from here on, in a thread, until ``stop``."""
        self._follower.start()

    def look(self) -> None:
        """Look once. A cause for which it brings no new trees is logged once."""
        self._follower.look()

    def _report(self, missed: Missed | None) -> None:
        version = self._follower.version
        if missed is None or missed.error is None:
            self.refused = None
            problem = "no version is tagged as the champion any more" if missed and version else ""
        else:
            reason = self._refusal(missed.error)
            problem = f"{reason.rstrip('.')}." + (f" Scoring goes on with version {version}." if version else "")
        if missed and missed.is_news and problem:
            log.warning("champion_not_taken_up", reason=told_text(problem, _LONGEST_REASON), version=version)

    def _refusal(self, error: Exception) -> str:
        """The reason for what was raised, which also sets ``refused`` unless the registry is away."""
        failure = failure_of(error)
        reason = failure.reason
        if not isinstance(error, FraudstreamError | OSError):
            reason = f"The champion cannot be looked up ({type(error).__name__}: {reason})"
        if not isinstance(error, RegistryUnavailable):
            since = self.refused.since if self.refused else datetime.now(UTC)
            # Our other errors say themselves what to do.
            advice = "" if isinstance(error, FraudstreamError) else failure.advice
            self.refused = Failing(since, reason, _ADVICE if isinstance(error, ModelError) else advice)
        return reason

    def _write(self, version: str) -> None:
        trees = download_trees(self._settings, version)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_name(f"trees.{os.getpid()}.part")
        partial.write_text(json.dumps(trees | {"version": version}), "utf-8")
        partial.replace(self._file)
        log.info("champion_taken_up", model=self._settings.model_name, version=version)

    def _version_of_file(self) -> str | None:
        """The version whose trees the file holds; None where the file is not whole, so that it is fetched again."""
        try:
            return str(read_trees(self._file)["version"])
        except (OSError, ValueError, KeyError):
            return None


def await_champion(settings: Settings, stop: threading.Event) -> None:
    """Follow the champion from here on; returns once there is one that can score (or at ``stop``).

    A job that waits for the first champion does not fail; with a champion that cannot score it does.
    """
    trees, reporter, announced = ChampionTrees(settings, stop), ProgressReporter(settings, STREAM_GROUP), None
    trees.follow()
    while not trees.has_champion and not stop.wait(_LOOK_SECONDS):
        if (refused := trees.refused) != announced:
            announced = refused
            _announce(reporter, announced)
    if announced and trees.has_champion:
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
