"""The champion in memory, so that no request waits for the registry or for a model to load."""

from __future__ import annotations

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text
from fraudstream.core.registry import ChampionFollower, LoadedModel, Missed, load_version

log = structlog.get_logger(__name__)


class ServedChampion:
    """Loads each new champion, in a thread; ``loaded`` is a snapshot that stays whole during a swap.

    A registry that is away does not stop scoring once a champion is loaded. ``reason``: why there is none, for
    requests that find none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._follower = ChampionFollower(settings, self._load, self._report)
        self.loaded: LoadedModel | None = None
        self.reason = "The champion has not been looked up yet. Try again in a moment."

    def start(self) -> None:
        """Look for champions from here on."""
        self._follower.start()

    def stop(self) -> None:
        """Stop looking, after a second at the latest."""
        self._follower.stop()

    def look(self) -> None:
        """Look once."""
        self._follower.look()

    def _load(self, version: str) -> None:
        self.loaded = load_version(self._settings, version)
        log.info("champion_loaded", model=self._settings.model_name, version=version)

    def _report(self, missed: Missed | None) -> None:
        if missed is None:
            return
        report = log.warning if missed.is_news else log.debug
        if self.loaded is None:
            self.reason = self._reason(missed)
            report("no_champion", reason=self.reason)
        else:
            gone = "no version is tagged as the champion any more"
            reason = gone if missed.error is None else self._reason(missed)
            report("champion_not_refreshed", reason=reason, version=self.loaded.version)

    def _reason(self, missed: Missed) -> str:
        if missed.error is None:
            return (
                f"The registered model {self._settings.model_name!r} has no champion yet. "
                "Run `fraudstream train`, or promote a version: `fraudstream models promote`."
            )
        text = error_text(missed.error)
        return text if isinstance(missed.error, FraudstreamError) else f"The champion cannot be looked up ({text})."
