"""The thread that looks for a new champion, so that no request waits for the registry or for a model to load."""

from __future__ import annotations

import threading
from typing import Protocol

import structlog

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text
from fraudstream.core.registry import LoadedModel

log = structlog.get_logger(__name__)

# A look-up under way may take as long as MLflow's own time limits; a shutdown does not wait for that.
_STOP_SECONDS = 1.0


class ChampionSource(Protocol):
    """What the service needs of :class:`fraudstream.core.registry.Champion`."""

    @property
    def loaded(self) -> LoadedModel | None:
        """The champion in memory, without asking the registry."""
        ...

    def current(self) -> LoadedModel:
        """The champion, looked up; raises :class:`FraudstreamError` while there is none."""
        ...


class ChampionPoller:
    """Calls ``champion.current()`` every ``seconds`` until it is stopped."""

    def __init__(self, champion: ChampionSource, seconds: float) -> None:
        self._champion = champion
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="champion-poller", daemon=True)
        self._warned_of: type[Exception] | None = None
        self.reason = "The champion has not been looked up yet. Try again in a moment."

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, after a second at the latest."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)

    def poll(self) -> None:
        """Look once; a failure becomes :attr:`reason`, for requests that find no champion."""
        try:
            self._champion.current()
        except FraudstreamError as error:
            self._report(error, error_text(error))
        except Exception as error:  # the thread is the only one that looks: it has to outlive whatever MLflow raises
            self._report(error, f"The champion cannot be looked up ({error_text(error)}).")
        else:
            self._warned_of = None

    def _report(self, error: Exception, reason: str) -> None:
        self.reason = reason
        # Compared by type: the text of a connection error holds an object's address and changes at each attempt.
        if type(error) is self._warned_of:
            log.debug("no_champion", reason=reason)
        else:
            log.warning("no_champion", reason=reason)
            self._warned_of = type(error)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.poll()
            self._stop.wait(self._seconds)
