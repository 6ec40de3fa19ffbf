"""The model that serves: its version, metrics and addresses in MLflow, read from the registry."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fraudstream.core.configuration.settings import Settings, mask_uri
from fraudstream.core.errors import RegistryRefused
from fraudstream.core.registry import ChampionFollower, Missed, registry_client, registry_error

_KEPT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The champion; ``version`` is None before the first promotion. Addresses are empty where no browser opens them.

    ``name`` is empty while the registry has not answered.
    """

    name: str = ""
    version: str | None = None
    created_at: datetime | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    model_url: str = ""
    run_url: str = ""

    @property
    def summary(self) -> str:
        if not self.name:
            return "the registry has not answered yet"
        return f"champion is version {self.version}" if self.version else "has no champion yet"


class ModelSource:
    """Describes the champion while somebody looks; an answer is kept for some seconds. For one thread.

    It follows the champion at each look and not in a thread: nobody asks the registry for a page that nobody sees.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._follower = ChampionFollower(settings, self._describe, self._report)
        self._champion: ModelInfo | None = None
        self._missed: Missed | None = None
        self._asked_at = float("-inf")

    def read(self) -> ModelInfo:
        """Raises :class:`RegistryUnavailable`, :class:`RegistryRefused`, :class:`ConfigurationError`."""
        if time.monotonic() - self._asked_at >= _KEPT_SECONDS:
            self._follower.look()
            if self._missed is not None and self._missed.error is not None:
                raise self._missed.error
            self._asked_at = time.monotonic()
        if self._missed is not None or self._champion is None:
            return ModelInfo(self._settings.model_name)
        return self._champion

    def _report(self, missed: Missed | None) -> None:
        self._missed = missed

    def _describe(self, version: str) -> None:
        from mlflow.exceptions import MlflowException

        name = self._settings.model_name
        base = browser_address(self._settings)
        client = registry_client(self._settings)
        try:
            registered = client.get_model_version(name, version)
        except MlflowException as error:
            raise registry_error(self._settings, error) from error
        run = self._run(client, registered.run_id)
        self._champion = ModelInfo(
            name,
            version,
            datetime.fromtimestamp(registered.creation_timestamp / 1000, UTC),
            dict(run.data.metrics) if run else {},
            version_address(model_address(base, name), version),
            f"{base}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}" if base and run else "",
        )

    def _run(self, client: Any, run_id: str | None) -> Any:
        """The training run; None where it is gone, so that its metrics and its link alone are missing."""
        from mlflow.exceptions import MlflowException

        try:
            return client.get_run(run_id) if run_id else None
        except MlflowException as error:
            failure = registry_error(self._settings, error)
            if isinstance(failure, RegistryRefused):
                return None
            raise failure from error


def model_address(base: str, name: str) -> str:
    """A registered model's page in MLflow at this address; empty where there is none."""
    return f"{base}/#/models/{quote(name, safe='')}" if base else ""


def version_address(model: str, version: str) -> str:
    """The page of a version of the model with this address; empty where there is none."""
    return f"{model}/versions/{quote(version, safe='')}" if model else ""


def browser_address(settings: Settings) -> str:
    """MLflow's address for a browser; empty where there is none: it may also be a file or a cloud workspace.

    Without user and password: those are this process's own, and everybody who sees a page reads its links.
    """
    address = settings.mlflow_url or settings.mlflow_tracking_uri
    if not address.startswith(("http://", "https://")):
        return ""
    # Masked first: a password may hold what ends it.
    return re.sub(r"(?<=://)[^/?#]*@", "", mask_uri(address), count=1).rstrip("/")
