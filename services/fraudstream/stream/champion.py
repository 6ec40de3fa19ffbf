"""The champion's trees as a file beside the checkpoints, replaced at each promotion: what embedded scoring reads.

A champion without trees leaves a note there instead, and the scoring service scores with it.
"""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError, ModelError, RegistryUnavailable
from fraudstream.core.kafka.progress import STREAM_GROUP, ProgressReporter
from fraudstream.core.output.text import told_text
from fraudstream.core.registry import ChampionFollower, Missed
from fraudstream.core.streaming.health import Failing, announce_failing, announce_ready
from fraudstream.core.trees import PROMOTION_ADVICE, download_trees, read_trees
from fraudstream.spark.failures import failure_of

_LOOK_SECONDS = 0.5
_LONGEST_REASON = 500

log = structlog.get_logger(__name__)


def champion_file(settings: Settings) -> Path:
    """Where the trees lie; on a cluster the data folder has to be one that all executors see."""
    return settings.data_dir.absolute() / "champion" / "trees.json"


def version_elsewhere(settings: Settings) -> str | None:
    """The version that is scored by the service because it has no trees; None where the champion has trees."""
    try:
        return str(json.loads(_note(settings).read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(settings: Settings) -> Path:
    return champion_file(settings).with_name("elsewhere.json")


class ChampionTrees:
    """Writes the trees of each new champion to :func:`champion_file`, or the note that it has none.

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
        """Whether there is a champion to score with, here or elsewhere; an earlier run may have found it."""
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
            self.refused = Failing(since, reason, PROMOTION_ADVICE if isinstance(error, ModelError) else advice)
        return reason

    def _write(self, version: str) -> None:
        trees = download_trees(self._settings, version)
        note = _note(self._settings)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if trees is None:
            _replace(note, {"version": version})
        else:
            _replace(self._file, trees | {"version": version})
            note.unlink(missing_ok=True)
        scoring = "embedded" if trees is not None else "remote"
        log.info("champion_taken_up", model=self._settings.model_name, version=version, scoring=scoring)

    def _version_of_file(self) -> str | None:
        """The version at hand; None where its file is not whole, so that it is fetched again."""
        if (elsewhere := version_elsewhere(self._settings)) is not None:
            return elsewhere
        try:
            return str(read_trees(self._file)["version"])
        except (OSError, ValueError, KeyError):
            return None


def _replace(file: Path, content: dict[str, object]) -> None:
    partial = file.with_name(f"{file.stem}.{os.getpid()}.part")
    partial.write_text(json.dumps(content), "utf-8")
    partial.replace(file)


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
