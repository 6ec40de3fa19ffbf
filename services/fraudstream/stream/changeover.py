"""The change between scoring in the stream job and scoring by the service, as the champion has trees or has none.

Real-time mode takes no Python, so that a champion without trees is scored by the scoring service in micro-batches. Both
queries have one checkpoint: the second goes on where the first has stopped, and no event is lost. The first one stops
when a batch of it is finished, because what it has scored since then is scored once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from fraudstream.core.configuration.settings import REMOTE, Settings
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.stream.champion import version_elsewhere

# A batch without any record may never be finished.
_LONGEST_SECONDS = 30.0

log = structlog.get_logger(__name__)


def in_force(settings: Settings) -> Settings:
    """The settings as the champion lets them be: scored by the service in micro-batches, if it has no trees."""
    if settings.scoring == "embedded" and version_elsewhere(settings) is not None:
        return settings.model_copy(update=dict(REMOTE))
    return settings


class Changeover:
    """Says when the running query, started with ``running`` settings, has to make room for one of the other kind."""

    def __init__(self, settings: Settings, checkpoint: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        self._clock = clock
        self._began: tuple[float, Mapping[Any, int]] | None = None

    def is_due(self, running: Settings, is_idle: Callable[[], bool]) -> bool:
        """Whether the query is to stop now. ``is_idle`` says of one in micro-batches that it has nothing to do.

        Raises :class:`CheckpointMisfit` where Spark's files cannot be read.
        """
        wanted = in_force(self._settings)
        if wanted.scoring == running.scoring:
            self._began = None
            return False
        finished = Checkpoint.of(self._settings, self._checkpoint).committed()
        if self._began is None:
            self._began = self._clock(), finished
            log.info("scoring_changes_over", scoring=wanted.scoring, trigger=wanted.trigger)
        since, before = self._began
        longest = _LONGEST_SECONDS + (running.realtime_checkpoint_seconds if running.trigger == "realtime" else 0)
        is_between = running.trigger == "microbatch" and is_idle()
        if finished != before or is_between or self._clock() - since >= longest:
            self._began = None
            return True
        return False
